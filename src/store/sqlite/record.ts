/** The columns of a SQLite record, without an object a column. */
import { SQLITE_VARINT_MAX, sqliteIntegerSizes, sqliteSerialTypes as TYPE } from "../../../formats/sqlite.js";

const MAX_COLUMNS = 64;

/** A varint and its length, to be read off after `readVarint`. */
export const varint = { value: 0, length: 0 };

/** Bytes the varint at `at` takes, its value in `varint`; 0 when it is cut off. Above 2^53 the value is inexact. */
export function readVarint(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let length = 1; at + length <= end; length++) {
    const byte = bytes[at + length - 1] as number;
    const last = length === SQLITE_VARINT_MAX;
    value = last ? value * 256 + byte : value * 128 + (byte & 0x7f);
    if (last || byte < 0x80) {
      varint.value = value;
      varint.length = length;
      return length;
    }
  }
  varint.length = 0;
  return 0;
}

function contentSize(type: number): number {
  if (type >= TYPE.firstBlob) return Math.floor((type - TYPE.firstBlob) / 2);
  return type === TYPE.real ? 8 : (sqliteIntegerSizes[type] ?? 0);
}

/** One record at a time; reading the next forgets the last. */
export class RecordView {
  /** Columns the record has; those behind the first 64 are not looked at. */
  count = 0;
  private payload: Uint8Array = new Uint8Array(0);
  private readonly types = new Float64Array(MAX_COLUMNS);
  private readonly starts = new Float64Array(MAX_COLUMNS);

  /** False when the header makes no sense. The contents of the last columns may be cut off all the same. */
  read(payload: Uint8Array): boolean {
    this.payload = payload;
    this.count = 0;
    let at = readVarint(payload, 0, payload.length);
    const header = varint.value;
    if (at === 0 || header < at || header > payload.length) return false;
    for (let start = header; at < header && this.count < MAX_COLUMNS; ) {
      const length = readVarint(payload, at, header);
      if (length === 0) return false;
      at += length;
      this.types[this.count] = varint.value;
      this.starts[this.count++] = start;
      start += contentSize(varint.value);
    }
    return true;
  }

  /** Serial type of a column; null for one the record does not have. */
  type(column: number): number {
    return column < this.count ? (this.types[column] as number) : TYPE.null;
  }

  isInteger(column: number): boolean {
    const type = this.type(column);
    return type !== TYPE.null && type <= TYPE.one && type !== TYPE.real;
  }

  isText(column: number): boolean {
    const type = this.type(column);
    return type >= TYPE.firstText && type % 2 === 1;
  }

  /** A whole column that is an integer. */
  integer(column: number): bigint | undefined {
    const type = this.type(column);
    if (type === TYPE.zero) return 0n;
    if (type === TYPE.one) return 1n;
    const size = this.isInteger(column) ? contentSize(type) : 0;
    const start = this.starts[column] as number;
    if (size === 0 || start + size > this.payload.length) return undefined;
    return integerAt(this.payload, start, size);
  }

  /** What there is of a column that is a blob or text; undefined for another type. */
  bytes(column: number): Uint8Array | undefined {
    const type = this.type(column);
    if (type < TYPE.firstBlob) return undefined;
    const start = this.starts[column] as number;
    return this.payload.subarray(start, start + contentSize(type));
  }

  /** Whether the column's content is all there. */
  isWhole(column: number): boolean {
    return (
      column < this.count &&
      (this.starts[column] as number) + contentSize(this.type(column)) <= this.payload.length
    );
  }
}

function integerAt(bytes: Uint8Array, start: number, size: number): bigint {
  if (size === 8) return new DataView(bytes.buffer, bytes.byteOffset + start, 8).getBigInt64(0);
  let value = ((bytes[start] as number) << 24) >> 24;
  for (let i = 1; i < size; i++) value = value * 256 + (bytes[start + i] as number);
  return BigInt(value);
}
