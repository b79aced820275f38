import { badStream } from "../faults.js";

export const NAME = "zstd";

/** The most a block inflates to, and the most its compressed form has. In bytes. */
export const MAX_BLOCK = 128 * 1024;
/** Zero bytes on both sides of a block, so that every bit position within a word's reach can be read. */
export const MARGIN = 8;

/** The compressed block being read, margins included. One block at a time, so one buffer serves all. */
export const block = new Uint8Array(MARGIN + MAX_BLOCK + MARGIN);
export const blockView = new DataView(block.buffer);

/** Copies a compressed block to where bits can be read without looking at every bound. Returns its end in `block`. */
export function loadBlock(stream: Uint8Array, start: number, end: number): number {
  const stop = MARGIN + (end - start);
  block.set(stream.subarray(start, end), MARGIN);
  block.fill(0, stop, stop + MARGIN);
  return stop;
}

/** `n` bits, at most 24, from bit position `at` of `block` upwards. */
export function bitsAt(at: number, n: number): number {
  return (blockView.getUint32(at >> 3, true) >>> (at & 7)) & ((1 << n) - 1);
}

/**
 * A bit stream that is read backwards ends with a set bit above its data. Returns the bit position of that bit, in a
 * stream that occupies `block[start, end)`.
 */
export function backwardStart(start: number, end: number): number {
  const last = end > start ? block[end - 1]! : 0;
  if (last === 0) throw badStream(NAME, "a bit stream has no end mark", 0);
  return (end - 1) * 8 + 31 - Math.clz32(last);
}
