/** The rows of a full row-leaf image one after the other, in place: no object is made for a row. */
import { cellTags, windowBits } from "../../formats/cell.js";
import { hasStop, valueWindow } from "../../formats/time-window.js";
import { CellReader } from "./cell-reader.js";
import { Defects } from "./defects.js";
import type { PageLayout } from "./walk-types.js";

const { keyShort, key, keyShortPrefix, keyPrefix, keyOverflow } = cellTags;
const { valueCopy, valueOverflow } = cellTags;
const STOP_BITS = windowBits.stopTs | windowBits.stopTxn;

const keyTags = new Uint8Array(32);
for (const tag of [keyShort, key, keyShortPrefix, keyPrefix, keyOverflow]) keyTags[tag] = 1;

/** Images must have been walked before: a cell that cannot be read ends the rows. */
export class LeafCursor {
  private readonly cell = new CellReader(new Defects(1));
  private readonly original = new CellReader(new Defects(1));
  private image: Uint8Array = new Uint8Array();
  private at = 0;
  private end = 0;
  /** A key that shares bytes with the one before, whole. */
  private built = new Uint8Array(256);

  /** Where the key is: the image, or a buffer that the next key changes. */
  keyBytes: Uint8Array = this.built;
  keyStart = 0;
  keyEnd = 0;
  /** The key that prefixes refer to: the previous one that is not an overflow key. */
  private previousBytes: Uint8Array = this.built;
  private previousStart = 0;
  /** Where the value is in the image; empty for keys without a value cell. */
  valueStart = 0;
  valueEnd = 0;
  /** The key's or the value's bytes are the cookie of the page they are on. */
  overflow = false;
  /** The value was deleted or replaced. */
  stopped = false;
  /** A prepared transaction wrote it. */
  prepared = false;

  begin(image: Uint8Array, layout: PageLayout): void {
    this.image = this.cell.image = this.original.image = image;
    this.end = Math.min(layout.memSize, image.length);
    this.cell.end = this.original.end = this.end;
    this.at = layout.payload;
    this.keyStart = this.keyEnd = 0;
  }

  /** Goes to the next row; false behind the last one. */
  next(): boolean {
    const { cell } = this;
    if (this.at >= this.end || !cell.read(this.at) || keyTags[cell.tag] === 0) return false;
    this.overflow = cell.tag === keyOverflow;
    this.setKey();
    this.at = cell.next;
    this.stopped = this.prepared = false;
    this.valueStart = this.valueEnd = cell.next;
    if (this.at >= this.end) return true;
    if (!cell.read(this.at)) {
      this.at = this.end;
      return true;
    }
    // Two keys in a row: the first one's value is empty and visible to all.
    if (keyTags[cell.tag] !== 0) return true;
    this.at = cell.next;
    this.setValue();
    return true;
  }

  private setKey(): void {
    const { prefix, dataStart, next } = this.cell;
    if (prefix <= 0) {
      this.keyBytes = this.image;
      this.keyStart = dataStart;
      this.keyEnd = next;
      if (!this.overflow) this.keepKey();
      return;
    }
    const length = prefix + next - dataStart;
    if (length > this.built.length) this.grow(length);
    const { built } = this;
    if (this.previousBytes !== built) copyBytes(this.previousBytes, this.previousStart, prefix, built, 0);
    copyBytes(this.image, dataStart, next - dataStart, built, prefix);
    this.keyBytes = built;
    this.keyStart = 0;
    this.keyEnd = length;
    this.keepKey();
  }

  private keepKey(): void {
    this.previousBytes = this.keyBytes;
    this.previousStart = this.keyStart;
  }

  private grow(length: number): void {
    const grown = new Uint8Array(2 * length);
    grown.set(this.built);
    if (this.previousBytes === this.built) this.previousBytes = grown;
    this.built = grown;
  }

  private setValue(): void {
    const { cell } = this;
    if (cell.windowAt !== -1) this.readWindow();
    if (cell.tag === valueOverflow) this.overflow = true;
    if (cell.tag !== valueCopy) {
      this.valueStart = cell.dataStart;
      this.valueEnd = cell.next;
    } else if (this.original.read(cell.start - cell.distance)) {
      if (this.original.tag === valueOverflow) this.overflow = true;
      this.valueStart = this.original.dataStart;
      this.valueEnd = this.original.next;
    }
  }

  private readWindow(): void {
    const { cell } = this;
    const bits = this.image[cell.windowAt] as number;
    this.prepared = (bits & windowBits.prepare) !== 0;
    if ((bits & STOP_BITS) !== 0) this.stopped = hasStop(valueWindow(cell.window()));
  }
}

function copyBytes(from: Uint8Array, at: number, length: number, to: Uint8Array, toAt: number): void {
  for (let i = 0; i < length; i++) to[toAt + i] = from[at + i] as number;
}
