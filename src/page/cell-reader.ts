/** Reads cells in place, one after the other: no value is built for a cell that is as it should be. */
import {
  allowedCellBits,
  CELL_TYPE_SHIFT,
  type CellWindow,
  cellBits,
  cellTypes,
  LENGTH_ADJUST,
  LONG_TAG,
  SHORT_LENGTH_SHIFT,
  SHORT_MASK,
  shortCells,
  truncateSlots,
  WINDOW_BITS_UNUSED,
  windowBits,
  windowSlots,
} from "../../formats/cell.js";
import { wrappingSlot } from "../../formats/time-window.js";
import { FormatError } from "../codec/error.js";
import {
  PACKED_WIDE,
  PACKED_ZERO,
  packedLength,
  peekPackedNumber,
  readPackedNumber,
  readPackedUnsigned,
  skipPackedUnsigned,
} from "../codec/packed.js";
import type { Defects } from "./defects.js";

const U32_MAX = 0xffffffff;
const TYPE_MAX = Math.max(...Object.values(cellTypes));
const { value64: VALUE64, window: WINDOW } = cellBits;
const { keyShortPrefix } = shortCells;
const { addressDeleted, addressDeletedVisibleAll, deleted, key, keyPrefix, value, valueCopy } = cellTypes;
const { valueOverflowRemoved } = cellTypes;
const isValueType = (type: number): boolean => type >= value && type <= valueOverflowRemoved;

/** By type: bits its first byte must not have. */
const forbiddenBits = Uint8Array.from(
  { length: 16 },
  (_, type) => (VALUE64 | WINDOW) & ~allowedCellBits(type),
);

const { startTs: START_TS, startTxn: START_TXN, durableStart: DURABLE_START } = windowBits;
const { stopTs: STOP_TS, stopTxn: STOP_TXN, durableStop: DURABLE_STOP } = windowBits;
/** Numbers that are counted from the two starts. */
const DIFFERENCES = DURABLE_START | STOP_TS | STOP_TXN | DURABLE_STOP;
/** With a highest byte below this, adding numbers of up to 2^56 + 8256 stays below 2^64. */
const SAFE_HIGH_BYTE = 0xf0;

export class CellReader {
  image: Uint8Array = new Uint8Array();
  /** Where the cells end. */
  end = 0;
  /** Page flag: cells of deleted children carry the truncating transaction. */
  fastTruncate = false;

  // The cell read last. Offsets are from the start of the image.
  start = 0;
  /** A short form's code, or 4 + a long form's type. */
  tag = 0;
  /** Key bytes shared with the previous key; −1 in cells without the field. */
  prefix = -1;
  /** Where the window's bits are; −1 without a window. */
  windowAt = -1;
  /** Where the 64-bit number is; −1 without one. */
  value64At = -1;
  /** Distance of a copy to its original. */
  distance = 0;
  dataStart = 0;
  /** End of the data and of the cell. */
  next = 0;

  constructor(readonly defects: Defects) {}

  /** Reads the cell at `at`. False when it cannot be read: then it has been reported. */
  read(at: number): boolean {
    const first = this.image[at] as number;
    const code = first & SHORT_MASK;
    if (code === 0) return this.readLong(at, first);
    this.start = at;
    this.tag = code;
    this.windowAt = this.value64At = this.prefix = -1;
    let pos = at + 1;
    if (code === keyShortPrefix) this.prefix = this.image[pos++] as number;
    this.dataStart = pos;
    this.next = pos + (first >> SHORT_LENGTH_SHIFT);
    return this.next <= this.end || this.truncated(pos, this.next);
  }

  /** As `read`, for a cell whose first byte says that it is a long one. */
  readLong(at: number, first: number): boolean {
    this.start = at;
    this.windowAt = this.value64At = this.prefix = -1;
    const type = first >> CELL_TYPE_SHIFT;
    this.tag = LONG_TAG + type;
    if (type > TYPE_MAX) return this.defects.add("cell-type", at, `no cell is of type ${type}`);
    if ((first & (forbiddenBits[type] as number)) !== 0)
      this.defects.add("cell-form", at, "a window or number where none can be");
    let pos = at + 1;
    if (type === keyPrefix) {
      if (pos >= this.end) return this.truncated(pos, pos + 1);
      this.prefix = this.image[pos++] as number;
    }
    if ((first & WINDOW) !== 0) pos = this.skipWindow(pos, isValueType(type));
    if (type === addressDeleted && this.fastTruncate && pos !== -1) pos = this.skipTruncate(pos);
    if ((first & VALUE64) !== 0 && pos !== -1) {
      this.value64At = pos;
      pos = this.skipPacked(pos);
    }
    return pos !== -1 && this.readData(type, first, pos);
  }

  private readData(type: number, first: number, at: number): boolean {
    this.dataStart = this.next = at;
    if (type === deleted) return true;
    const stored = this.packed32(at);
    if (stored === -1) return false;
    this.dataStart = this.next = at + packedLength(this.image[at] as number);
    if (type === valueCopy) {
      this.distance = stored;
      return true;
    }
    if (type === addressDeletedVisibleAll && stored !== 0)
      return this.defects.add("value-range", at, `length ${stored} of a removed child`);
    this.next += stored + this.adjust(type, first);
    return this.next <= this.end || this.truncated(this.dataStart, this.next);
  }

  /** What a short form could hold is never in a long one: the length starts counting there. */
  private adjust(type: number, first: number): number {
    if (type === key || type === keyPrefix) return LENGTH_ADJUST;
    if (type !== value || (first & WINDOW) !== 0) return 0;
    return (first & VALUE64) === 0 || this.image[this.value64At] === PACKED_ZERO ? LENGTH_ADJUST : 0;
  }

  /** Behind the window at `at`; −1 when it cannot be read. */
  private skipWindow(at: number, ofValue: boolean): number {
    const { image, end } = this;
    if (at >= end) {
      this.truncated(at, at + 1);
      return -1;
    }
    const bits = image[at] as number;
    this.windowAt = at;
    if ((bits & WINDOW_BITS_UNUSED) !== 0)
      this.defects.add("unknown-bits", at, "bit 0x80 of a window is set");
    let pos = at + 1;
    let wide = false;
    if ((bits & START_TS) !== 0) {
      wide = image[pos] === PACKED_WIDE && (image[pos + 1] as number) >= SAFE_HIGH_BYTE;
      pos = this.skipPacked(pos);
    }
    if ((bits & START_TXN) !== 0 && pos !== -1) {
      if (image[pos] === PACKED_WIDE && (image[pos + 1] as number) >= SAFE_HIGH_BYTE) wide = true;
      pos = this.skipPacked(pos);
    }
    if ((bits & DIFFERENCES) === 0 || pos === -1) return pos;
    return this.skipDifferences(pos, bits, wide, ofValue);
  }

  private skipDifferences(at: number, bits: number, wideStart: boolean, ofValue: boolean): number {
    let pos = at;
    // A durable stop without a stop is counted from the highest timestamp.
    let wide = wideStart || (bits & (STOP_TS | DURABLE_STOP)) === DURABLE_STOP;
    for (let left = bits & DIFFERENCES; left !== 0; left &= left - 1) {
      if (this.image[pos] === PACKED_WIDE) wide = true;
      pos = this.skipPacked(pos);
      if (pos === -1) return -1;
    }
    if (wide) this.checkWindow(ofValue);
    return pos;
  }

  /** Slow path: sums that may go beyond 2^64. */
  private checkWindow(ofValue: boolean): void {
    const slot = wrappingSlot(this.window() as CellWindow, ofValue ? "value" : "address");
    if (slot !== undefined) this.defects.add("window-order", this.start, `${slot} goes beyond 2^64`);
  }

  /** The stored numbers of the cell's window; undefined without one. */
  window(): CellWindow | undefined {
    if (this.windowAt === -1) return undefined;
    const bits = this.image[this.windowAt] as number;
    const slots: Record<string, number | bigint> = { bits };
    let at = this.windowAt + 1;
    for (const name of windowSlots) {
      if ((bits & windowBits[name]) === 0) continue;
      slots[name] = this.bigAt(at);
      at += packedLength(this.image[at] as number);
    }
    return slots as unknown as CellWindow;
  }

  private skipTruncate(at: number): number {
    let pos = at;
    for (let slot = 0; slot < truncateSlots.length && pos !== -1; slot++) pos = this.skipPacked(pos);
    if (pos === -1 || pos >= this.end || (this.image[pos] as number) >= PACKED_ZERO) return pos;
    if ((this.image[pos] as number) > 1) this.defects.add("value-range", pos, "prepared state above 1");
    return pos + 1;
  }

  /** Behind the packed integer at `at`; −1 when there is none, which has been reported then. */
  skipPacked(at: number): number {
    const next = skipPackedUnsigned(this.image, at, this.end);
    if (next === -1) this.explainPacked(at);
    return next;
  }

  /** The packed integer at `at`; −1 when there is none up to 2^32 − 1, which has been reported then. */
  packed32(at: number): number {
    const number = peekPackedNumber(this.image, at, this.end);
    if (number !== -1 && number <= U32_MAX) return number;
    this.explainPacked(at);
    return -1;
  }

  private explainPacked(at: number): void {
    try {
      readPackedNumber(this.image, at, this.end, U32_MAX);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.defects.add(error.code, at, error.message);
    }
  }

  /** The packed integer at `at`, which has been skipped once. */
  bigAt(at: number): bigint {
    return readPackedUnsigned(this.image, at, this.end);
  }

  truncated(at: number, needed: number): false {
    return this.defects.add("truncated", Math.min(at, this.end), `${needed - this.end} bytes are missing`);
  }
}

/** The fast truncate that deleted a child. */
export interface Truncation {
  readonly txn: bigint;
  /** Readers of earlier timestamps still see the child. */
  readonly timestamp: bigint;
  readonly durableTimestamp: bigint;
}

/** The truncate in the cell of a deleted child that was just read; undefined where the page keeps none. */
export function truncationOf(cell: CellReader): Truncation | undefined {
  if (!cell.fastTruncate) return undefined;
  const { image } = cell;
  let at = cell.start + 1;
  const next = (): bigint => {
    const value = cell.bigAt(at);
    at += packedLength(image[at] as number);
    return value;
  };
  if (cell.windowAt !== -1) {
    at = cell.windowAt + 1;
    const bits = image[cell.windowAt] as number;
    for (const name of windowSlots) if ((bits & windowBits[name]) !== 0) next();
  }
  return { txn: next(), timestamp: next(), durableTimestamp: next() };
}
