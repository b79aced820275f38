/** Rows of damaged stores. */
import { PageLogDatabase } from "../../src/tree/page-log/database.js";
import { TreeError } from "../../src/tree/problem.js";
import type { Database, TreeProblem, TreeRow } from "../../src/tree/types.js";
import { DamagedPageLog, PAGE_LOGS, soundPageLog } from "../damage/page-logs.js";
import { Tape } from "../tape.js";
import { Broken, type FuzzTarget, isRaw } from "../target.js";
import { damageSeeds } from "./verify.js";

const MAX_CHANGES = 4;
/** Rows of a damaged log: more than any sound one holds, and its loops would hold many more. */
const MAX_ROWS = 100_000;

export const treeRowsTarget: FuzzTarget = {
  name: "tree-rows",
  oracle:
    "rows of a damaged page log are read as far as they can be, with a list of problems and nothing thrown; when a " +
    "byte under a checksum was flipped, they are among the rows of the sound log, and a missing one has its problem; a " +
    "sound log has none",
  seeds: () => damageSeeds(PAGE_LOGS),
  fuzz(input) {
    const tape = new Tape(input.subarray(1));
    const index = tape.below(256) % PAGE_LOGS;
    const damaged = new DamagedPageLog(soundPageLog(index));
    if (tape.left === 0) return checkSound(index);
    const raw = isRaw(input);
    const rescue = !raw && tape.below(2) === 1;
    if (raw) damaged.flip(tape);
    else for (let left = 1 + tape.below(MAX_CHANGES); left > 0; left--) damaged.change(tape);
    const { rows, problems } = readAll(new PageLogDatabase(damaged.log(), "memory", {}), rescue);
    if (!raw) return;
    const sound = soundRows(index);
    for (const [key, value] of rows) if (sound.get(key) !== value) throw new Broken(`a row that never was`);
    if (rows.size < sound.size && problems.length === 0) throw new Broken("rows are missing, and no problem");
  },
};

function checkSound(index: number): void {
  const { rows, problems } = readAll(new PageLogDatabase(soundPageLog(index), "memory", {}), false);
  if (rows.size === 0 || problems.length > 0) throw new Broken(`a sound log: ${problems[0]?.message}`);
}

const known: Array<ReadonlyMap<string, string> | undefined> = [];
function soundRows(index: number): ReadonlyMap<string, string> {
  known[index] ??= readAll(new PageLogDatabase(soundPageLog(index), "memory", {}), false).rows;
  return known[index];
}

/** Every row of every table, by table and key; the readers' own errors say that there is no such table. */
export function readAll(
  database: Database,
  rescue: boolean,
): { rows: Map<string, string>; problems: TreeProblem[] } {
  const rows = new Map<string, string>();
  const problems: TreeProblem[] = [];
  const onProblem = (problem: TreeProblem): void => void problems.push(problem);
  for (const { uri } of tablesOf(database, problems)) {
    let count = 0;
    for (const row of database.table(uri).rows({ onProblem, rescue })) {
      if (++count > MAX_ROWS) throw new Broken(`${uri}: more than ${MAX_ROWS} rows`);
      rows.set(`${uri} ${keyText(row)}`, Buffer.from(row.value).toString("latin1"));
    }
  }
  problems.push(...database.problems);
  return { rows, problems };
}

function tablesOf(database: Database, problems: TreeProblem[]): ReturnType<Database["tables"]> {
  try {
    return database.tables();
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
    problems.push({ code: "metadata", message: error.message, table: "", place: { path: database.path } });
    return [];
  }
}

const keyText = ({ key }: TreeRow): string =>
  typeof key === "bigint" ? `${key}` : Buffer.from(key).toString("latin1");
