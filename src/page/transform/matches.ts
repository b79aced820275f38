/** A greedy search for repeats, shared by the built-in encoders. */

const HASH_BITS = 14;
const MIN_MATCH = 4;

export interface MatchLimits {
  /** The furthest a match may reach back. In bytes. */
  maxOffset: number;
  /** No match starts this close to the end. In bytes. */
  tailStart?: number;
  /** No match reaches this close to the end. In bytes. */
  tailLiterals?: number;
}

/** `plain[from, to)` as it is, then `length` bytes from `offset` back. The last call has length 0. */
export type MatchSink = (from: number, to: number, offset: number, length: number) => void;

export function findMatches(plain: Uint8Array, limits: MatchLimits, emit: MatchSink): void {
  const lastStart = plain.length - Math.max(MIN_MATCH, limits.tailStart ?? 0);
  const lastByte = plain.length - (limits.tailLiterals ?? 0);
  const seen = new Int32Array(1 << HASH_BITS).fill(-1);
  let literals = 0;
  for (let at = 0; at <= lastStart; ) {
    const word = wordAt(plain, at);
    const slot = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
    const before = seen[slot]!;
    seen[slot] = at;
    if (before < 0 || at - before > limits.maxOffset || wordAt(plain, before) !== word) {
      at += 1;
      continue;
    }
    let end = at + MIN_MATCH;
    while (end < lastByte && plain[end] === plain[before + end - at]) end += 1;
    if (end > lastByte) break;
    emit(literals, at, at - before, end - at);
    literals = at = end;
  }
  emit(literals, plain.length, 0, 0);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
