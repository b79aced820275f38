/** `pugmark replace STORE --output NEW` */
import { type Command, Option } from "commander";
import { counted } from "../../report/numbers.js";
import type { ReplaceReport, ReplaceStoreOptions, WantedChains } from "../../write/replace/replace-store.js";
import type { CommandModule } from "../command.js";
import { databaseOptions, declareDatabase, type Flags } from "../database.js";
import { CommandError, EXIT, type ExitCode } from "../exit.js";
import { checkOutputFile } from "../output-file.js";
import type { Terminal } from "../terminal.js";
import { safeNumber, wholeNumber } from "../values.js";

const ENCODINGS = ["modified", "extended"] as const;
const OUTPUT_KINDS = ["palite", "page-log-jsonl"] as const;
/** Chains that stay as they are that are named one by one. */
const MAX_KEPT = 20;

interface ReplaceCommandOptions {
  readonly path: string;
  readonly output: string;
  readonly json: boolean;
  readonly store: ReplaceStoreOptions;
}

export const replaceCommand: CommandModule<ReplaceCommandOptions> = { declare, validate, run };

function declare(command: Command): void {
  command
    .argument("<store>", "page log; it is only read")
    .requiredOption("--output <directory>", "the new page log; it must not exist yet")
    .option("--table <name>", "t, layered:t, file:t.wt_stable, … or a table id")
    .option("--page <id>", "page whose image and deltas become one image")
    .option("--lsn <number>", "last record of the chain (default: of the page's newest chain)")
    .option("--all", "every chain with deltas enough, of every table")
    .option("--min-deltas <count>", "with --all: deltas a chain has at least", "1")
    .addOption(
      new Option("--encoding <name>", "how the header says that the image is a replacement")
        .choices(ENCODINGS)
        .default("modified"),
    )
    .addOption(
      new Option(
        "--output-kind <kind>",
        "what the new page log is kept in (default: as the store's, or JSON lines)",
      ).choices(OUTPUT_KINDS),
    )
    .option("--json", "one JSON document on stdout");
  declareDatabase(command);
}

function validate([path]: readonly unknown[], flags: Flags): ReplaceCommandOptions {
  return {
    path: path as string,
    output: flags.output as string,
    json: flags.json === true,
    store: {
      ...databaseOptions(flags),
      encoding: flags.encoding as ReplaceStoreOptions["encoding"],
      wanted: wantedChains(flags),
      outputKind: flags.outputKind as ReplaceStoreOptions["outputKind"],
    },
  };
}

function wantedChains({ all, table, page, lsn, minDeltas }: Flags): WantedChains {
  if (all === true) {
    if (table !== undefined || page !== undefined || lsn !== undefined)
      throw new CommandError("--all takes every page of every table: no --table, --page or --lsn with it");
    const least = safeNumber("--min-deltas", minDeltas);
    if (least < 1) throw new CommandError("--min-deltas is at least 1");
    return { minDeltas: least };
  }
  if (table === undefined || page === undefined)
    throw new CommandError("which pages? --table with --page, or --all");
  return {
    table: table as string,
    pageId: wholeNumber("--page", page),
    lsn: lsn === undefined ? undefined : wholeNumber("--lsn", lsn),
  };
}

async function run(options: ReplaceCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const { path, output } = options;
  checkOutputFile(output, [path]);
  const { replaceStore, ReplaceError } = await import("../../write/replace/replace-store.js");
  const { PageLogError } = await import("../../store/page-log-error.js");
  let report: ReplaceReport;
  try {
    report = replaceStore(path, output, options.store);
  } catch (error) {
    if (error instanceof ReplaceError) throw new CommandError(`${path}: ${error.message}`);
    if (error instanceof PageLogError) throw new CommandError(error.message);
    throw error;
  }
  const totals = totalsOf(report);
  if (options.json) {
    const { jsonDocument } = await import("../../report/json.js");
    const { encoding } = options.store;
    await terminal.write(
      jsonDocument({ schemaVersion: 1, input: path, output, encoding, ...totals, ...report }),
    );
  }
  say(report, totals, terminal);
  return report.kept.length > 0 ? EXIT.findings : EXIT.clean;
}

/** What reading the pages in their newest state takes, before and after. */
interface Totals {
  readonly replaced: number;
  readonly readsBefore: number;
  readonly readsAfter: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

function totalsOf({ chains }: ReplaceReport): Totals {
  const sum = (of: (chain: (typeof chains)[number]) => number): number =>
    chains.reduce((total, chain) => total + of(chain), 0);
  return {
    replaced: chains.length,
    readsBefore: sum(({ records }) => records),
    readsAfter: chains.length,
    bytesBefore: sum(({ bytesBefore }) => bytesBefore),
    bytesAfter: sum(({ bytesAfter }) => bytesAfter),
  };
}

function say({ kept, encryptor }: ReplaceReport, totals: Totals, terminal: Terminal): void {
  if (encryptor !== undefined)
    terminal.note(`pages are encrypted by ${encryptor}: so are their replacements`);
  for (const { tableId, pageId, lsn, reason } of kept.slice(0, MAX_KEPT))
    terminal.fail(`table ${tableId}, page ${pageId}, LSN ${lsn} stays as it is: ${reason}`);
  if (kept.length > MAX_KEPT) terminal.fail(`and ${kept.length - MAX_KEPT} more`);
  const { replaced, readsBefore, readsAfter, bytesBefore, bytesAfter } = totals;
  terminal.note(
    `${counted(replaced, "chain")} replaced: reading them takes ${counted(readsAfter, "record")} of ${bytesAfter} bytes instead of ${counted(readsBefore, "record")} of ${bytesBefore}`,
  );
}
