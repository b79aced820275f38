/** Blocks of one `.wt` file, read many at a time where they lie side by side. */
import type { RandomAccess } from "../../store/types.js";
import type { AddressList } from "./address-list.js";

const WINDOW = 1024 * 1024;
/** Bytes between two wanted blocks that are read along rather than skipped. */
const GAP = 64 * 1024;

export class BlockReader {
  private buffer = new Uint8Array(WINDOW);
  private single = new Uint8Array(64 * 1024);

  constructor(private readonly file: RandomAccess) {}

  get fileSize(): number {
    return this.file.size;
  }

  /** One block inside the file; the view is valid until the next `read`. */
  read(offset: number, size: number): Uint8Array {
    if (this.single.length < size) this.single = new Uint8Array(size);
    const view = this.single.subarray(0, size);
    return view.subarray(0, this.file.readInto(view, offset));
  }

  /** Calls `visit` for each address, in the order of their offsets. Addresses must lie inside the file. */
  forEach(list: AddressList, visit: (index: number, block: Uint8Array) => void): void {
    const order = list.byOffset();
    for (let from = 0; from < order.length; ) {
      const to = this.run(list, order, from);
      this.visitRun(list, order.subarray(from, to), visit);
      from = to;
    }
  }

  /** One past the last address of `order` to be read together with that at `from`. */
  private run(list: AddressList, order: Uint32Array, from: number): number {
    const start = list.offsets[order[from] as number] as number;
    let end = start + (list.sizes[order[from] as number] as number);
    let to = from + 1;
    for (; to < order.length; to++) {
      const offset = list.offsets[order[to] as number] as number;
      const next = offset + (list.sizes[order[to] as number] as number);
      if (offset > end + GAP || next - start > WINDOW) break;
      end = Math.max(end, next);
    }
    return to;
  }

  private visitRun(
    list: AddressList,
    run: Uint32Array,
    visit: (index: number, block: Uint8Array) => void,
  ): void {
    const start = list.offsets[run[0] as number] as number;
    let end = start;
    for (const index of run)
      end = Math.max(end, (list.offsets[index] as number) + (list.sizes[index] as number));
    if (end - start > this.buffer.length) this.buffer = new Uint8Array(end - start);
    const { buffer } = this;
    const got = this.file.readInto(buffer.subarray(0, end - start), start);
    for (const index of run) {
      const at = (list.offsets[index] as number) - start;
      visit(index, buffer.subarray(Math.min(at, got), Math.min(at + (list.sizes[index] as number), got)));
    }
  }
}
