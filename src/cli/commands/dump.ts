/** `pugmark dump PATH TABLE` */
import { type Command, Option } from "commander";
import { counted } from "../../report/numbers.js";
import type { DatabaseOptions, Table, TableReader, TreeProblem, TreeRow } from "../../tree/types.js";
import type { CommandModule } from "../command.js";
import {
  CHECKPOINT_HELP,
  databaseOptions,
  declareDatabase,
  type Flags,
  problemLine,
  problemsExit,
  reportProblems,
  withDatabase,
} from "../database.js";
import { EXIT, type ExitCode } from "../exit.js";
import type { Terminal } from "../terminal.js";
import { wholeNumber } from "../values.js";

const FORMATS = ["hex", "json", "bson"] as const;
/** Text collected before it is written. */
const CHUNK = 64 * 1024;
/** Rows whose columns do not fit that are named one by one. */
const MAX_ISSUES = 20;

interface DumpOptions {
  readonly path: string;
  readonly table: string;
  readonly checkpoint: string | undefined;
  readonly timestamp: bigint | undefined;
  readonly format: (typeof FORMATS)[number];
  readonly partial: boolean;
  readonly database: DatabaseOptions;
}

export const dumpCommand: CommandModule<DumpOptions> = { declare, validate, run };

function declare(command: Command): void {
  command
    .argument("<path>", "page log, classic directory or .wt file")
    .argument("<table>", "t, table:t, file:t.wt, layered:t, file:t.wt_stable, …")
    .option("--checkpoint <name>", CHECKPOINT_HELP)
    .option("--timestamp <number>", "rows as they were at this timestamp")
    .addOption(
      new Option(
        "--format <format>",
        "hex: a line a key, a line a value, as `wt dump -x`; json, bson: a line a row",
      )
        .choices(FORMATS)
        .default("hex"),
    )
    .option("--partial", "go on after damage: the rows that can be read, and which keys cannot");
  declareDatabase(command);
}

function validate([path, table]: readonly unknown[], flags: Flags): DumpOptions {
  return {
    path: path as string,
    table: table as string,
    checkpoint: flags.checkpoint as string | undefined,
    timestamp: flags.timestamp === undefined ? undefined : wholeNumber("--timestamp", flags.timestamp),
    format: flags.format as DumpOptions["format"],
    partial: flags.partial === true,
    database: databaseOptions(flags),
  };
}

async function run(options: DumpOptions, terminal: Terminal): Promise<ExitCode> {
  return withDatabase(options.path, options.database, terminal, async (database) => {
    const table = database.table(options.table, options.checkpoint);
    reportProblems(database.problems, terminal);
    if (database.problems.length > 0 && !options.partial)
      return refuse(problemsExit(database.problems), terminal);
    const rows = new DumpedRows(options.partial, terminal);
    try {
      await writeRows(rows, table, options, terminal);
    } catch (error) {
      if (error !== rows.stop) throw error;
      return refuse(problemsExit(rows.problems), terminal);
    }
    rows.summary();
    return rows.misfits > 0 ? EXIT.findings : problemsExit([...database.problems, ...rows.problems]);
  });
}

function refuse(code: ExitCode, terminal: Terminal): ExitCode {
  const why = code === EXIT.unrecognised ? "has pages of a generation too new" : "is damaged";
  terminal.fail(`the table ${why}; --partial gives the rows that can be read`);
  return code;
}

/** What is wrong with the rows on their way out. */
class DumpedRows {
  /** Thrown at the first damage where rows are not wanted in part. */
  readonly stop = new Error("damage");
  count = 0;
  prepared = 0;
  readonly problems: TreeProblem[] = [];
  /** Keys and values that are not what the format says. */
  misfits = 0;

  constructor(
    private readonly partial: boolean,
    private readonly terminal: Terminal,
  ) {}

  *counted(rows: Iterable<TreeRow>): Generator<TreeRow> {
    for (const row of rows) {
      this.count++;
      if (row.window?.prepare === true) this.prepared++;
      yield row;
    }
  }

  readonly onProblem = (problem: TreeProblem): void => {
    this.problems.push(problem);
    this.terminal.fail(problemLine(problem));
    if (!this.partial) throw this.stop;
  };

  readonly onIssue = (what: string, message: string): void => {
    this.misfits++;
    if (this.misfits <= MAX_ISSUES) this.terminal.fail(`${what} of row ${this.count}: ${message}`);
  };

  summary(): void {
    const { count, prepared, problems, misfits, terminal } = this;
    if (misfits > MAX_ISSUES) terminal.fail(`and ${misfits - MAX_ISSUES} more keys or values`);
    const newer = problems.filter(({ code }) => code === "page-too-new").length;
    const damaged = problems.length - newer;
    const places = damaged === 0 ? "" : `; ${counted(damaged, "place is", "places are")} damaged`;
    const pages = newer === 0 ? "" : `; ${counted(newer, "page is", "pages are")} too new`;
    terminal.note(`${counted(count, "row")}${places}${pages}`);
    if (prepared > 0)
      terminal.note(
        `${prepared} of them were written by prepared transactions: nothing tells whether those committed`,
      );
  }
}

async function writeRows(
  rows: DumpedRows,
  table: Table,
  { format, timestamp, partial }: DumpOptions,
  terminal: Terminal,
): Promise<void> {
  const options = { timestamp, onProblem: rows.onProblem, rescue: partial };
  if (format === "hex") return writeHex(rows, table.reader(options), terminal);
  const { bsonRows, jsonRows } = await import("../../report/rows/json.js");
  const linesOf = format === "json" ? jsonRows : bsonRows;
  let text = "";
  for (const line of linesOf(rows.counted(table.rows(options)), table.info, rows.onIssue)) {
    text += line;
    if (text.length < CHUNK) continue;
    await terminal.write(text);
    text = "";
  }
  await terminal.write(text);
}

async function writeHex(rows: DumpedRows, reader: TableReader, terminal: Terminal): Promise<void> {
  const { HexDump } = await import("../../report/rows/hex.js");
  const dump = new HexDump(reader);
  for (const chunk of dump.chunks()) await terminal.write(chunk);
  rows.count = dump.rows;
  rows.prepared = dump.prepared;
}
