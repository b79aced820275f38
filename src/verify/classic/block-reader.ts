/** Blocks of one `.wt` file, read many at a time where they lie side by side. */
import type { RandomAccess } from "../../store/types.js";
import type { AddressColumns } from "./address-list.js";

/** Bytes read at a time; a larger block is read for itself. */
const WINDOW = 1024 * 1024;
/** Bytes between two wanted blocks that are read along rather than skipped. */
const GAP = 64 * 1024;

/** Blocks that lie side by side in memory, until the next ones are read. */
export interface BlockRun {
  /** The addresses they are of. */
  from: number;
  to: number;
  window: Uint8Array;
  /** Offset in the file of the first byte, and how many were read. */
  offset: number;
  length: number;
}

export class BlockReader {
  private readonly run: BlockRun = { from: 0, to: 0, window: new Uint8Array(WINDOW), offset: 0, length: 0 };
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
    for (let at = from; at < to; ) {
      const next = this.runEnd(list, at, to);
      this.readRun(list, at, next);
      visit(this.run);
      at = next;
    }
  }

  /** One past the last address to be read together with that at `from`. */
  private runEnd({ offsets, sizes }: AddressColumns, from: number, to: number): number {
    const start = offsets[from] as number;
    let end = start + (sizes[from] as number);
    let at = from + 1;
    for (; at < to; at++) {
      const offset = offsets[at] as number;
      const next = offset + (sizes[at] as number);
      if (offset > end + GAP || next - start > WINDOW) break;
      end = Math.max(end, next);
    }
    return at;
  }

  private readRun({ offsets, sizes }: AddressColumns, from: number, to: number): void {
    const { run } = this;
    const start = offsets[from] as number;
    let end = start;
    for (let at = from; at < to; at++) end = Math.max(end, (offsets[at] as number) + (sizes[at] as number));
    if (end - start > run.window.length) run.window = new Uint8Array(end - start);
    run.from = from;
    run.to = to;
    run.offset = start;
    run.length = this.file.readInto(run.window.subarray(0, end - start), start);
  }
}
