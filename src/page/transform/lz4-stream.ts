import { copyLiterals, copyMatch, viewOf } from "./copy.js";
import { badStream, checkRatio } from "./faults.js";
import { findMatches } from "./matches.js";

const NAME = "lz4";
/** Each byte of a length adds at most 255. */
const MAX_RATIO = 255;
const MIN_MATCH = 4;
const MAX_OFFSET = 0xffff;
/** Every block ends with this many literals, unless it has no match at all. */
const LAST_LITERALS = 5;
/** Encoders start no match later than this before the end. */
const LAST_MATCH_START = 12;
const LONG = 15;

/**
 * Inflates one LZ4 block to exactly `length` bytes behind `headroom` zero bytes. `partial`: the block holds more than
 * that, and what follows is not looked at.
 */
export function decodeLz4Block(
  stream: Uint8Array,
  length: number,
  headroom: number,
  partial: boolean,
): Uint8Array {
  checkRatio(NAME, stream.length, length, MAX_RATIO);
  const out = new Uint8Array(headroom + length);
  const source = viewOf(stream);
  const view = viewOf(out);
  const end = stream.length;
  let pos = 0;
  let op = headroom;
  while (pos < end) {
    const sequence = pos;
    const token = stream[pos++]!;
    let count = token >>> 4;
    if (count === LONG) {
      const extra = longLength(stream, pos);
      count += extra;
      pos += Math.floor(extra / 255) + 1;
    }
    if (count > end - pos) throw badStream(NAME, "literals reach past the end", sequence);
    if (count > out.length - op) {
      if (!partial) throw badStream(NAME, "more output than announced", sequence);
      count = out.length - op;
    }
    copyLiterals(out, view, op, stream, source, pos, count);
    pos += count;
    op += count;
    if (pos === end || (partial && op === out.length)) break;

    if (end - pos < 2) throw badStream(NAME, "a match offset is cut off", sequence);
    const offset = stream[pos]! | (stream[pos + 1]! << 8);
    pos += 2;
    if (offset === 0 || offset > op - headroom)
      throw badStream(NAME, "a match from before the start", sequence);
    let match = (token & 15) + MIN_MATCH;
    if ((token & 15) === LONG) {
      const extra = longLength(stream, pos);
      match += extra;
      pos += Math.floor(extra / 255) + 1;
    }
    if (match > out.length - op - (partial ? 0 : LAST_LITERALS)) {
      if (!partial) throw badStream(NAME, "a match reaches into the last literals", sequence);
      match = out.length - op;
    }
    copyMatch(out, view, op, offset, match);
    op += match;
    if (partial && op === out.length) return out;
    if (pos === end) throw badStream(NAME, "ends with a match", sequence);
  }
  if (op !== out.length) throw badStream(NAME, "less output than announced", end);
  return out;
}

/** The bytes that follow a 15: all but the last are 255. */
function longLength(stream: Uint8Array, start: number): number {
  let sum = 0;
  for (let pos = start; pos < stream.length; pos++) {
    sum += stream[pos]!;
    if (stream[pos]! !== 255) return sum;
  }
  throw badStream(NAME, "a length is cut off", start);
}

export function encodeLz4Block(plain: Uint8Array): Uint8Array {
  const out = new Uint8Array(32 + plain.length + Math.ceil(plain.length / 128));
  let op = 0;
  const putLong = (value: number): void => {
    let rest = value - LONG;
    for (; rest >= 255; rest -= 255) out[op++] = 255;
    out[op++] = rest;
  };
  const limits = { maxOffset: MAX_OFFSET, tailStart: LAST_MATCH_START, tailLiterals: LAST_LITERALS };
  findMatches(plain, limits, (from, to, offset, length) => {
    const count = to - from;
    const extra = length - MIN_MATCH;
    out[op++] = (Math.min(count, LONG) << 4) | (length === 0 ? 0 : Math.min(extra, LONG));
    if (count >= LONG) putLong(count);
    out.set(plain.subarray(from, to), op);
    op += count;
    if (length === 0) return;
    out[op++] = offset & 0xff;
    out[op++] = offset >>> 8;
    if (extra >= LONG) putLong(extra);
  });
  return out.slice(0, op);
}
