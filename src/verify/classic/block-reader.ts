/** Blocks of one `.wt` file, read many at a time where they lie side by side. */
import type { RandomAccess } from "../../store/types.js";
import type { AddressColumns } from "./address-list.js";

/** Bytes read at a time; a larger block is read for itself. */
const WINDOW = 1024 * 1024;
/** Bytes between two wanted blocks that are read along rather than skipped. */
const GAP = 64 * 1024;

export class BlockReader {
  private buffer = new Uint8Array(WINDOW);
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

  /** Calls `visit` for the addresses `from..to`, which ascend by offset and lie inside the file. */
  forEach(
    list: AddressColumns,
    from: number,
    to: number,
    visit: (index: number, block: Uint8Array) => void,
  ): void {
    for (let at = from; at < to; ) {
      const next = this.runEnd(list, at, to);
      this.visitRun(list, at, next, visit);
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

  private visitRun(
    { offsets, sizes }: AddressColumns,
    from: number,
    to: number,
    visit: (index: number, block: Uint8Array) => void,
  ): void {
    const start = offsets[from] as number;
    let end = start;
    for (let at = from; at < to; at++) end = Math.max(end, (offsets[at] as number) + (sizes[at] as number));
    if (end - start > this.buffer.length) this.buffer = new Uint8Array(end - start);
    const { buffer } = this;
    const got = this.file.readInto(buffer.subarray(0, end - start), start);
    for (let at = from; at < to; at++) {
      const offset = (offsets[at] as number) - start;
      visit(at, buffer.subarray(Math.min(offset, got), Math.min(offset + (sizes[at] as number), got)));
    }
  }
}
