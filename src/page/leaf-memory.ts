/** Memory that blocks of classic files are read into, where faster code can look at leaves as they lie there. */
import type { ScannedRows } from "./plain-rows.js";

/** Bytes of each memory that is used again and again; larger ones are made for one use. */
export const LEAF_MEMORY = 1024 * 1024;

export interface LeafMemory {
  readonly bytes: Uint8Array;
  /**
   * Whether the block of `size` bytes at `start`, all of them in `bytes`, is an uncompressed row leaf of nothing but
   * plain rows: its header, as many rows as that says with ascending keys, zeros behind. Says then what it found. The
   * checksum is not looked at. May say no to any block.
   */
  scan(start: number, size: number, found: ScannedRows): boolean;
}

const portable = (size: number): LeafMemory => ({ bytes: new Uint8Array(size), scan: () => false });

/** For who has none yet. */
export const noLeafMemory = portable(0);

let make = portable;
let free: LeafMemory[] = [];

/** Installs memory with faster code, or returns to the portable one when called without. */
export function setLeafMemory(maker?: (size: number) => LeafMemory): void {
  make = maker ?? portable;
  free = [];
}

/** Memory of at least `size` bytes, until it is given back. */
export function takeLeafMemory(size: number): LeafMemory {
  if (size > LEAF_MEMORY) return portable(size);
  return free.pop() ?? make(LEAF_MEMORY);
}

export function giveBackLeafMemory(memory: LeafMemory): void {
  if (memory.bytes.length === LEAF_MEMORY) free.push(memory);
}
