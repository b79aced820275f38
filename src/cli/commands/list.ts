/** `pugmark list PATH` */
import type { Command } from "commander";
import type { DatabaseOptions, TableInfo } from "../../tree/types.js";
import type { CommandModule } from "../command.js";
import {
  CHECKPOINT_HELP,
  databaseOptions,
  declareDatabase,
  type Flags,
  problemLine,
  problemsExit,
  withDatabase,
} from "../database.js";
import type { ExitCode } from "../exit.js";
import type { Terminal } from "../terminal.js";

interface ListOptions {
  readonly path: string;
  readonly checkpoint: string | undefined;
  readonly json: boolean;
  readonly database: DatabaseOptions;
}

export const listCommand: CommandModule<ListOptions> = { declare, validate, run };

function declare(command: Command): void {
  command
    .argument("<path>", "page log, classic directory or .wt file")
    .option("--checkpoint <name>", CHECKPOINT_HELP)
    .option("--json", "one JSON document");
  declareDatabase(command);
}

function validate([path]: readonly unknown[], flags: Flags): ListOptions {
  return {
    path: path as string,
    checkpoint: flags.checkpoint as string | undefined,
    json: flags.json === true,
    database: databaseOptions(flags),
  };
}

async function run(options: ListOptions, terminal: Terminal): Promise<ExitCode> {
  const { jsonDocument } = await import("../../report/json.js");
  return withDatabase(options.path, options.database, terminal, async (database) => {
    const tables = database.tables(options.checkpoint);
    const checkpoints = database.checkpoints();
    const { kind, path, problems } = database;
    for (const problem of problems) terminal.fail(problemLine(problem));
    if (options.json)
      await terminal.write(
        jsonDocument({ schemaVersion: 1, input: { path, kind }, checkpoints, tables, problems }),
      );
    else await terminal.write(await listText(tables, checkpoints, terminal));
    return problemsExit(problems);
  });
}

const COLUMNS = [
  "name",
  "file",
  "id",
  "key",
  "value",
  "bytes",
  "pages",
  "records",
  "compressor",
  "checkpoints",
];

async function listText(
  tables: readonly TableInfo[],
  checkpoints: ReadonlyArray<{ name: string; number: bigint; lsn?: bigint; timestamp?: bigint }>,
  { palette }: Terminal,
): Promise<string> {
  const { tableText } = await import("../../report/table.js");
  const rows = tables.map((table) => ({
    name: table.name,
    file: table.uri === table.name ? undefined : table.uri,
    id: table.id,
    key: table.keyFormat,
    value: table.valueFormat,
    bytes: table.size?.bytes,
    pages: table.size?.pages,
    records: table.size?.records,
    compressor: table.compressor,
    checkpoints: table.checkpoints.map(({ name }) => name).join(" "),
  }));
  const states = checkpoints.map(({ number, lsn, name, timestamp }) => ({
    number,
    lsn,
    name: lsn === undefined ? name : undefined,
    timestamp,
  }));
  const heading = (text: string): string => `${palette("strong", text)}\n`;
  const none = `${palette("faint", "none")}\n`;
  return [
    heading("Tables"),
    rows.length === 0 ? none : tableText(COLUMNS, rows, palette),
    "\n",
    heading("Checkpoints"),
    states.length === 0 ? none : tableText(["number", "lsn", "name", "timestamp"], states, palette),
  ].join("");
}
