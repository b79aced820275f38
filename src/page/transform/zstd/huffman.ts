import { badStream } from "../faults.js";
import { backwardStart, bitsAt, block, blockView, NAME } from "./bits.js";
import { newTable, readTable } from "./fse.js";

/** Prefix codes of literals: RFC 8878 §4.2. */

const MAX_CODE_BITS = 12; // the format says 11, the engine's library takes 12
const MAX_WEIGHTS = 255;
const WEIGHT_TABLE_LOG = 6;
/** Bits looked at by one load: two codes. */
const LOAD_BITS = 25;

/** Indexed by the next `bits` bits: symbol << 8 | length of its code. */
export interface HuffmanTable {
  entries: Uint16Array;
  /** Length of the longest code, 0 while there is no table. */
  bits: number;
}

export function newHuffmanTable(): HuffmanTable {
  return { entries: new Uint16Array(1 << MAX_CODE_BITS), bits: 0 };
}

const weights = new Uint8Array(256);
const weightTable = newTable(WEIGHT_TABLE_LOG);

/** Reads the tree description at `block[start, end)`. Returns where it ends. */
export function readHuffmanTable(table: HuffmanTable, start: number, end: number): number {
  if (start >= end) throw badStream(NAME, "a tree is cut off", 0);
  const head = block[start]!;
  const body = start + 1;
  const packed = head < 128;
  const stop = body + (packed ? head : (head - 126) >> 1);
  if (stop > end) throw badStream(NAME, "a tree is cut off", 0);
  const count = packed ? readPackedWeights(body, stop) : readPlainWeights(body, head - 127);
  buildHuffmanTable(table, count);
  return stop;
}

function readPlainWeights(start: number, count: number): number {
  for (let i = 0; i < count; i++) {
    const pair = block[start + (i >> 1)]!;
    weights[i] = i & 1 ? pair & 15 : pair >> 4;
  }
  return count;
}

/** Two states take turns until the bits run out; what the other state holds then is the last weight. */
function readPackedWeights(start: number, end: number): number {
  const body = readTable(weightTable, start, end, WEIGHT_TABLE_LOG, MAX_WEIGHTS);
  const { entries, log } = weightTable;
  const floor = body * 8;
  let at = backwardStart(body, end) - 2 * log;
  if (at < floor) throw badStream(NAME, "tree weights are cut off", 0);
  let own = bitsAt(at + log, log);
  let other = bitsAt(at, log);
  for (let count = 0; count < MAX_WEIGHTS - 1; ) {
    const entry = entries[own]!;
    weights[count++] = entry & 255;
    const size = (entry >>> 8) & 255;
    at -= size;
    if (at < floor) {
      weights[count++] = entries[other]! & 255;
      return count;
    }
    own = other;
    other = (entry >>> 16) + bitsAt(at, size);
  }
  throw badStream(NAME, "too many tree weights", 0);
}

/** The last weight is not stored: it makes the codes complete. */
function buildHuffmanTable(table: HuffmanTable, count: number): void {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    if (weights[i]! > MAX_CODE_BITS) throw badStream(NAME, "a tree weight is too large", 0);
    if (weights[i]! > 0) sum += 1 << (weights[i]! - 1);
  }
  const bits = 32 - Math.clz32(sum);
  if (sum === 0 || bits > MAX_CODE_BITS) throw badStream(NAME, "bad tree weights", 0);
  const rest = (1 << bits) - sum;
  if ((rest & (rest - 1)) !== 0) throw badStream(NAME, "tree weights do not add up", 0);
  weights[count] = 32 - Math.clz32(rest);

  const { entries } = table;
  let at = 0;
  let shortest = 0;
  for (let weight = 1; weight <= bits; weight++) {
    const span = 1 << (weight - 1);
    for (let symbol = 0; symbol <= count; symbol++) {
      if (weights[symbol] !== weight) continue;
      if (weight === 1) shortest += 1;
      entries.fill((symbol << 8) | (bits + 1 - weight), at, at + span);
      at += span;
    }
  }
  if (shortest < 2 || (shortest & 1) !== 0) throw badStream(NAME, "tree weights do not add up", 0);
  table.bits = bits;
}

/** Decodes `out[from, to)` from the stream in `block[start, end)`, which must be used up exactly. */
export function decodeHuffman(
  table: HuffmanTable,
  start: number,
  end: number,
  out: Uint8Array,
  from: number,
  to: number,
): void {
  const { entries, bits } = table;
  const mask = (1 << bits) - 1;
  const floor = start * 8;
  let at = backwardStart(start, end);
  let op = from;
  for (const pairs = to - 1; op < pairs && at >= floor; op += 2) {
    const low = at - LOAD_BITS;
    const word = blockView.getUint32(low >> 3, true) >>> (low & 7);
    const first = entries[(word >>> (LOAD_BITS - bits)) & mask]!;
    const used = first & 255;
    const second = entries[(word >>> (LOAD_BITS - bits - used)) & mask]!;
    out[op] = first >>> 8;
    out[op + 1] = second >>> 8;
    at -= used + (second & 255);
  }
  if (op < to && at >= floor) {
    const low = at - LOAD_BITS;
    const word = blockView.getUint32(low >> 3, true) >>> (low & 7);
    const entry = entries[(word >>> (LOAD_BITS - bits)) & mask]!;
    out[op++] = entry >>> 8;
    at -= entry & 255;
  }
  if (op !== to || at !== floor) throw badStream(NAME, "literals do not fit their stream", 0);
}
