/** What a PALite directory holds when it is opened for writing. */
import { paliteCheckpointColumns, paliteGlobals, paliteTables } from "../../formats/palite.js";
import type { WriterState } from "./checked-page-log.js";
import { PageLogError } from "./page-log-error.js";
import { type PaliteFiles, pageColumns, storedPageColumns } from "./palite-files.js";
import { integer, ORDER, signed } from "./palite-row.js";
import type { SqliteRow } from "./sqlite-connection.js";
import type { SqliteWriter } from "./sqlite-writer.js";

export interface PaliteContents extends WriterState {
  /** The database of each table. */
  readonly fileOf: Map<bigint, string>;
  /** Databases with records above the newest checkpoint. */
  readonly unfinished: Set<string>;
  /** The last LSN by the store's counter. */
  readonly counter: bigint;
}

const [TABLE, PAGE, LSN] = ORDER;
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** @throws PageLogError `unsupported` for what cannot be written on; SqliteError */
export function readContents(files: PaliteFiles): PaliteContents {
  const completed = readCheckpoints(files.checkpoints);
  const counters = readCounters(files);
  const fileOf = new Map<bigint, string>();
  const unfinished = new Set<string>();
  let lastLsn = larger(counters.lsn, completed.lsn);
  let { highestTableId } = counters;
  for (const name of files.pageFiles()) {
    const highest = readPages(files, name, fileOf);
    if (highest > completed.lsn) unfinished.add(name);
    lastLsn = larger(lastLsn, highest);
  }
  for (const tableId of fileOf.keys()) highestTableId = larger(highestTableId, tableId);
  return {
    lastLsn,
    completedLsn: completed.lsn,
    completedId: larger(counters.completed, completed.count),
    hasUnfinished: unfinished.size > 0,
    highestTableId,
    fileOf,
    unfinished,
    counter: counters.lsn,
  };
}

/** Notes whose tables are in a database; returns its highest LSN. */
function readPages(files: PaliteFiles, name: string, fileOf: Map<bigint, string>): bigint {
  const database = files.database(name);
  const columns = storedPageColumns(database).sort().join(", ");
  const expected = pageColumns(files.layout).sort().join(", ");
  if (columns !== expected)
    throw unsupported(database, `the table of pages has columns ${columns || "none"} instead of ${expected}`);
  const lowest = [TABLE, PAGE, LSN].map((column) => `min(${column})`).join(", ");
  const [bounds] = database.all(
    `SELECT min(${lowest}) AS lowest, max(${LSN}) AS highest FROM ${paliteTables.pages}`,
  );
  if (bounds?.lowest === null) return 0n;
  if (number(database, bounds, "lowest") < 0n) throw unsupported(database, "ids or LSNs from 2^63 on");
  for (const tableId of tablesIn(database)) {
    const other = fileOf.get(tableId);
    if (other !== undefined)
      throw unsupported(database, `rows of table ${tableId}, and more of them in ${other}`);
    fileOf.set(tableId, name);
  }
  return number(database, bounds, "highest");
}

function* tablesIn(database: SqliteWriter): Generator<bigint> {
  const sql = `SELECT min(${TABLE}) AS id FROM ${paliteTables.pages} WHERE ${TABLE} > ?`;
  for (let from = -1n; ; ) {
    const [row] = database.all(sql, [from]);
    const id = integer(row?.id);
    if (id === undefined) return;
    yield id;
    from = id;
  }
}

function readCheckpoints(database: SqliteWriter): { lsn: bigint; count: bigint } {
  const { lsn } = paliteCheckpointColumns;
  const [row] = database.all(
    `SELECT count(*) AS count, ifnull(max(${lsn}), 0) AS newest, ifnull(min(${lsn}), 0) AS lowest FROM ${paliteTables.checkpoints}`,
  );
  if (number(database, row, "lowest") < 0n) throw unsupported(database, "LSNs from 2^63 on");
  return { lsn: number(database, row, "newest"), count: number(database, row, "count") };
}

/** The counters; those that are not there yet are made. */
function readCounters(files: PaliteFiles): { lsn: bigint; highestTableId: bigint; completed: bigint } {
  const { old, current, value } = paliteGlobals;
  const database = files.globals;
  const column = files.isSingle ? old.column : current.column;
  const keys = files.isSingle ? [old.lsn, old.checkpointCompleted, old.checkpointStarted] : [0, 1];
  const values = keys.map((key, at) => {
    const sql = `SELECT max(${value}) AS val FROM ${paliteTables.globals} WHERE ${column} = ?`;
    const [row] = database.all(sql, [key]);
    if (row?.val !== null) return number(database, row, "val");
    const first = files.isSingle && at !== 1 ? 1n : 0n;
    database.run(`INSERT INTO ${paliteTables.globals} VALUES (?, ?)`, [key, first]);
    return first;
  });
  database.commit();
  const [lsn = 0n, second = 0n] = values;
  return files.isSingle
    ? { lsn: lsn > 0n ? lsn - 1n : 0n, highestTableId: 0n, completed: second }
    : { lsn, highestTableId: second, completed: 0n };
}

/**
 * Sets the counters, where the layout has them; the transaction stays open. `last`: the last LSN given.
 * @throws SqliteError
 */
export function setCounters(files: PaliteFiles, counters: { last: bigint; highestTableId: bigint }): void {
  const { old, current } = paliteGlobals;
  if (files.isSingle) setCounter(files, old.lsn, counters.last + 1n);
  else {
    setCounter(files, current.lsn, counters.last);
    setCounter(files, current.highestTableId, counters.highestTableId);
  }
}

/** As `setCounters`, for the ids of checkpoints. */
export function setCheckpointIds(files: PaliteFiles, completed: bigint): void {
  if (!files.isSingle) return;
  setCounter(files, paliteGlobals.old.checkpointCompleted, completed);
  setCounter(files, paliteGlobals.old.checkpointStarted, completed + 1n);
}

function setCounter(files: PaliteFiles, key: number, value: bigint): void {
  const column = files.isSingle ? paliteGlobals.old.column : paliteGlobals.current.column;
  const sql = `UPDATE ${paliteTables.globals} SET ${paliteGlobals.value} = ? WHERE ${column} = ?`;
  files.globals.run(sql, [signed(value), key]);
}

function number(database: SqliteWriter, row: SqliteRow | undefined, name: string): bigint {
  const value = integer(row?.[name]);
  if (value === undefined) throw unsupported(database, `${name} is no integer`);
  return value;
}

const unsupported = (database: SqliteWriter, reason: string): PageLogError =>
  new PageLogError("unsupported", reason, { file: database.path });
