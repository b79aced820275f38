import { badStream, checkRatio } from "./faults.js";
import {
  DISTANCE_BASE,
  DISTANCE_BITS,
  fixedLiteralLengths,
  inflateRaw,
  LENGTH_BASE,
  LENGTH_BITS,
} from "./inflate.js";
import { findMatches } from "./matches.js";
import { reversed } from "./prefix-codes.js";
import type { StreamCodec } from "./types.js";

/** The zlib wrapper (RFC 1950) around deflate. */

const NAME = "zlib";
/** A match of 258 bytes takes two bits. */
const MAX_RATIO = 1032;
const HEADER_SIZE = 2;
const MAX_DISTANCE = 0x8000;
const MAX_LENGTH = 258;
const MIN_LENGTH = 3;

export const zlibStream: StreamCodec = {
  implementation: "built-in",
  decode(stream, expectedLength, headroom) {
    checkZlibHeader(stream, expectedLength);
    const { out, next } = inflateRaw(stream, HEADER_SIZE, expectedLength, headroom);
    if (stream.length - next < 4) throw badStream(NAME, "the checksum is cut off", next);
    const stored = new DataView(stream.buffer, stream.byteOffset + next).getUint32(0);
    if (stored !== adler32(out, headroom)) throw badStream(NAME, "checksum mismatch", next);
    return out;
  },
  encode: encodeZlib,
};

/** Refuses what zlib would refuse before the first block, and lengths no stream of this size can have. */
export function checkZlibHeader(stream: Uint8Array, expectedLength: number): void {
  if (!hasZlibHeader(stream)) throw badStream(NAME, "not a zlib header", 0);
  checkRatio(NAME, stream.length, expectedLength, MAX_RATIO);
}

export function hasZlibHeader(stream: Uint8Array): boolean {
  if (stream.length < HEADER_SIZE) return false;
  const [method, flags] = [stream[0]!, stream[1]!];
  const hasDictionary = (flags & 0x20) !== 0;
  return (method & 15) === 8 && method >>> 4 <= 7 && ((method << 8) | flags) % 31 === 0 && !hasDictionary;
}

function adler32(bytes: Uint8Array, start: number): number {
  let a = 1;
  let b = 0;
  for (let at = start; at < bytes.length; ) {
    const stop = Math.min(at + 3800, bytes.length); // the sums stay below 2^31
    for (; at < stop; at++) {
      a += bytes[at]!;
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return ((b << 16) | a) >>> 0;
}

/** One block with the fixed codes: simple, and correct everywhere; a native encoder compresses better. */
function encodeZlib(plain: Uint8Array): Uint8Array {
  const out = new Uint8Array(16 + Math.ceil((plain.length * 9) / 8));
  out.set([0x78, 0x01]);
  let op = HEADER_SIZE;
  let bits = 0;
  let count = 0;
  const put = (value: number, size: number): void => {
    bits |= value << count;
    for (count += size; count >= 8; count -= 8) {
      out[op++] = bits & 0xff;
      bits >>>= 8;
    }
  };
  const putSymbol = (symbol: number): void => put(FIXED.words[symbol]!, FIXED.lengths[symbol]!);
  put(1, 1);
  put(1, 2);
  findMatches(plain, { maxOffset: MAX_DISTANCE }, (from, to, offset, length) => {
    for (let i = from; i < to; i++) putSymbol(plain[i]!);
    for (let left = length; left > 0; ) {
      const step =
        left > MAX_LENGTH && left < MAX_LENGTH + MIN_LENGTH ? left - MIN_LENGTH : Math.min(left, MAX_LENGTH);
      const code = codeFor(LENGTH_BASE, step);
      putSymbol(257 + code);
      put(step - LENGTH_BASE[code]!, LENGTH_BITS[code]!);
      const distance = codeFor(DISTANCE_BASE, offset);
      put(reversed(distance, 5), 5);
      put(offset - DISTANCE_BASE[distance]!, DISTANCE_BITS[distance]!);
      left -= step;
    }
  });
  putSymbol(256);
  put(0, 7);
  new DataView(out.buffer).setUint32(op, adler32(plain, 0));
  return out.slice(0, op + 4);
}

/** The last code whose base does not exceed `value`. */
function codeFor(bases: readonly number[], value: number): number {
  let code = bases.length - 1;
  while (bases[code]! > value) code -= 1;
  return code;
}

const FIXED = fixedWords(fixedLiteralLengths());

function fixedWords(lengths: Uint8Array): { words: Uint16Array; lengths: Uint8Array } {
  const words = new Uint16Array(lengths.length);
  let word = 0;
  for (let length = 7; length <= 9; length++) {
    lengths.forEach((own, symbol) => {
      if (own === length) words[symbol] = reversed(word++, length);
    });
    word <<= 1;
  }
  return { words, lengths };
}
