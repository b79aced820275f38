/** Deflate's canonical prefix codes: lengths to a decoding table. */

/** Codes up to this length are found by one look-up. In bits. */
export const FAST_BITS = 10;
const MAX_BITS = 15;

/** One alphabet of a deflate block. */
export interface PrefixCode {
  /** Indexed by the next `FAST_BITS` bits: symbol << 4 | length, 0 where the code is longer or unused. */
  readonly fast: Uint16Array;
  /** How many codes have each length. */
  readonly counts: Uint16Array;
  /** Symbols in the order of their codes. */
  readonly symbols: Uint16Array;
}

/** Whether the lengths are a usable code: as zlib, only a single code of one bit (or none) may be incomplete. */
export type Completeness = "complete" | "single" | "incomplete" | "oversubscribed";

export function newPrefixCode(symbols: number): PrefixCode {
  return {
    fast: new Uint16Array(1 << FAST_BITS),
    counts: new Uint16Array(MAX_BITS + 1),
    symbols: new Uint16Array(symbols),
  };
}

/** Fills `code` from the lengths of its symbols. */
export function buildPrefixCode(code: PrefixCode, lengths: Uint8Array): Completeness {
  const { counts, symbols } = code;
  counts.fill(0);
  for (const length of lengths) counts[length] = counts[length]! + 1;
  counts[0] = 0;
  let left = 1;
  let longest = 0;
  for (let length = 1; length <= MAX_BITS; length++) {
    left = (left << 1) - counts[length]!;
    if (left < 0) return "oversubscribed";
    if (counts[length]! > 0) longest = length;
  }
  const starts = new Uint16Array(MAX_BITS + 2);
  for (let length = 1; length <= MAX_BITS; length++) starts[length + 1] = starts[length]! + counts[length]!;
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol]!;
    if (length > 0) symbols[starts[length]!++] = symbol;
  }
  fillFast(code);
  if (left === 0) return "complete";
  return longest <= 1 ? "single" : "incomplete";
}

function fillFast({ fast, counts, symbols }: PrefixCode): void {
  fast.fill(0);
  let next = 0;
  let word = 0;
  for (let length = 1; length <= FAST_BITS; length++) {
    for (let i = 0; i < counts[length]!; i++) {
      const entry = (symbols[next++]! << 4) | length;
      for (let at = reversed(word, length); at < fast.length; at += 1 << length) fast[at] = entry;
      word += 1;
    }
    word <<= 1;
  }
}

/** Codes are written most significant bit first into a stream that is read least significant bit first. */
export function reversed(word: number, length: number): number {
  let result = 0;
  for (let i = 0; i < length; i++) result |= ((word >>> i) & 1) << (length - 1 - i);
  return result;
}
