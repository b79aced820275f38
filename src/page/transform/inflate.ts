import { copyMatch, viewOf } from "./copy.js";
import { badStream, wrongLength } from "./faults.js";
import { buildPrefixCode, FAST_BITS, newPrefixCode, type PrefixCode } from "./prefix-codes.js";

/** Deflate (RFC 1951) into a buffer that grows with real output and never beyond what was promised. */

const NAME = "zlib";
const FAST_MASK = (1 << FAST_BITS) - 1;
const END_OF_BLOCK = 256;
const FIRST_GUESS_RATIO = 8;
/** The most one step of the hot loop reads and writes. In bytes. */
const FAST_INPUT = 6;
const FAST_OUTPUT = 258;

// biome-ignore format: tables
export const LENGTH_BASE = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
// biome-ignore format: tables
export const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
// biome-ignore format: tables
export const DISTANCE_BASE = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
// biome-ignore format: tables
export const DISTANCE_BITS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
// biome-ignore format: tables
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

const lengthBase = Uint16Array.from(LENGTH_BASE);
const lengthBits = Uint8Array.from(LENGTH_BITS);
const distanceBase = Uint16Array.from(DISTANCE_BASE);
const distanceBits = Uint8Array.from(DISTANCE_BITS);

/** Lengths of the fixed literal code: RFC 1951 §3.2.6. */
export function fixedLiteralLengths(): Uint8Array {
  return new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280);
}

export interface Inflated {
  /** `headroom` zero bytes and the output. */
  out: Uint8Array;
  /** Index behind the last byte of the stream. */
  next: number;
}

/** Inflates the deflate stream at `start` to exactly `length` bytes. */
export function inflateRaw(stream: Uint8Array, start: number, length: number, headroom: number): Inflated {
  const state = new Inflater(stream, start, length, headroom);
  let last = false;
  while (!last) {
    last = state.take(1) === 1;
    const kind = state.take(2);
    if (kind === 0) state.stored();
    else if (kind === 1) state.codes(fixedLiterals(), fixedDistances());
    else if (kind === 2) state.dynamic();
    else throw badStream(NAME, "unknown block type", state.pos);
  }
  return state.finish();
}

class Inflater {
  pos: number;
  private bits = 0;
  private count = 0;
  private op: number;
  private out: Uint8Array;
  private view: DataView;
  private readonly limit: number;
  private readonly source: DataView;

  constructor(
    private readonly stream: Uint8Array,
    start: number,
    length: number,
    private readonly headroom: number,
  ) {
    this.pos = start;
    this.source = viewOf(stream);
    this.op = headroom;
    this.limit = headroom + length;
    this.out = new Uint8Array(headroom + Math.min(length, 1024 + stream.length * FIRST_GUESS_RATIO));
    this.view = viewOf(this.out);
  }

  /** The next `n` bits, at most 16. */
  take(n: number): number {
    while (this.count < n) {
      if (this.pos >= this.stream.length) throw badStream(NAME, "ends early", this.pos);
      this.bits |= this.stream[this.pos++]! << this.count;
      this.count += 8;
    }
    const value = this.bits & ((1 << n) - 1);
    this.bits >>>= n;
    this.count -= n;
    return value;
  }

  finish(): Inflated {
    const length = this.limit - this.headroom;
    if (this.op !== this.limit) throw wrongLength(NAME, length, this.op - this.headroom);
    return { out: this.out, next: this.pos - (this.count >>> 3) };
  }

  stored(): void {
    this.pos -= this.count >>> 3;
    this.bits = this.count = 0;
    const length = this.take(16);
    if ((length ^ this.take(16)) !== 0xffff)
      throw badStream(NAME, "stored length and its copy differ", this.pos);
    if (length > this.stream.length - this.pos) throw badStream(NAME, "ends early", this.stream.length);
    this.makeRoom(length);
    this.out.set(this.stream.subarray(this.pos, this.pos + length), this.op);
    this.pos += length;
    this.op += length;
  }

  dynamic(): void {
    const literals = this.take(5) + 257;
    const distances = this.take(5) + 1;
    const count = this.take(4) + 4;
    if (literals > 286 || distances > 30) throw badStream(NAME, "too many symbols", this.pos);
    const lengths = new Uint8Array(320);
    for (let i = 0; i < count; i++) lengths[LENGTH_ORDER[i]!] = this.take(3);
    if (buildPrefixCode(lengthCode, lengths.subarray(0, 19)) !== "complete") {
      throw badStream(NAME, "bad code lengths", this.pos);
    }
    this.readLengths(lengths, literals + distances);
    if (lengths[END_OF_BLOCK] === 0) throw badStream(NAME, "no end-of-block code", this.pos);
    for (const [code, from, to] of [
      [literalCode, 0, literals],
      [distanceCode, literals, literals + distances],
    ] as const) {
      const completeness = buildPrefixCode(code, lengths.subarray(from, to));
      if (completeness !== "complete" && completeness !== "single") {
        throw badStream(NAME, `${completeness} prefix code`, this.pos);
      }
    }
    this.codes(literalCode, distanceCode);
  }

  private readLengths(lengths: Uint8Array, total: number): void {
    lengths.fill(0);
    for (let at = 0; at < total; ) {
      const symbol = this.symbol(lengthCode);
      if (symbol < 16) {
        lengths[at++] = symbol;
        continue;
      }
      if (symbol === 16 && at === 0) throw badStream(NAME, "repeats a length before the first", this.pos);
      const value = symbol === 16 ? lengths[at - 1]! : 0;
      const times = symbol === 16 ? 3 + this.take(2) : symbol === 17 ? 3 + this.take(3) : 11 + this.take(7);
      if (times > total - at) throw badStream(NAME, "too many code lengths", this.pos);
      lengths.fill(value, at, at + times);
      at += times;
    }
  }

  /** One symbol, as far as needed bit by bit: for the few symbols outside of the hot loop. */
  private symbol(code: PrefixCode): number {
    let word = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= 15; length++) {
      word |= this.take(1);
      const count = code.counts[length]!;
      if (word - first < count) return code.symbols[index + word - first]!;
      index += count;
      first = (first + count) << 1;
      word <<= 1;
    }
    throw badStream(NAME, "unused code", this.pos);
  }

  /** Literals and matches until the end of the block. */
  codes(literals: PrefixCode, distances: PrefixCode): void {
    while (!this.fastCodes(literals.fast, distances.fast) && !this.oneCode(literals, distances));
  }

  /** One literal or match with every check. True at the end of the block. */
  private oneCode(literals: PrefixCode, distances: PrefixCode): boolean {
    const symbol = this.symbol(literals);
    if (symbol === END_OF_BLOCK) return true;
    if (symbol < END_OF_BLOCK) {
      this.makeRoom(1);
      this.out[this.op++] = symbol;
      return false;
    }
    const code = symbol - END_OF_BLOCK - 1;
    if (code >= lengthBase.length) throw badStream(NAME, "unknown length", this.pos);
    const length = lengthBase[code]! + this.take(lengthBits[code]!);
    const step = this.symbol(distances);
    if (step >= distanceBase.length) throw badStream(NAME, "unknown distance", this.pos);
    const distance = distanceBase[step]! + this.take(distanceBits[step]!);
    if (distance > this.op - this.headroom) throw badStream(NAME, "a match from before the start", this.pos);
    this.makeRoom(length);
    copyMatch(this.out, this.view, this.op, distance, length);
    this.op += length;
    return false;
  }

  /**
   * The hot loop: short codes only, and only where neither input nor output can end within a step. Stops before
   * anything else, which `oneCode` then judges. True at the end of the block.
   */
  private fastCodes(literals: Uint16Array, distances: Uint16Array): boolean {
    const { out, view, source, headroom } = this;
    const lastIn = this.stream.length - FAST_INPUT;
    const lastOut = out.length - FAST_OUTPUT;
    let { pos, op, bits, count } = this;
    let ended = false;
    while (pos <= lastIn && op <= lastOut) {
      if (count < 16) {
        bits |= source.getUint16(pos, true) << count;
        pos += 2;
        count += 16;
      }
      const entry = literals[bits & FAST_MASK]!;
      if (entry === 0) break;
      const symbol = entry >>> 4;
      let used = entry & 15;
      if (symbol < END_OF_BLOCK) {
        out[op++] = symbol;
        bits >>>= used;
        count -= used;
        continue;
      }
      if (symbol === END_OF_BLOCK) {
        bits >>>= used;
        count -= used;
        ended = true;
        break;
      }
      const code = symbol - END_OF_BLOCK - 1;
      if (code >= lengthBase.length) break;
      const length = lengthBase[code]! + ((bits >>> used) & ((1 << lengthBits[code]!) - 1));
      used += lengthBits[code]!;
      let rest = bits >>> used;
      let left = count - used;
      let next = pos;
      if (left < 16) {
        rest |= source.getUint16(next, true) << left;
        next += 2;
        left += 16;
      }
      const step = distances[rest & FAST_MASK]!;
      if (step === 0 || step >>> 4 >= distanceBase.length) break;
      rest >>>= step & 15;
      left -= step & 15;
      if (left < 16) {
        rest |= source.getUint16(next, true) << left;
        next += 2;
        left += 16;
      }
      const extra = distanceBits[step >>> 4]!;
      const distance = distanceBase[step >>> 4]! + (rest & ((1 << extra) - 1));
      if (distance > op - headroom) break;
      copyMatch(out, view, op, distance, length);
      op += length;
      bits = rest >>> extra;
      count = left - extra;
      pos = next;
    }
    this.pos = pos;
    this.op = op;
    this.bits = bits;
    this.count = count;
    return ended;
  }

  /** Grows the buffer by doubling, up to the promised length. */
  private makeRoom(more: number): void {
    const needed = this.op + more;
    if (needed > this.limit) {
      const length = this.limit - this.headroom;
      throw wrongLength(NAME, length, `more than ${length}`);
    }
    if (needed <= this.out.length) return;
    const grown = new Uint8Array(Math.min(this.limit, Math.max(needed, this.out.length * 2)));
    grown.set(this.out.subarray(0, this.op));
    this.out = grown;
    this.view = viewOf(grown);
  }
}

const lengthCode = newPrefixCode(19);
const literalCode = newPrefixCode(288);
const distanceCode = newPrefixCode(32);

let fixedLiteralCode: PrefixCode | undefined;
let fixedDistanceCode: PrefixCode | undefined;

function fixedLiterals(): PrefixCode {
  if (!fixedLiteralCode) {
    fixedLiteralCode = newPrefixCode(288);
    buildPrefixCode(fixedLiteralCode, fixedLiteralLengths());
  }
  return fixedLiteralCode;
}

function fixedDistances(): PrefixCode {
  if (!fixedDistanceCode) {
    fixedDistanceCode = newPrefixCode(32);
    buildPrefixCode(fixedDistanceCode, new Uint8Array(32).fill(5));
  }
  return fixedDistanceCode;
}
