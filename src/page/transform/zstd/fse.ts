import { badStream } from "../faults.js";
import { bitsAt, block, NAME } from "./bits.js";

/** Finite state entropy tables: RFC 8878 §4.1. */

/** A decoding table. An entry is the state's baseline << 16 | bits to read << 8 | symbol. */
export interface FseTable {
  entries: Int32Array;
  /** log2 of the number of states. */
  log: number;
}

const MIN_LOG = 5;
const counts = new Int16Array(256);
const next = new Uint16Array(256);

export function newTable(maxLog: number): FseTable {
  return { entries: new Int32Array(1 << maxLog), log: 0 };
}

/** One symbol, no bits: the table of a run. */
export function fillRun(table: FseTable, symbol: number): void {
  table.log = 0;
  table.entries[0] = symbol;
}

/** Reads the description at `block[start, end)` and builds the table. Returns where the description ends. */
export function readTable(
  table: FseTable,
  start: number,
  end: number,
  maxLog: number,
  maxSymbol: number,
): number {
  if (start >= end) throw badStream(NAME, "a table is cut off", 0);
  const log = (block[start]! & 15) + MIN_LOG;
  if (log > maxLog) throw badStream(NAME, "a table is too large", 0);
  let at = start * 8 + 4;
  let left = (1 << log) + 1;
  let symbol = 0;
  while (left > 1) {
    if (symbol > maxSymbol) throw badStream(NAME, "a table has too many symbols", 0);
    if (at >= end * 8) throw badStream(NAME, "a table is cut off", 0);
    const size = 32 - Math.clz32(left);
    const small = (1 << size) - 1 - left;
    const low = bitsAt(at, size - 1);
    let value = low;
    if (low < small) at += size - 1;
    else {
      value = bitsAt(at, size);
      if (value >= 1 << (size - 1)) value -= small;
      at += size;
    }
    const count = value - 1;
    left -= Math.abs(count);
    counts[symbol++] = count;
    if (count !== 0) continue;
    for (let zeros = 3; zeros === 3; at += 2) {
      if (at >= end * 8) throw badStream(NAME, "a table is cut off", 0);
      zeros = bitsAt(at, 2);
      if (symbol + zeros > maxSymbol + 1) throw badStream(NAME, "a table has too many symbols", 0);
      counts.fill(0, symbol, symbol + zeros);
      symbol += zeros;
    }
  }
  const stop = (at + 7) >> 3;
  if (left !== 1 || stop > end) throw badStream(NAME, "a table is damaged", 0);
  buildTable(table, counts.subarray(0, symbol), log);
  return stop;
}

/** Spreads the symbols over the states. A count of -1 means less than one: a single state that reads all bits. */
export function buildTable(table: FseTable, distribution: Int16Array, log: number): void {
  const { entries } = table;
  const size = 1 << log;
  table.log = log;
  let high = size - 1;
  for (let symbol = 0; symbol < distribution.length; symbol++) {
    next[symbol] = Math.abs(distribution[symbol]!);
    if (distribution[symbol] === -1) entries[high--] = symbol;
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  for (let symbol = 0; symbol < distribution.length; symbol++) {
    for (let i = 0; i < distribution[symbol]!; i++) {
      entries[at] = symbol;
      do at = (at + step) & (size - 1);
      while (at > high);
    }
  }
  for (let state = 0; state < size; state++) {
    const symbol = entries[state]!;
    const own = next[symbol]!++;
    const bits = log - (31 - Math.clz32(own));
    entries[state] = (((own << bits) - size) << 16) | (bits << 8) | symbol;
  }
}
