/**
 * CRC32C (Castagnoli), the checksum of every block, description block and crypt page.
 * Formats: page and block headers §3.3.
 */

/** A faster CRC32C than ours, e.g. one that uses the processor's instruction. */
export interface Crc32cImplementation {
  readonly name: string;
  /** CRC32C of `bytes`; `seed` is the result over the bytes before, 0 when there are none. Unsigned. */
  update(bytes: Uint8Array, seed: number): number;
  /** Shorter ranges stay with the built-in code, where a foreign call costs more than it saves. In bytes. */
  readonly minLength?: number;
}

const POLYNOMIAL = 0x82f63b78; // reflected
const SLICES = 16;
const DEFAULT_MIN_LENGTH = 192;
/** From this length on, making a word view is paid back. In bytes. */
const WORD_VIEW_MIN = 256;
const ZEROS = new Uint8Array(4);
const HOST_IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** `T[k << 8 | b]`: what byte `b` adds to the CRC when `k` bytes follow it within a round of 16. */
const T = makeTable();

let accelerator: Crc32cImplementation | undefined;
let acceleratedFrom = Number.POSITIVE_INFINITY;

/** CRC32C of `bytes`. Incremental: `seed` is the result over the bytes before. Returns an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  if (bytes.length >= acceleratedFrom) return accelerator!.update(bytes, seed);
  return ~advance(bytes, 0, bytes.length, ~seed) >>> 0;
}

/** CRC32C of `bytes[start, end)`, the range cut to the bytes that exist. */
export function crc32cRange(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  const from = Math.max(0, start);
  const to = Math.min(end, bytes.length);
  if (to - from >= acceleratedFrom) return accelerator!.update(bytes.subarray(from, to), seed);
  return ~advance(bytes, from, to, ~seed) >>> 0;
}

/**
 * CRC32C of `bytes[start, end)` with the four bytes at `fieldOffset` (an index into `bytes`, like the others) counted
 * as zero: how every WiredTiger checksum that lies inside its own range is computed. `bytes` is not changed.
 */
export function crc32cWithZeroedField(
  bytes: Uint8Array,
  start: number,
  end: number,
  fieldOffset: number,
): number {
  const from = Math.max(0, start);
  const to = Math.min(end, bytes.length);
  const hole = Math.min(Math.max(fieldOffset, from), Math.max(to, from));
  const after = Math.min(Math.max(fieldOffset + ZEROS.length, hole), Math.max(to, hole));
  const seed = crc32cRange(bytes, from, hole);
  return crc32cRange(bytes, after, to, ~advance(ZEROS, 0, after - hole, ~seed) >>> 0);
}

/** Installs a faster implementation, or returns to the built-in one when called without. */
export function setCrc32c(implementation?: Crc32cImplementation): void {
  accelerator = implementation;
  acceleratedFrom = implementation
    ? (implementation.minLength ?? DEFAULT_MIN_LENGTH)
    : Number.POSITIVE_INFINITY;
}

/** Name of the implementation in use for long ranges. */
export function crc32cImplementation(): string {
  return accelerator?.name ?? "slicing-by-16";
}

/** Takes the inverted CRC over `bytes[start, end)`, which must exist. */
function advance(bytes: Uint8Array, start: number, end: number, crc: number): number {
  if (end - start >= WORD_VIEW_MIN && HOST_IS_LITTLE_ENDIAN) return advanceByWords(bytes, start, end, crc);
  return advanceByBytes(bytes, start, end, crc);
}

function advanceByWords(bytes: Uint8Array, start: number, end: number, crc: number): number {
  const aligned = start + (-(bytes.byteOffset + start) & 3);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + aligned, ((end - aligned) >> 4) << 2);
  const count = words.length;
  let c = advanceByBytes(bytes, start, aligned, crc);
  for (let i = 0; i < count; i += 4) {
    const w0 = words[i]! ^ c;
    const w1 = words[i + 1]!;
    const w2 = words[i + 2]!;
    const w3 = words[i + 3]!;
    // biome-ignore format: one line a word
    c = T[0xf00 | (w0 & 255)]! ^ T[0xe00 | ((w0 >>> 8) & 255)]! ^ T[0xd00 | ((w0 >>> 16) & 255)]! ^ T[0xc00 | (w0 >>> 24)]! ^
      T[0xb00 | (w1 & 255)]! ^ T[0xa00 | ((w1 >>> 8) & 255)]! ^ T[0x900 | ((w1 >>> 16) & 255)]! ^ T[0x800 | (w1 >>> 24)]! ^
      T[0x700 | (w2 & 255)]! ^ T[0x600 | ((w2 >>> 8) & 255)]! ^ T[0x500 | ((w2 >>> 16) & 255)]! ^ T[0x400 | (w2 >>> 24)]! ^
      T[0x300 | (w3 & 255)]! ^ T[0x200 | ((w3 >>> 8) & 255)]! ^ T[0x100 | ((w3 >>> 16) & 255)]! ^ T[w3 >>> 24]!;
  }
  return advanceByBytes(bytes, aligned + (count << 2), end, c);
}

function advanceByBytes(b: Uint8Array, start: number, end: number, crc: number): number {
  let c = crc;
  let i = start;
  for (; i + SLICES <= end; i += SLICES) {
    // biome-ignore format: one line a word
    c = T[0xf00 | ((b[i]! ^ c) & 255)]! ^ T[0xe00 | ((b[i + 1]! ^ (c >>> 8)) & 255)]! ^
      T[0xd00 | ((b[i + 2]! ^ (c >>> 16)) & 255)]! ^ T[0xc00 | (b[i + 3]! ^ (c >>> 24))]! ^
      T[0xb00 | b[i + 4]!]! ^ T[0xa00 | b[i + 5]!]! ^ T[0x900 | b[i + 6]!]! ^ T[0x800 | b[i + 7]!]! ^
      T[0x700 | b[i + 8]!]! ^ T[0x600 | b[i + 9]!]! ^ T[0x500 | b[i + 10]!]! ^ T[0x400 | b[i + 11]!]! ^
      T[0x300 | b[i + 12]!]! ^ T[0x200 | b[i + 13]!]! ^ T[0x100 | b[i + 14]!]! ^ T[b[i + 15]!]!;
  }
  for (; i + 4 <= end; i += 4) {
    // biome-ignore format: one line a word
    c = T[0x300 | ((b[i]! ^ c) & 255)]! ^ T[0x200 | ((b[i + 1]! ^ (c >>> 8)) & 255)]! ^
      T[0x100 | ((b[i + 2]! ^ (c >>> 16)) & 255)]! ^ T[b[i + 3]! ^ (c >>> 24)]!;
  }
  for (; i < end; i++) c = T[(c ^ b[i]!) & 255]! ^ (c >>> 8);
  return c;
}

function makeTable(): Int32Array {
  const table = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let c = byte;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ POLYNOMIAL : c >>> 1;
    table[byte] = c;
  }
  for (let i = 256; i < table.length; i++) {
    const before = table[i - 256]!;
    table[i] = table[before & 255]! ^ (before >>> 8);
  }
  return table;
}
