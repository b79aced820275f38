/** The rows of a table that can be reached, whatever is damaged. */
import { SqliteError, type SqliteFile, type SqliteRow } from "./sqlite.js";

const MIN_ROWID = -(1n << 63n);
const MAX_ROWID = (1n << 63n) - 1n;
/** Ranges that are tried around damage, and in a row without one row found; each costs two failing reads. */
const MAX_RANGES = 2000;
const MAX_FRUITLESS = 256;
export const ROWID = "rowid";

/** Row ids from `low` to `high`. */
export interface RowRange {
  readonly low: bigint;
  readonly high: bigint;
}

/**
 * Rows by ascending id while all is well. Where SQLite meets damage, the rest is read from the other end, and what
 * lies between is tried in ever smaller parts. `columns`: SQL of what is selected; the row's id comes with it.
 * Gives the ranges in which something is damaged; empty when nothing is.
 */
export function* reachableRows(
  file: SqliteFile,
  table: string,
  columns: string,
): Generator<SqliteRow, RowRange[]> {
  const lost: RowRange[] = [];
  let waiting: RowRange[] = [{ low: MIN_ROWID, high: MAX_ROWID }];
  for (let ranges = 0, fruitless = 0; waiting.length > 0; ) {
    const smaller: RowRange[] = [];
    for (const range of waiting) {
      fruitless++;
      const givesUp = ++ranges > MAX_RANGES || fruitless > MAX_FRUITLESS;
      const gap = givesUp ? range : yield* rowsOfRange(file, table, columns, range, () => (fruitless = 0));
      if (gap === undefined) continue;
      if (givesUp || gap.low === gap.high) lost.push(gap);
      else smaller.push(...halves(plausible(gap, file)));
    }
    waiting = smaller;
  }
  return joined(lost);
}

/** Both ends of a range up to the damage; gives what lies between. */
function* rowsOfRange(
  file: SqliteFile,
  table: string,
  columns: string,
  { low, high }: RowRange,
  count: () => void,
): Generator<SqliteRow, RowRange | undefined> {
  let [first, last] = [low, high];
  for (const direction of ["ASC", "DESC"]) {
    const sql = `SELECT ${ROWID} AS ${ROWID}, ${columns} FROM ${table} NOT INDEXED WHERE ${ROWID} BETWEEN ? AND ? ORDER BY ${ROWID} ${direction}`;
    try {
      for (const row of file.rows(sql, [first, last])) {
        const id = BigInt(row[ROWID] as number | bigint);
        if (id < first || id > last) throw SqliteError.damage("rows are out of order");
        if (direction === "ASC") first = id + 1n;
        else last = id - 1n;
        count();
        yield row;
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof SqliteError)) throw error;
      file.damage(`table ${table}`, error);
      if (first > last) return undefined;
    }
  }
  return { low: first, high: last };
}

/** SQLite numbers rows from 1; where no row tells more, there are not more of them than the file has bytes. */
function plausible({ low, high }: RowRange, file: SqliteFile): RowRange {
  const from = low === MIN_ROWID ? 1n : low;
  const to = high === MAX_ROWID ? from + BigInt(file.size) : high;
  return from <= to && to <= high ? { low: from, high: to } : { low, high };
}

function halves({ low, high }: RowRange): RowRange[] {
  const middle = low + (high - low) / 2n;
  const upper = { low: middle + 1n, high };
  return upper.low > high ? [{ low, high }] : [{ low, high: middle }, upper];
}

/** In order, those that touch as one. */
function joined(ranges: RowRange[]): RowRange[] {
  const result: RowRange[] = [];
  for (const range of ranges.sort((a, b) => (a.low < b.low ? -1 : 1))) {
    const before = result.at(-1);
    if (before === undefined || before.high + 1n < range.low) result.push(range);
    else result[result.length - 1] = { low: before.low, high: range.high };
  }
  return result;
}
