/**
 * Every cell of a page image, in place: exact consumption, cell count, allowed types, key order, prefixes, copies,
 * record numbers. This runs on every page of a verification, so it makes no objects per cell.
 */
import { cellTypes } from "../../../formats/cell.js";
import { oldDeltaFlags, oldInternalFlags } from "../../../formats/delta.js";
import { pageFlags, pageTypes } from "../../../formats/page-header.js";
import { FormatError } from "../../codec/error.js";
import { PACKED_ZERO, packedLength, readPackedNumber, readPackedUnsigned } from "../../codec/packed.js";
import { CellReader, type DefectCode } from "./cell-reader.js";

/** What the headers of an image say. */
export interface PageShape {
  /** As `pageTypes`. */
  readonly type: number;
  readonly flags: number;
  readonly entries: number;
  /** Offset of the first cell. */
  readonly payload: number;
  /** Column stores: number of the first record. */
  readonly recno: bigint;
  /** Deltas: `cells` since October 2025, `entries` before; `unknown` tries both. */
  readonly delta?: "cells" | "entries" | "unknown";
  /** False where keys have an order of their own (custom collators). */
  readonly ordered: boolean;
  /** Bits of a record on fixed-length column pages. */
  readonly bits?: number;
}

export interface WalkSink {
  /** Something is not as it should be at `offset` of the image. */
  defect(code: DefectCode, offset: number, detail: string): void;
  /** The cookie of a child or an overflow item lies at `start..end` of the image. */
  address?(cellType: number, start: number, end: number, image: Uint8Array): void;
}

const MAX_DEFECTS = 8;
const {
  addressDeleted,
  addressInternal,
  addressLeaf,
  addressLeafNoOverflow,
  addressDeletedVisibleAll,
  deleted,
  key,
  keyOverflow,
  keyPrefix,
  value,
  valueCopy,
  valueOverflow,
} = cellTypes;

const bit = (...types: number[]): number => types.reduce((mask, type) => mask | (1 << type), 0);
const KEYS = bit(key, keyPrefix, keyOverflow);
const PLAIN_KEYS = bit(key, keyOverflow);
const CHILDREN = bit(addressDeleted, addressInternal, addressLeaf, addressLeafNoOverflow);
const VALUES = bit(value, valueCopy, valueOverflow);
const DELTA_CHILDREN = bit(addressInternal, addressLeaf, addressLeafNoOverflow, addressDeletedVisibleAll);
const COPIED = bit(value, valueOverflow);
const COOKIES = CHILDREN | bit(keyOverflow, valueOverflow);

/** Reusable: one walker a thread. */
export class PageWalker {
  private readonly cell = new CellReader();
  private bytes: Uint8Array = new Uint8Array();
  private sink!: WalkSink;
  private defects = 0;
  private ordered = true;
  /** The key before, in full: in the image, or rebuilt in `scratch`. */
  private keyBytes: Uint8Array = this.bytes;
  private keyStart = 0;
  private keyEnd = 0;
  /** False after an overflow key, whose bytes are elsewhere. */
  private keyKnown = false;
  private scratch = new Uint8Array(512);
  /** Where values begin, on pages with copies. */
  private marks = new Uint8Array();
  private marking = false;

  /** Walks an image, headers included, that ends with its last cell. */
  walk(image: Uint8Array, shape: PageShape, sink: WalkSink): void {
    this.bytes = image;
    this.sink = sink;
    this.defects = 0;
    this.ordered = shape.ordered;
    this.keyKnown = false;
    this.keyStart = this.keyEnd = 0;
    this.marking = false;
    this.cell.reset(image, image.length, (shape.flags & pageFlags.fastTruncate) !== 0);
    if (shape.delta !== undefined) this.walkDelta(shape);
    else this.walkPage(shape);
  }

  private walkPage(shape: PageShape): void {
    switch (shape.type) {
      case pageTypes.rowLeaf:
        return this.walkRowLeaf(shape);
      case pageTypes.rowInternal:
        return this.walkPairs(shape, PLAIN_KEYS, CHILDREN, false);
      case pageTypes.columnInternal:
        return this.walkColumnInternal(shape);
      case pageTypes.columnVariable:
        return this.walkColumnVariable(shape);
      case pageTypes.columnFixed:
        return this.walkColumnFixed(shape);
      case pageTypes.overflow:
        return this.checkSize(shape);
      default:
        this.defect("payload-size", 0, `page type ${shape.type} has no cells`);
    }
  }

  private defect(code: DefectCode, offset: number, detail: string): void {
    if (this.defects++ < MAX_DEFECTS) this.sink.defect(code, offset, detail);
  }

  /** Reads the cell at `at`; after one that cannot be read nothing more of the page can be. */
  private read(at: number): boolean {
    if (this.cell.read(at)) return true;
    this.defect(this.cell.fault as DefectCode, this.cell.faultAt, `cell at ${at} cannot be read`);
    return false;
  }

  private countIs(count: number, expected: number): void {
    if (count !== expected)
      this.defect("cell-count", this.bytes.length, `${count} cells, the header says ${expected}`);
  }

  private walkRowLeaf({ payload, entries, flags }: PageShape): void {
    const { cell, bytes } = this;
    const end = bytes.length;
    const noValues = (flags & pageFlags.emptyValuesAll) !== 0;
    const allValues = (flags & pageFlags.emptyValuesNone) !== 0;
    let count = 0;
    let afterKey = false;
    for (let at = payload; at < end; at = cell.next) {
      if (!this.read(at)) return;
      count++;
      const { type } = cell;
      if (((1 << type) & KEYS) !== 0) {
        if (afterKey && allValues) this.defect("cell-sequence", at, "a key where a value is due");
        this.takeKey(at, true);
        afterKey = true;
      } else if (((1 << type) & VALUES) !== 0) {
        if (!afterKey || noValues) this.defect("cell-sequence", at, "a value without its key");
        afterKey = false;
        if (type === valueCopy) this.checkCopy(at, payload);
        else if (this.marking) this.marks[at] = 1;
      } else this.defect("cell-type", at, `cell type ${type} on a row leaf`);
      if (((1 << type) & COOKIES) !== 0) this.sink.address?.(type, cell.dataStart, cell.dataEnd, bytes);
    }
    if (afterKey && allValues) this.defect("cell-sequence", end, "the last key has no value");
    this.countIs(count, entries);
  }

  /** Keys and addresses in turn. The first key of an internal page is below everything, whatever it says. */
  private walkPairs({ payload, entries }: PageShape, keys: number, items: number, isDelta: boolean): void {
    const { cell, bytes } = this;
    const end = bytes.length;
    let count = 0;
    for (let at = payload; at < end; at = cell.next) {
      if (!this.read(at)) return;
      const isKey = count % 2 === 0;
      count++;
      const { type } = cell;
      if (((1 << type) & (isKey ? keys : items)) === 0) {
        this.defect(
          "cell-sequence",
          at,
          `cell type ${type} where a ${isKey ? "key" : "child's address"} is due`,
        );
        return;
      }
      if (isKey) this.takeKey(at, isDelta || count > 3);
      if (((1 << type) & COOKIES) !== 0) this.sink.address?.(type, cell.dataStart, cell.dataEnd, bytes);
      else if (type === addressDeletedVisibleAll && cell.dataEnd !== cell.dataStart)
        this.defect("cell-form", at, "a removed child with an address");
    }
    if (count % 2 !== 0) this.defect("cell-sequence", end, "the last key has no address");
    this.countIs(count, entries);
  }

  /** Compares the key just read with the one before and remembers it. */
  private takeKey(at: number, compare: boolean): void {
    const { cell } = this;
    if (cell.type === keyOverflow) {
      this.keyKnown = false;
      this.keyStart = this.keyEnd = 0;
      return;
    }
    const { prefix, dataStart, dataEnd } = cell;
    const length = this.keyEnd - this.keyStart;
    if (prefix > length || (prefix > 0 && !this.keyKnown))
      this.defect(
        "key-prefix",
        at,
        `${prefix} bytes of a key of ${this.keyKnown ? length : "unknown"} bytes`,
      );
    else if (compare && this.ordered && this.keyKnown && !this.ascends(prefix, dataStart, dataEnd))
      this.defect("key-order", at, "the key is not above the one before it");
    if (prefix === 0) {
      this.keyBytes = this.bytes;
      this.keyStart = dataStart;
      this.keyEnd = dataEnd;
    } else this.rebuild(Math.min(prefix, length), dataStart, dataEnd);
    this.keyKnown = true;
  }

  private ascends(prefix: number, start: number, end: number): boolean {
    const { bytes, keyBytes, keyEnd } = this;
    let a = this.keyStart + prefix;
    let b = start;
    while (a < keyEnd && b < end) {
      const difference = (keyBytes[a++] as number) - (bytes[b++] as number);
      if (difference !== 0) return difference < 0;
    }
    return b < end;
  }

  private rebuild(prefix: number, start: number, end: number): void {
    const length = prefix + end - start;
    if (length > this.scratch.length) {
      const grown = new Uint8Array(Math.max(length, this.scratch.length * 2));
      grown.set(this.scratch);
      if (this.keyBytes === this.scratch) this.keyBytes = grown;
      this.scratch = grown;
    }
    const { scratch, bytes } = this;
    if (this.keyBytes !== scratch)
      for (let i = 0; i < prefix; i++) scratch[i] = this.keyBytes[this.keyStart + i] as number;
    for (let i = start, to = prefix; i < end; i++) scratch[to++] = bytes[i] as number;
    this.keyBytes = scratch;
    this.keyStart = 0;
    this.keyEnd = length;
  }

  /** A copy must point at the start of an earlier value; those are only marked on pages that have copies. */
  private checkCopy(at: number, payload: number): void {
    const { copyOf, next } = this.cell;
    if (!this.marking) this.markValues(payload, at);
    this.cell.next = next;
    if (copyOf < payload || this.marks[copyOf] === 0)
      this.defect("cell-copy", at, `a copy of what is at ${copyOf}, where no value begins`);
  }

  private markValues(payload: number, to: number): void {
    const { cell, bytes } = this;
    if (this.marks.length < bytes.length) this.marks = new Uint8Array(bytes.length);
    else this.marks.fill(0, 0, bytes.length);
    this.marking = true;
    for (let at = payload; at < to && cell.read(at); at = cell.next)
      if (((1 << cell.type) & COPIED) !== 0) this.marks[at] = 1;
  }

  private walkColumnInternal({ payload, entries, recno }: PageShape): void {
    const { cell, bytes } = this;
    let count = 0;
    let before = -1n;
    for (let at = payload; at < bytes.length; at = cell.next) {
      if (!this.read(at)) return;
      if (((1 << cell.type) & CHILDREN) === 0)
        this.defect("cell-type", at, `cell type ${cell.type} on a column internal page`);
      const number = this.number();
      if (count === 0 ? number !== recno : number <= before)
        this.defect(
          "record-numbers",
          at,
          count === 0
            ? `the first child begins at ${number}, the page at ${recno}`
            : `child at ${number} after ${before}`,
        );
      before = number;
      count++;
      if (((1 << cell.type) & COOKIES) !== 0)
        this.sink.address?.(cell.type, cell.dataStart, cell.dataEnd, bytes);
    }
    this.countIs(count, entries);
  }

  private number(): bigint {
    return (BigInt(this.cell.numberHigh) << 32n) | BigInt(this.cell.numberLow);
  }

  private walkColumnVariable({ payload, entries, recno }: PageShape): void {
    const { cell, bytes } = this;
    let count = 0;
    let records = recno;
    for (let at = payload; at < bytes.length; at = cell.next) {
      if (!this.read(at)) return;
      const { type } = cell;
      if (((1 << type) & (VALUES | bit(deleted))) === 0)
        this.defect("cell-type", at, `cell type ${type} on a column leaf`);
      records += this.number() || 1n;
      count++;
      if (((1 << type) & COOKIES) !== 0) this.sink.address?.(type, cell.dataStart, cell.dataEnd, bytes);
      if (type === valueCopy) this.checkCopy(at, payload);
      else if (this.marking && ((1 << type) & COPIED) !== 0) this.marks[at] = 1;
    }
    if (recno === 0n || records >= 1n << 64n)
      this.defect("record-numbers", 0, `records ${recno} to ${records - 1n}`);
    this.countIs(count, entries);
  }

  /** A bitmap, in newer files followed by the windows of single records. */
  private walkColumnFixed({ payload, entries, bits }: PageShape): void {
    if (bits === undefined) return;
    const size = Math.ceil((entries * bits) / 8);
    const { bytes } = this;
    const start = payload + size;
    if (start > bytes.length)
      this.defect("payload-size", bytes.length, `${entries} records of ${bits} bits need ${size} bytes`);
    else if (start < bytes.length) this.walkWindows(start, entries);
  }

  private walkWindows(start: number, entries: number): void {
    const { bytes, cell } = this;
    try {
      const count = readPackedNumber(bytes, start + 1, bytes.length, entries);
      const field = start + 1 + packedLength(bytes[start + 1] as number);
      const offset = readPackedNumber(bytes, field, bytes.length, bytes.length - start);
      let cells = 0;
      for (let at = start + offset; at < bytes.length; at = cell.next, cells++) {
        if (!this.read(at)) return;
        const wanted = cells % 2 === 0 ? key : value;
        if (cell.type !== wanted)
          return this.defect("cell-sequence", at, `cell type ${cell.type} in the window area`);
      }
      if (cells !== 2 * count) this.defect("cell-count", start, `${cells} cells for ${count} windows`);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.defect("cell-packed", error.offset ?? start, error.message);
    }
  }

  private checkSize({ payload, entries }: PageShape): void {
    if (this.bytes.length - payload !== entries)
      this.defect(
        "payload-size",
        this.bytes.length,
        `${this.bytes.length - payload} bytes, the header says ${entries}`,
      );
  }

  private walkDelta(shape: PageShape): void {
    if (shape.delta === "entries" || (shape.delta === "unknown" && !this.looksLikeCells(shape))) {
      if (shape.type === pageTypes.rowLeaf) this.walkLeafEntries(shape);
      else this.walkInternalEntries(shape);
    } else if (shape.type === pageTypes.rowLeaf) this.walkDeltaLeaf(shape);
    else this.walkPairs(shape, bit(key, keyPrefix), DELTA_CHILDREN, true);
  }

  /** Whether the payload is as many cells as the header says, with nothing left over. */
  private looksLikeCells({ payload, entries }: PageShape): boolean {
    const { cell, bytes } = this;
    let count = 0;
    for (let at = payload; at < bytes.length; at = cell.next)
      if (++count > entries || !cell.read(at)) return false;
    return count === entries;
  }

  private walkDeltaLeaf({ payload, entries }: PageShape): void {
    const { cell, bytes } = this;
    let count = 0;
    for (let at = payload; at < bytes.length; at = cell.next) {
      if (!this.read(at)) return;
      const isKey = count % 2 === 0;
      count++;
      if (((1 << cell.type) & (isKey ? bit(key, keyPrefix) : bit(value))) === 0)
        return this.defect(
          "cell-sequence",
          at,
          `cell type ${cell.type} where a ${isKey ? "key" : "value"} is due`,
        );
      if (isKey) this.takeKey(at, true);
      else this.checkDeltaValue();
    }
    if (count % 2 !== 0) this.defect("cell-sequence", bytes.length, "the last key has no value");
    this.countIs(count, entries);
  }

  /** Flags and value: one byte in front, or behind a value with its length. */
  private checkDeltaValue(): void {
    const { dataStart, dataEnd } = this.cell;
    const first = this.bytes[dataStart] as number;
    if (dataStart === dataEnd) this.defect("delta-value", dataStart, "no flag byte");
    else if (first < PACKED_ZERO) {
      if (first > 1 || (first === 1 && dataEnd !== dataStart + 1))
        this.defect("delta-value", dataStart, `flags ${first}`);
    } else this.checkSizedDeltaValue(dataStart, dataEnd);
  }

  private checkSizedDeltaValue(start: number, end: number): void {
    try {
      const length = readPackedNumber(this.bytes, start, end, end - start);
      const flags = start + packedLength(this.bytes[start] as number) + length;
      if (flags + 1 !== end || (this.bytes[flags] as number) > 1)
        this.defect("delta-value", start, "length and flag do not fit");
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.defect("delta-value", error.offset ?? start, error.message);
    }
  }

  private walkLeafEntries({ payload, entries }: PageShape): void {
    const { bytes } = this;
    const end = bytes.length;
    let count = 0;
    let at = payload;
    try {
      while (at < end) {
        at = this.leafEntry(at, end);
        count++;
      }
      this.countIs(count, entries);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.defect(
        error.code === "truncated" ? "cell-truncated" : "cell-packed",
        error.offset ?? at,
        error.message,
      );
    }
  }

  /** One entry of an old leaf delta; returns where the next begins. */
  private leafEntry(start: number, end: number): number {
    const { bytes } = this;
    const flags = bytes[start] as number;
    if (flags > (oldDeltaFlags.delete << 1) - 1)
      throw new FormatError({ code: "unknown-bits", message: `entry flags ${flags}`, offset: start });
    const removed = (flags & oldDeltaFlags.delete) !== 0;
    let at = start + 1;
    if (!removed)
      for (let rest = flags; rest !== 0; rest &= rest - 1) {
        readPackedUnsigned(bytes, at, end);
        at += packedLength(bytes[at] as number);
      }
    const keyLength = readPackedNumber(bytes, at, end, end - at);
    at += packedLength(bytes[at] as number);
    const valueLength = removed ? 0 : readPackedNumber(bytes, at, end, end - at);
    if (!removed) at += packedLength(bytes[at] as number);
    if (keyLength + valueLength > end - at)
      throw new FormatError({
        code: "truncated",
        message: "key and value reach beyond the delta",
        offset: at,
      });
    this.plainKey(start, at, at + keyLength);
    return at + keyLength + valueLength;
  }

  private plainKey(at: number, start: number, end: number): void {
    if (this.keyKnown && this.ordered && !this.ascends(0, start, end))
      this.defect("key-order", at, "the key is not above the one before it");
    this.keyBytes = this.bytes;
    this.keyStart = start;
    this.keyEnd = end;
    this.keyKnown = true;
  }

  private walkInternalEntries({ payload, entries }: PageShape): void {
    const { cell, bytes } = this;
    let count = 0;
    for (let at = payload; at < bytes.length; at = cell.next, count++) {
      const flags = bytes[at] as number;
      if (flags > oldInternalFlags.delete) return this.defect("cell-form", at, `entry flags ${flags}`);
      if (at + 1 >= bytes.length) return this.defect("cell-truncated", at, "an entry without a key");
      if (!this.read(at + 1)) return;
      if (cell.type !== key)
        return this.defect("cell-sequence", at + 1, `cell type ${cell.type} where a key is due`);
      this.takeKey(at + 1, true);
      if (flags === oldInternalFlags.delete) continue;
      const address = cell.next;
      if (address >= bytes.length)
        return this.defect("cell-truncated", address, "a key without a child's address");
      if (!this.read(address)) return;
      if (((1 << cell.type) & CHILDREN) === 0)
        return this.defect("cell-sequence", address, `cell type ${cell.type} where an address is due`);
      this.sink.address?.(cell.type, cell.dataStart, cell.dataEnd, bytes);
    }
    this.countIs(count, entries);
  }
}
