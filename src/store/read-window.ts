/**
 * Reads that follow one another become few large ones; scattered reads stay as small as they are. A view is valid
 * until the next call.
 */
import type { RandomAccess } from "./types.js";
import { windowMemory } from "./window-memory.js";

const FIRST_AHEAD = 16 * 1024;
const MAX_AHEAD = 256 * 1024;
/** Reads that leave out no more than this follow one another: an LMDB value ends anywhere in its last page. In bytes. */
const MAX_GAP = 64 * 1024;

export class ReadWindow {
  private buffer: Uint8Array = new Uint8Array(0);
  private start = 0;
  private end = 0;
  private ahead = 0;

  constructor(private readonly file: RandomAccess) {}

  /** `length` bytes from `offset`, fewer at the end of the file. */
  view(offset: number, length: number): Uint8Array {
    if (offset < this.start || offset + length > this.end) this.fill(offset, length);
    const from = offset - this.start;
    return this.buffer.subarray(from, Math.min(from + length, this.end - this.start));
  }

  private fill(offset: number, length: number): void {
    const reach = this.end + Math.max(this.ahead, MAX_GAP);
    const follows = offset >= this.start && offset <= reach && this.end > 0;
    this.ahead = follows ? Math.min(Math.max(2 * this.ahead, FIRST_AHEAD), MAX_AHEAD) : 0;
    const wanted = Math.max(0, Math.min(Math.max(length, this.ahead), this.file.size - offset));
    if (wanted > this.buffer.length) this.buffer = windowMemory(wanted);
    this.start = offset;
    this.end = offset + this.file.readInto(this.buffer.subarray(0, wanted), offset);
  }
}
