/**
 * Integers read and written byte by byte. Unlike a DataView this needs no object a buffer, so that headers of many
 * pages are read without one allocation besides their values.
 */

/** Words on their way to and from a bigint: `words[2k]` and `words[2k + 1]` are the halves of `quads[k]`. */
export const words = new Int32Array(64);
export const quads = new BigUint64Array(words.buffer);
/** The index of the low half in a pair of `words`: 0 on little-endian hosts. */
export const lowHalf = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 0 : 1;
const low = lowHalf;
const high = 1 - lowHalf;

const littleWord = (b: Uint8Array, p: number): number =>
  (b[p] as number) |
  ((b[p + 1] as number) << 8) |
  ((b[p + 2] as number) << 16) |
  ((b[p + 3] as number) << 24);
const bigWord = (b: Uint8Array, p: number): number =>
  ((b[p] as number) << 24) |
  ((b[p + 1] as number) << 16) |
  ((b[p + 2] as number) << 8) |
  (b[p + 3] as number);

export function readU64(b: Uint8Array, p: number, little: boolean): bigint {
  words[low] = little ? littleWord(b, p) : bigWord(b, p + 4);
  words[high] = little ? littleWord(b, p + 4) : bigWord(b, p);
  return quads[0] as bigint;
}

/** An unsigned integer of 1, 2 or 4 bytes. */
export function readUint(b: Uint8Array, p: number, size: number, little: boolean): number {
  if (size === 4) return (little ? littleWord(b, p) : bigWord(b, p)) >>> 0;
  if (size === 1) return b[p] as number;
  return little
    ? (b[p] as number) | ((b[p + 1] as number) << 8)
    : ((b[p] as number) << 8) | (b[p + 1] as number);
}

export function writeU64(b: Uint8Array, p: number, little: boolean, value: bigint): void {
  quads[0] = value;
  writeUint(b, little ? p : p + 4, 4, little, words[low] as number);
  writeUint(b, little ? p + 4 : p, 4, little, words[high] as number);
}

/** Writes the low `size` bytes of a 32-bit number. */
export function writeUint(b: Uint8Array, p: number, size: number, little: boolean, value: number): void {
  for (let i = 0; i < size; i++) b[p + i] = value >>> (8 * (little ? i : size - 1 - i));
}
