import { copyLiterals, copyMatch } from "../copy.js";
import { badStream } from "../faults.js";
import { backwardStart, bitsAt, block, NAME } from "./bits.js";
import { buildTable, type FseTable, fillRun, newTable, readTable } from "./fse.js";
import type { Literals } from "./literals.js";

/** Sequences: how literals and matches alternate. RFC 8878 §3.1.1.3.2 and §3.1.1.4. */

// biome-ignore format: tables
const LITERAL_BASE = Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536);
// biome-ignore format: tables
const LITERAL_BITS = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
// biome-ignore format: tables
const MATCH_BASE = Int32Array.of(3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539);
// biome-ignore format: tables
const MATCH_BITS = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);

/** One of the three alphabets of a sequence. */
interface Alphabet {
  maxLog: number;
  maxSymbol: number;
  defaultLog: number;
  /** Counts of the predefined table. */
  defaults: Int16Array;
}

// biome-ignore format: tables
const LITERALS: Alphabet = {
  maxLog: 9, maxSymbol: 35, defaultLog: 6,
  defaults: Int16Array.of(4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1),
};
// biome-ignore format: tables
const OFFSETS: Alphabet = {
  maxLog: 8, maxSymbol: 31, defaultLog: 5,
  defaults: Int16Array.of(1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1),
};
// biome-ignore format: tables
const MATCHES: Alphabet = {
  maxLog: 9, maxSymbol: 52, defaultLog: 6,
  defaults: Int16Array.of(1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1),
};

/** What a frame's blocks hand on to the next: tables that may be repeated, and the three last offsets. */
export interface SequenceState {
  literals: FseTable;
  offsets: FseTable;
  matches: FseTable;
  /** Whether there are tables to repeat. */
  known: boolean;
  recent: Int32Array;
}

export function newSequenceState(): SequenceState {
  return {
    literals: newTable(LITERALS.maxLog),
    offsets: newTable(OFFSETS.maxLog),
    matches: newTable(MATCHES.maxLog),
    known: false,
    recent: new Int32Array(3),
  };
}

export function resetSequenceState(state: SequenceState): void {
  state.known = false;
  state.recent.set([1, 4, 8]);
}

/** How many sequences, and where their tables and bits begin. */
export function readSequenceCount(start: number, end: number): { count: number; next: number } {
  if (start >= end) throw badStream(NAME, "the sequence count is cut off", 0);
  const head = block[start]!;
  const size = head < 128 ? 1 : head < 255 ? 2 : 3;
  if (start + size > end) throw badStream(NAME, "the sequence count is cut off", 0);
  let count = head;
  if (size === 2) count = ((head - 128) << 8) + block[start + 1]!;
  if (size === 3) count = block[start + 1]! + (block[start + 2]! << 8) + 0x7f00;
  return { count, next: start + size };
}

/** Reads the three tables of a block. Returns where its bits begin. */
export function readSequenceTables(state: SequenceState, start: number, end: number): number {
  if (start >= end) throw badStream(NAME, "sequence modes are cut off", 0);
  const modes = block[start]!;
  if ((modes & 3) !== 0) throw badStream(NAME, "reserved sequence modes", 0);
  let at = readMode(state, state.literals, LITERALS, modes >> 6, start + 1, end);
  at = readMode(state, state.offsets, OFFSETS, (modes >> 4) & 3, at, end);
  at = readMode(state, state.matches, MATCHES, (modes >> 2) & 3, at, end);
  state.known = true;
  return at;
}

function readMode(
  state: SequenceState,
  table: FseTable,
  alphabet: Alphabet,
  mode: number,
  start: number,
  end: number,
): number {
  if (mode === 0) buildTable(table, alphabet.defaults, alphabet.defaultLog);
  if (mode === 2) return readTable(table, start, end, alphabet.maxLog, alphabet.maxSymbol);
  if (mode === 3 && !state.known) throw badStream(NAME, "repeats a table before the first", 0);
  if (mode !== 1) return start;
  if (start >= end || block[start]! > alphabet.maxSymbol) throw badStream(NAME, "bad run symbol", 0);
  fillRun(table, block[start]!);
  return start + 1;
}

/** Where literals come from and output goes to. */
export interface Copying {
  out: Uint8Array;
  view: DataView;
  /** Index of the frame's first output byte: nothing reaches further back. */
  origin: number;
  /** Where this block's output starts and must end at the latest. */
  at: number;
  limit: number;
  literals: Literals;
}

/** Runs `count` sequences from the bits in `block[start, end)`. Returns where the output ends. */
export function runSequences(
  state: SequenceState,
  count: number,
  start: number,
  end: number,
  copying: Copying,
): number {
  const { out, view, origin, limit } = copying;
  const { bytes: literals, view: literalsView, end: literalsEnd } = copying.literals;
  const { recent } = state;
  const literalEntries = state.literals.entries;
  const offsetEntries = state.offsets.entries;
  const matchEntries = state.matches.entries;
  const floor = start * 8;
  let at = backwardStart(start, end) - state.literals.log;
  let literalState = bitsAt(at, state.literals.log);
  at -= state.offsets.log;
  let offsetState = bitsAt(at, state.offsets.log);
  at -= state.matches.log;
  let matchState = bitsAt(at, state.matches.log);
  let from = copying.literals.from;
  let op = copying.at;

  for (let left = count; ; ) {
    if (at < floor) throw badStream(NAME, "sequences are cut off", 0);
    const literalEntry = literalEntries[literalState]!;
    const offsetEntry = offsetEntries[offsetState]!;
    const matchEntry = matchEntries[matchState]!;

    const offsetCode = offsetEntry & 255;
    at -= offsetCode;
    if (at < floor) throw badStream(NAME, "sequences are cut off", 0);
    let offset = offsetCode > 24 ? wideOffset(at, offsetCode) : (1 << offsetCode) + bitsAt(at, offsetCode);
    const matchCode = matchEntry & 255;
    at -= MATCH_BITS[matchCode]!;
    const match = MATCH_BASE[matchCode]! + bitsAt(at, MATCH_BITS[matchCode]!);
    const literalCode = literalEntry & 255;
    at -= LITERAL_BITS[literalCode]!;
    if (at < floor) throw badStream(NAME, "sequences are cut off", 0);
    const length = LITERAL_BASE[literalCode]! + bitsAt(at, LITERAL_BITS[literalCode]!);

    if (offset > 3) {
      offset -= 3;
      recent[2] = recent[1]!;
      recent[1] = recent[0]!;
      recent[0] = offset;
    } else offset = recentOffset(recent, length === 0 ? offset : offset - 1);

    if (length > literalsEnd - from) throw badStream(NAME, "sequences use more literals than there are", 0);
    if (length + match > limit - op) throw badStream(NAME, "a block inflates to more than announced", 0);
    copyLiterals(out, view, op, literals, literalsView, from, length);
    op += length;
    from += length;
    if (offset > op - origin) throw badStream(NAME, "a match from before the start", 0);
    copyMatch(out, view, op, offset, match);
    op += match;

    if (--left === 0) break;
    let size = (literalEntry >>> 8) & 255;
    at -= size;
    literalState = (literalEntry >>> 16) + bitsAt(at, size);
    size = (matchEntry >>> 8) & 255;
    at -= size;
    matchState = (matchEntry >>> 16) + bitsAt(at, size);
    size = (offsetEntry >>> 8) & 255;
    at -= size;
    offsetState = (offsetEntry >>> 16) + bitsAt(at, size);
  }
  if (at !== floor) throw badStream(NAME, "sequences do not use up their bits", 0);
  if (literalsEnd - from > limit - op) throw badStream(NAME, "a block inflates to more than announced", 0);
  copyLiterals(out, view, op, literals, literalsView, from, literalsEnd - from);
  return op + (literalsEnd - from);
}

/** Offset codes above 24 bits; such an offset never fits a page, but must be read right to say so. */
function wideOffset(at: number, code: number): number {
  return 2 ** code + bitsAt(at + 16, code - 16) * 0x10000 + bitsAt(at, 16);
}

/** `index`: 0..2 one of the recent offsets, 3 the most recent less one. The one used moves to the front. */
function recentOffset(recent: Int32Array, index: number): number {
  if (index === 0) return recent[0]!;
  const offset = index === 3 ? recent[0]! - 1 : recent[index]!;
  if (offset === 0) throw badStream(NAME, "an offset of zero", 0);
  if (index !== 1) recent[2] = recent[1]!;
  recent[1] = recent[0]!;
  recent[0] = offset;
  return offset;
}
