/** Memory that blocks of classic files are read into, where faster code can look at leaves as they lie there. */
import { windowBits } from "../../formats/cell.js";

/** Bytes of each memory that is used again and again; larger ones are made for one use. */
export const LEAF_MEMORY = 1024 * 1024;

/** Bytes of the length in front of a key of an address. */
export const LENGTH_SIZE = 4;
/** Which byte of what an address tells of times has the bits of its window. */
export const TOLD_BITS = 1;
/** Without these a page of values that everybody sees is covered. */
export const NOT_PLAIN = windowBits.startTs | windowBits.stopTs;

/** Addresses of blocks, as columns. */
export interface LeafAddresses {
  readonly offsets: Float64Array;
  readonly sizes: Float64Array;
  readonly checksums: Uint32Array;
  /** 0 for a leaf. */
  readonly kinds: Uint8Array;
  /** The keys each may have, from `lows` on, below `highs`: where in `keys` they are, 0 for none. */
  readonly lows: Uint32Array;
  readonly highs: Uint32Array;
  /** What is told of times: where in `keys`, 0 for nothing. */
  readonly times: Uint32Array;
  /** Each with its length in front. */
  readonly keys: Uint8Array;
}

export interface LeafMemory {
  readonly bytes: Uint8Array;
  /** From now on it is about the blocks `from..to` of a list; `bytes` has `length` bytes from `offset` of the file. */
  begin(list: LeafAddresses, from: number, to: number, offset: number, length: number): void;
  /**
   * The first block from `at` on, an index of the list, that may not be an uncompressed row leaf as its address says:
   * its header, as many plain rows as that says, with ascending keys in the range of the address, its times, zeros
   * behind, the address' checksum. All before it are, and have zeros for a checksum now, which is still to be
   * compared. May stop at any block.
   */
  fitting(at: number): number;
}

const portable = (size: number): LeafMemory => ({
  bytes: new Uint8Array(size),
  begin: () => undefined,
  fitting: (at) => at,
});

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
