import { copyLiterals, copyMatch, viewOf } from "./copy.js";
import { badStream, checkRatio, wrongLength } from "./faults.js";
import { findMatches } from "./matches.js";
import type { StreamCodec } from "./types.js";

const NAME = "snappy";
/** A copy of 64 bytes takes 3: nothing inflates further. */
const MAX_RATIO = 22;
const MAX_OFFSET = 0xffff;
const MAX_COPY = 64;

/** Snappy's raw block format, bounded in time and memory whatever the bytes are. */
export const snappyStream: StreamCodec = {
  implementation: "built-in",
  decode(stream, expectedLength, headroom) {
    const body = checkSnappyLength(stream, expectedLength);
    const out = new Uint8Array(headroom + expectedLength);
    decodeElements(stream, body, out, headroom);
    return out;
  },
  encode: encodeSnappy,
};

/** Where the elements start, after the length in front of them has proved to be `expectedLength`. */
export function checkSnappyLength(stream: Uint8Array, expectedLength: number): number {
  let length = 0;
  for (let i = 0; i < 5 && i < stream.length; i++) {
    length += (stream[i]! & 0x7f) * 2 ** (7 * i);
    if (stream[i]! >= 0x80) continue;
    if (length !== expectedLength) throw wrongLength(NAME, expectedLength, length);
    checkRatio(NAME, stream.length, expectedLength, MAX_RATIO);
    return i + 1;
  }
  throw badStream(NAME, "the length in front is not a varint", 0);
}

function decodeElements(stream: Uint8Array, start: number, out: Uint8Array, base: number): void {
  const source = viewOf(stream);
  const view = viewOf(out);
  const end = stream.length;
  let pos = start;
  let op = base;
  while (pos < end) {
    const element = pos;
    const tag = stream[pos++]!;
    const kind = tag & 3;
    let length = (tag >>> 2) + 1;
    if (kind === 0) {
      if (length > 60) {
        const size = length - 60;
        if (size > end - pos) throw badStream(NAME, "a literal's length is cut off", element);
        length = littleEndian(stream, pos, size) + 1;
        pos += size;
      }
      if (length > end - pos) throw badStream(NAME, "a literal reaches past the end", element);
      if (length > out.length - op) throw badStream(NAME, "more output than announced", element);
      copyLiterals(out, view, op, stream, source, pos, length);
      pos += length;
    } else {
      const size = kind === 3 ? 4 : kind;
      if (size > end - pos) throw badStream(NAME, "a copy's offset is cut off", element);
      let offset: number;
      if (kind === 1) {
        length = ((tag >>> 2) & 7) + 4;
        offset = stream[pos]! | ((tag >>> 5) << 8);
      } else offset = kind === 2 ? source.getUint16(pos, true) : source.getUint32(pos, true);
      pos += size;
      if (offset === 0 || offset > op - base) throw badStream(NAME, "a copy from before the start", element);
      if (length > out.length - op) throw badStream(NAME, "more output than announced", element);
      copyMatch(out, view, op, offset, length);
    }
    op += length;
  }
  if (op !== out.length) throw badStream(NAME, "less output than announced", end);
}

function littleEndian(bytes: Uint8Array, at: number, size: number): number {
  let value = bytes[at]!;
  if (size > 1) value |= bytes[at + 1]! << 8;
  if (size > 2) value |= bytes[at + 2]! << 16;
  if (size > 3) value |= bytes[at + 3]! << 24;
  return value >>> 0;
}

function encodeSnappy(plain: Uint8Array): Uint8Array {
  const out = new Uint8Array(16 + plain.length + Math.ceil(plain.length / 6));
  let op = 0;
  let rest = plain.length;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out[op++] = (rest % 0x80) | 0x80;
  out[op++] = rest;
  findMatches(plain, { maxOffset: MAX_OFFSET }, (from, to, offset, length) => {
    if (to > from) op = putLiteral(out, op, plain.subarray(from, to));
    for (let left = length; left > 0; ) {
      const step = Math.min(left, MAX_COPY);
      out[op++] = ((step - 1) << 2) | 2;
      out[op++] = offset & 0xff;
      out[op++] = offset >>> 8;
      left -= step;
    }
  });
  return out.slice(0, op);
}

function putLiteral(out: Uint8Array, at: number, literal: Uint8Array): number {
  const count = literal.length - 1;
  const size = count < 60 ? 0 : count < 0x100 ? 1 : count < 0x10000 ? 2 : count < 0x1000000 ? 3 : 4;
  let op = at;
  out[op++] = (size === 0 ? count : 59 + size) << 2;
  for (let i = 0; i < size; i++) out[op++] = (count >>> (8 * i)) & 0xff;
  out.set(literal, op);
  return op + literal.length;
}
