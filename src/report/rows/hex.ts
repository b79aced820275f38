/** Rows as the engine's `dump -x` prints them (formats: classic file format §7). */
import { pageTypes } from "../../../formats/page-header.js";
import { LeafCursor } from "../../page/leaf-cursor.js";
import type { KeyRange, PagePart, TableReader, TreeLeaf, TreeRow } from "../../tree/types.js";

/** Bytes collected before they are handed on. */
const CHUNK = 256 * 1024;
const NEWLINE = 10;
/** By byte: its two digits, the first in the low half. */
const DIGITS = Uint16Array.from({ length: 256 }, (_, byte) => {
  const text = byte.toString(16).padStart(2, "0");
  return text.charCodeAt(0) | (text.charCodeAt(1) << 8);
});

class HexText {
  private buffer = new Uint8Array(CHUNK);
  private view = new DataView(this.buffer.buffer);
  length = 0;

  /** A line of hex digits. */
  addBytes(bytes: Uint8Array, start: number, end: number): void {
    this.reserve(2 * (end - start) + 1);
    const { view } = this;
    let at = this.length;
    let from = start;
    for (const last = end - 1; from < last; from += 2, at += 4) {
      const digits =
        (DIGITS[bytes[from] as number] as number) | ((DIGITS[bytes[from + 1] as number] as number) << 16);
      view.setInt32(at, digits, true);
    }
    if (from < end) {
      view.setUint16(at, DIGITS[bytes[from] as number] as number, true);
      at += 2;
    }
    view.setUint8(at, NEWLINE);
    this.length = at + 1;
  }

  /** A line of digits. */
  addNumber(value: bigint): void {
    const text = value.toString();
    this.reserve(text.length + 1);
    for (let i = 0; i < text.length; i++) this.buffer[this.length++] = text.charCodeAt(i);
    this.buffer[this.length++] = NEWLINE;
  }

  addRow({ key, value }: TreeRow): void {
    if (typeof key === "bigint") this.addNumber(key);
    else this.addBytes(key, 0, key.length);
    this.addBytes(value, 0, value.length);
  }

  get isFull(): boolean {
    return this.length >= CHUNK / 2;
  }

  /** What was added; the caller may keep it. */
  take(): Uint8Array {
    const text = this.buffer.subarray(0, this.length);
    this.use(new Uint8Array(CHUNK));
    this.length = 0;
    return text;
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(2 * this.buffer.length, this.length + bytes));
    grown.set(this.buffer.subarray(0, this.length));
    this.use(grown);
  }

  private use(buffer: Uint8Array<ArrayBuffer>): void {
    this.buffer = buffer;
    this.view = new DataView(buffer.buffer);
  }
}

/** A line with the key, a line with the value, in hex; record numbers in decimal. */
export function* hexRows(rows: Iterable<TreeRow>): Generator<Uint8Array> {
  const text = new HexText();
  for (const row of rows) {
    text.addRow(row);
    if (text.isFull) yield text.take();
  }
  yield text.take();
}

/** As `hexRows` of all the table's rows, and counts them. Rows of plain leaves are never made into objects. */
export class HexDump {
  rows = 0;
  /** Of these, written by prepared transactions. */
  prepared = 0;
  private readonly text = new HexText();
  private readonly cursor = new LeafCursor();

  constructor(private readonly reader: TableReader) {}

  *chunks(): Generator<Uint8Array> {
    const { text, reader } = this;
    for (const leaf of reader.leaves()) {
      if (!reader.isPlain || !this.addPlainLeaf(leaf))
        for (const row of reader.rows(leaf)) {
          this.rows++;
          if (row.window?.prepare === true) this.prepared++;
          text.addRow(row);
          if (text.isFull) yield text.take();
        }
      if (text.isFull) yield text.take();
    }
    reader.finish();
    yield text.take();
  }

  /** False, with nothing added, for a leaf that needs more than its own image, or is not in its place. */
  private addPlainLeaf({ page, range }: TreeLeaf): boolean {
    if (page.type !== pageTypes.rowLeaf || page.parts.length !== 1) return false;
    const { text, cursor } = this;
    const { image, layout } = page.parts[0] as PagePart;
    const start = text.length;
    let [rows, prepared, count] = [0, 0, 0];
    cursor.begin(image, layout);
    while (cursor.next()) {
      if (cursor.overflow || (count++ === 0 && isBelow(cursor, range))) {
        text.length = start;
        return false;
      }
      if (cursor.stopped) continue;
      rows++;
      if (cursor.prepared) prepared++;
      text.addBytes(cursor.keyBytes, cursor.keyStart, cursor.keyEnd);
      text.addBytes(image, cursor.valueStart, cursor.valueEnd);
    }
    if (count > 0 && isAbove(cursor, range)) {
      text.length = start;
      return false;
    }
    this.rows += rows;
    this.prepared += prepared;
    return true;
  }
}

const isBelow = (cursor: LeafCursor, { from }: KeyRange): boolean =>
  from instanceof Uint8Array && compareKey(cursor, from) < 0;
const isAbove = (cursor: LeafCursor, { to }: KeyRange): boolean =>
  to instanceof Uint8Array && compareKey(cursor, to) >= 0;

function compareKey({ keyBytes, keyStart, keyEnd }: LeafCursor, other: Uint8Array): number {
  const length = keyEnd - keyStart;
  for (let i = 0; i < Math.min(length, other.length); i++) {
    const difference = (keyBytes[keyStart + i] as number) - (other[i] as number);
    if (difference !== 0) return difference;
  }
  return length - other.length;
}
