/** What the commands that read trees have in common: options, opening, and what damage means. */
import { type Command, Option } from "commander";
import { counted } from "../report/numbers.js";
import { rangeText } from "../report/rows/keys.js";
import type { InputKind } from "../store/types.js";
import type { Database, DatabaseOptions, TreeProblem } from "../tree/types.js";
import { CommandError, EXIT, type ExitCode } from "./exit.js";
import { KINDS } from "./kinds.js";
import type { Terminal } from "./terminal.js";
import { byteSize, safeNumber } from "./values.js";

export type Flags = Readonly<Record<string, unknown>>;

/** Options of every command that opens a database. */
export function declareDatabase(command: Command): void {
  command
    .addOption(new Option("--kind <kind>", "do not detect the kind of input").choices(KINDS))
    .option("--compressor <name>", "do not detect the compressor")
    .option("--allocation-size <bytes>", "do not detect the allocation size of classic files")
    .option("--rotn-keyid <number>", "key id of the rotn test encryptor");
}

export const CHECKPOINT_HELP =
  "number or LSN of a page log's checkpoint (lsn:N for an LSN that is a number as well), name of a classic one";

export function databaseOptions(flags: Flags): DatabaseOptions {
  return {
    ...(flags.kind !== undefined && { kind: flags.kind as InputKind }),
    ...(flags.compressor !== undefined && { compressor: flags.compressor as string }),
    ...(flags.allocationSize !== undefined && {
      allocationSize: byteSize("--allocation-size", flags.allocationSize),
    }),
    ...(flags.rotnKeyid !== undefined && { rotnKeyId: safeNumber("--rotn-keyid", flags.rotnKeyid) }),
  };
}

/** Opens a database for the work, and closes it behind. Names that lead nowhere become wrong usage. */
export async function withDatabase<T>(
  path: string,
  options: DatabaseOptions,
  terminal: Terminal,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const { openDatabase, TreeError } = await import("../tree/index.js");
  let database: Database | undefined;
  try {
    database = openDatabase(path, options);
    return await work(database);
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
    const exitCode = { "no-trees": EXIT.unrecognised, damaged: EXIT.findings }[error.code as "no-trees"];
    // What is not found may be in metadata that cannot be read.
    const problems = database?.problems ?? [];
    reportProblems(problems, terminal);
    throw new CommandError(error.message, exitCode ?? (problemsExit(problems) || EXIT.usage));
  } finally {
    database?.close();
  }
}

/** One line on damage: where, what, and which keys are lost. */
export function problemLine({ table, place, message, lost, rescued }: TreeProblem): string {
  const { path, offset, tableId, pageId, lsn } = place;
  const parts = [
    table || path,
    pageId === undefined ? undefined : `page ${pageId}`,
    pageId === undefined && tableId !== undefined ? `table ${tableId}` : undefined,
    lsn === undefined ? undefined : `LSN ${lsn}`,
    offset === undefined || lsn !== undefined ? undefined : `offset ${offset}`,
  ].filter((part) => part !== undefined);
  const range = lost === undefined ? "" : `; lost: ${rangeText(lost)}`;
  const found =
    rescued === undefined
      ? ""
      : `; of these ${counted(rescued, "leaf was", "leaves were")} found without it, rows truncated since perhaps among them`;
  return `${parts.join(", ")}: ${message}${range}${found}`;
}

/** Says what stood in the way of finding tables. */
export function reportProblems(problems: readonly TreeProblem[], terminal: Terminal): void {
  for (const problem of problems) terminal.fail(problemLine(problem));
}

/** The exit code of the worst that was met: damage, or pages of a generation too new. */
export function problemsExit(problems: ReadonlyArray<Pick<TreeProblem, "code">>): ExitCode {
  if (problems.length === 0) return EXIT.clean;
  return problems.every(({ code }) => code === "page-too-new") ? EXIT.unrecognised : EXIT.findings;
}
