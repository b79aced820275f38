/** `pugmark chain PATH TABLE PAGE` */
import type { Command } from "commander";
import { counted } from "../../report/numbers.js";
import type { PageChange, PageVersion } from "../../tree/page-history.js";
import type { DatabaseOptions } from "../../tree/types.js";
import type { CommandModule } from "../command.js";
import {
  databaseOptions,
  declareDatabase,
  type Flags,
  problemsExit,
  reportProblems,
  withDatabase,
} from "../database.js";
import { CommandError, type ExitCode } from "../exit.js";
import type { Terminal } from "../terminal.js";
import { safeNumber, wholeNumber } from "../values.js";

interface ChainOptions {
  readonly path: string;
  readonly table: string;
  readonly page: bigint;
  readonly json: boolean;
  readonly limit: number;
  readonly database: DatabaseOptions;
}

export const chainCommand: CommandModule<ChainOptions> = { declare, validate, run };

function declare(command: Command): void {
  command
    .argument("<path>", "page log")
    .argument("<table>", "t, layered:t, file:t.wt_stable, …, or a table id")
    .argument("<page>", "page id")
    .option("--json", "one JSON document")
    .option("--limit <count>", "changes of a delta in the text; 0 shows all", "20");
  declareDatabase(command);
}

function validate([path, table, page]: readonly unknown[], flags: Flags): ChainOptions {
  return {
    path: path as string,
    table: table as string,
    page: wholeNumber("<page>", page),
    json: flags.json === true,
    limit: safeNumber("--limit", flags.limit),
    database: databaseOptions(flags),
  };
}

async function run(options: ChainOptions, terminal: Terminal): Promise<ExitCode> {
  const { jsonDocument } = await import("../../report/json.js");
  return withDatabase(options.path, options.database, terminal, async (database) => {
    if (database.pageHistory === undefined)
      throw new CommandError(`${options.path}: pages of classic files have no history: ${database.kind}`);
    const versions = [...database.pageHistory(options.table, options.page)];
    if (versions.length === 0)
      throw new CommandError(`${options.path}: ${options.table} has no record of page ${options.page}`);
    reportProblems(database.problems, terminal);
    if (options.json)
      await terminal.write(
        jsonDocument({ schemaVersion: 1, table: options.table, pageId: options.page, versions }),
      );
    else
      for (const version of versions)
        await terminal.write(await versionText(version, options.limit, terminal));
    const unread = versions.flatMap(({ problemCode: code }) => (code === undefined ? [] : { code }));
    return problemsExit([...database.problems, ...unread]);
  });
}

async function versionText(version: PageVersion, limit: number, { palette }: Terminal): Promise<string> {
  const { lsn, kind, baseLsn, backlinkLsn, checkpointId, stored, entries, changes, problem } = version;
  const facts = [
    `${stored} bytes`,
    entries === undefined
      ? undefined
      : kind === "delta"
        ? counted(entries, "change")
        : counted(entries, "entry", "entries"),
    checkpointId === undefined ? undefined : `checkpoint ${checkpointId}`,
    baseLsn === 0n ? undefined : `based on ${baseLsn}`,
    backlinkLsn === 0n ? undefined : `after ${backlinkLsn}`,
  ].filter((fact) => fact !== undefined);
  const shown = limit === 0 ? changes : changes.slice(0, limit);
  const lines = await Promise.all(shown.map(changeText));
  const more = changes.length - shown.length;
  return [
    `${palette("strong", `LSN ${lsn}`)}  ${kind}  ${facts.join(", ")}\n`,
    ...(problem === undefined ? [] : [`  ${palette("error", problem)}\n`]),
    ...lines,
    more > 0 ? `  ${palette("faint", `… ${more} more (--limit 0 shows all)`)}\n` : "",
  ].join("");
}

async function changeText({ key, action, length, startTs, stopTs }: PageChange): Promise<string> {
  const { keyText } = await import("../../report/rows/keys.js");
  const times = [
    startTs === undefined || startTs === 0n ? undefined : `from ${startTs}`,
    stopTs === undefined ? undefined : `to ${stopTs}`,
  ].filter((time) => time !== undefined);
  const name = key === undefined ? "(overflow key)" : keyText(key);
  const bytes = action === "remove" ? "" : `  ${length} bytes`;
  return `  ${action.padEnd(6)}  ${name}${bytes}${times.length > 0 ? `  ${times.join(" ")}` : ""}\n`;
}
