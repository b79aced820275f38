/**
 * One cell at a time, in place: no objects, no bigints. The fields of the reader are the cell's until the next read.
 * What a cell is made of is declared in formats/cell.ts; the tests hold both against each other.
 */
import {
  CELL_TYPE_SHIFT,
  cellBits,
  cellTypes,
  LENGTH_ADJUST,
  SHORT_LENGTH_SHIFT,
  shortCells,
  WINDOW_BITS_UNUSED,
  windowBits,
} from "../../../formats/cell.js";
import { packedLength } from "../../codec/packed.js";

/** Why a cell cannot be read, or a page is not what its header says. */
export type DefectCode =
  | "cell-truncated"
  | "cell-type"
  | "cell-form"
  | "cell-packed"
  | "cell-window"
  | "cell-sequence"
  | "cell-copy"
  | "cell-count"
  | "key-prefix"
  | "key-order"
  | "record-numbers"
  | "payload-size"
  | "delta-value";

/** Bytes of the packed integer that begins with each byte, 0 = none does. */
const PACKED_LENGTH = Uint8Array.from({ length: 256 }, (_, first) =>
  first >= 0x80 ? packedLength(first) : 0,
);
const SHORT_MASK = 0x03;
/** As type of short cells: the long type they stand for. */
const KEY = cellTypes.key;
const VALUE = cellTypes.value;
const KEY_PREFIX = cellTypes.keyPrefix;
const TWO_32 = 4294967296;

export class CellReader {
  bytes: Uint8Array = new Uint8Array();
  /** One past the last byte of the cells. */
  end = 0;
  /** One past the cell read last. */
  next = 0;
  /** As `cellTypes`; short cells have the type of their long form. */
  type = 0;
  short = false;
  prefix = 0;
  hasWindow = false;
  /** As `windowBits`: which numbers the window has; 0 without a window. */
  window = 0;
  hasTruncate = false;
  /** The 64-bit number: record number or run length; 0 when absent. */
  numberHigh = 0;
  numberLow = 0;
  hasNumber = false;
  dataStart = 0;
  dataEnd = 0;
  /** For copies: where the copied cell begins. */
  copyOf = 0;
  fault: DefectCode | undefined;
  faultAt = 0;
  /** Page flag of that name: deleted children carry the truncating transaction. */
  fastTruncate = false;

  private high = 0;
  private low = 0;
  private at = 0;

  reset(bytes: Uint8Array, end: number, fastTruncate: boolean): void {
    this.bytes = bytes;
    this.end = end;
    this.fastTruncate = fastTruncate;
    this.fault = undefined;
  }

  private fail(code: DefectCode, at: number): false {
    this.fault = code;
    this.faultAt = at;
    return false;
  }

  /** Reads the cell at `start`; false with `fault` and `faultAt` set when it cannot be read. */
  read(start: number): boolean {
    const { bytes, end } = this;
    const first = bytes[start] as number;
    const code = first & SHORT_MASK;
    if (code === shortCells.long) return this.readLong(start, first);
    this.short = true;
    this.hasWindow = this.hasNumber = this.hasTruncate = false;
    this.window = this.numberHigh = this.numberLow = this.prefix = 0;
    let at = start + 1;
    if (code === shortCells.valueShort) this.type = VALUE;
    else if (code === shortCells.keyShort) this.type = KEY;
    else {
      this.type = KEY_PREFIX;
      if (at >= end) return this.fail("cell-truncated", at);
      this.prefix = bytes[at++] as number;
    }
    return this.takeData(at, first >> SHORT_LENGTH_SHIFT);
  }

  private takeData(at: number, length: number): boolean {
    if (length > this.end - at) return this.fail("cell-truncated", at);
    this.dataStart = at;
    this.dataEnd = this.next = at + length;
    return true;
  }

  private readLong(start: number, first: number): boolean {
    this.short = false;
    const type = first >> CELL_TYPE_SHIFT;
    this.type = type;
    this.window = this.prefix = this.numberHigh = this.numberLow = 0;
    if (type > cellTypes.addressDeletedVisibleAll) return this.fail("cell-type", start);
    this.at = start + 1;
    if (type === KEY_PREFIX) {
      if (this.at >= this.end) return this.fail("cell-truncated", this.at);
      this.prefix = this.bytes[this.at++] as number;
    }
    this.hasWindow = (first & cellBits.window) !== 0;
    if (this.hasWindow && !this.takeWindow()) return false;
    this.hasTruncate = type === cellTypes.addressDeleted && this.fastTruncate;
    if (this.hasTruncate && !this.takeTruncate()) return false;
    this.hasNumber = (first & cellBits.value64) !== 0;
    if (this.hasNumber) {
      if (!this.takePacked()) return false;
      this.numberHigh = this.high;
      this.numberLow = this.low;
    }
    return this.takeBody(start, type);
  }

  private takeBody(start: number, type: number): boolean {
    if (type === cellTypes.deleted) {
      this.dataStart = this.dataEnd = this.next = this.at;
      return true;
    }
    if (!this.takePacked()) return false;
    const { high, low } = this;
    if (type === cellTypes.valueCopy) {
      if (high !== 0 || low === 0 || low > start) return this.fail("cell-copy", start);
      this.copyOf = start - low;
      this.dataStart = this.dataEnd = this.next = this.at;
      return true;
    }
    if (high !== 0) return this.fail("cell-truncated", this.at);
    const adjusted =
      type === KEY ||
      type === KEY_PREFIX ||
      (type === VALUE && !this.hasWindow && this.numberHigh === 0 && this.numberLow === 0);
    return this.takeData(this.at, low + (adjusted ? LENGTH_ADJUST : 0));
  }

  /** Reads a packed unsigned integer into `high` and `low`. */
  private takePacked(): boolean {
    const { bytes, at } = this;
    if (at >= this.end) return this.fail("cell-truncated", at);
    const first = bytes[at] as number;
    const length = PACKED_LENGTH[first] as number;
    if (length === 0) return this.fail("cell-packed", at);
    if (length > this.end - at) return this.fail("cell-truncated", at);
    this.at = at + length;
    this.high = 0;
    if (length === 1) this.low = first & 0x3f;
    else if (first < 0xe0) this.low = (((first & 0x1f) << 8) | (bytes[at + 1] as number)) + 64;
    else return this.takeMulti(at, length);
    return true;
  }

  private takeMulti(at: number, length: number): boolean {
    const { bytes } = this;
    if (length === 1 || (length > 2 && bytes[at + 1] === 0)) return this.fail("cell-packed", at);
    let high = 0;
    let low = 0;
    const split = at + length - 4;
    for (let i = at + 1; i < at + length; i++)
      if (i < split) high = high * 256 + (bytes[i] as number);
      else low = low * 256 + (bytes[i] as number);
    low += 8256;
    if (low >= TWO_32) {
      low -= TWO_32;
      high++;
    }
    this.high = high;
    this.low = low;
    return high < TWO_32 || this.fail("cell-packed", at);
  }

  private takeTruncate(): boolean {
    if (!this.takePacked() || !this.takePacked() || !this.takePacked()) return false;
    // Newer builds append a byte for prepared truncates; no packed number begins like it.
    if (this.at < this.end && (this.bytes[this.at] as number) <= 1) this.at++;
    return true;
  }

  /** The numbers of a time window, in their stored order. Differences are modulo 2^64, so every value is legal. */
  private takeWindow(): boolean {
    if (this.at >= this.end) return this.fail("cell-truncated", this.at);
    const bits = this.bytes[this.at] as number;
    if ((bits & WINDOW_BITS_UNUSED) !== 0) return this.fail("cell-window", this.at);
    this.at++;
    this.window = bits;
    for (let rest = bits & ~windowBits.prepare; rest !== 0; rest &= rest - 1)
      if (!this.takePacked()) return false;
    return true;
  }
}
