/** Blocks of one `.wt` file, read many at a time where they lie side by side. */
import { giveBackLeafMemory, LEAF_MEMORY, type LeafMemory, takeLeafMemory } from "../../page/leaf-memory.js";
import type { RandomAccess } from "../../store/types.js";
import type { AddressColumns } from "./address-list.js";

/** Bytes between two wanted blocks that are read along rather than skipped. */
const GAP = 64 * 1024;

/** Blocks that lie side by side in memory, as long as they are visited. */
export interface BlockRun {
  /** The addresses they are of. */
  readonly from: number;
  readonly to: number;
  readonly memory: LeafMemory;
  /** Offset in the file of the first byte, and how many were read. */
  readonly offset: number;
  readonly length: number;
}

export class BlockReader {
  private single = new Uint8Array(64 * 1024);

  constructor(readonly file: RandomAccess) {}

  get fileSize(): number {
    return this.file.size;
  }

  /** One block inside the file; the view is valid until the next `read`. */
  read(offset: number, size: number): Uint8Array {
    if (this.single.length < size) this.single = new Uint8Array(size);
    const view = this.single.subarray(0, size);
    return view.subarray(0, this.file.readInto(view, offset));
  }

  /**
   * Reads the blocks of the addresses `from..to`, which ascend by offset and lie inside the file, and calls `visit` for
   * those that were read together.
   */
  forEachRun(list: AddressColumns, from: number, to: number, visit: (run: BlockRun) => void): void {
    const { offsets, sizes } = list;
    for (let at = from; at < to; ) {
      const first = at;
      const start = offsets[first] as number;
      // Together with the first goes what lies near and has room; a large block is read for itself.
      let end = start + (sizes[first] as number);
      for (at++; at < to; at++) {
        const offset = offsets[at] as number;
        const next = offset + (sizes[at] as number);
        if (offset > end + GAP || next - start > LEAF_MEMORY) break;
        if (next > end) end = next;
      }
      this.readRun(first, at, start, end, visit);
    }
  }

  private readRun(
    from: number,
    to: number,
    offset: number,
    end: number,
    visit: (run: BlockRun) => void,
  ): void {
    const memory = takeLeafMemory(end - offset);
    try {
      const length = this.file.readInto(memory.bytes.subarray(0, end - offset), offset);
      visit({ from, to, memory, offset, length });
    } finally {
      giveBackLeafMemory(memory);
    }
  }
}
