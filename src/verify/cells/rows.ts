/**
 * Keys and what belongs to them, out of the images of row-store pages and deltas: enough to follow metadata and the
 * children of internal pages. Images must have been walked before: a cell that cannot be read ends the rows.
 */
import { cellTypes, windowBits } from "../../../formats/cell.js";
import { deltaValueFlags, oldDeltaFlags, oldInternalFlags } from "../../../formats/delta.js";
import { pageFlags, pageTypes } from "../../../formats/page-header.js";
import { PACKED_ZERO, packedLength, readPackedNumber } from "../../codec/packed.js";
import { CellReader } from "./cell-reader.js";
import type { PageShape } from "./walk.js";

export interface Row {
  /** Undefined for an overflow key: its cookie is in `keyCookie`. */
  readonly key: Uint8Array | undefined;
  readonly keyCookie?: Uint8Array;
  /** A value, or the cookie of a child. Empty where the key has no value cell. */
  readonly data: Uint8Array;
  /** As `cellTypes`. */
  readonly type: number;
  /** The value is visible to nobody any more, or to older readers only; in a delta: the key is removed. */
  readonly stopped: boolean;
  readonly removed: boolean;
}

const STOPS = windowBits.stopTs | windowBits.stopTxn;
const isKey = (type: number): boolean =>
  type === cellTypes.key || type === cellTypes.keyPrefix || type === cellTypes.keyOverflow;

/** The rows of a row leaf, a row internal page, or a delta of either. All arrays are views of the image. */
export function* rowsOf(image: Uint8Array, shape: PageShape): IterableIterator<Row> {
  if (shape.delta === undefined) yield* pairs(image, shape, false);
  else if (shape.delta === "entries" || !isCells(image, shape)) yield* entries(image, shape);
  else yield* pairs(image, shape, shape.type === pageTypes.rowLeaf);
}

function isCells(image: Uint8Array, { payload, entries: expected, flags }: PageShape): boolean {
  const cell = new CellReader();
  cell.reset(image, image.length, (flags & pageFlags.fastTruncate) !== 0);
  let count = 0;
  for (let at = payload; at < image.length; at = cell.next)
    if (++count > expected || !cell.read(at)) return false;
  return count === expected;
}

interface PendingKey {
  readonly bytes: Uint8Array | undefined;
  readonly cookie: Uint8Array | undefined;
}

function* pairs(
  image: Uint8Array,
  { payload, flags }: PageShape,
  deltaValues: boolean,
): IterableIterator<Row> {
  const cell = new CellReader();
  cell.reset(image, image.length, (flags & pageFlags.fastTruncate) !== 0);
  let before: Uint8Array = new Uint8Array();
  let pending: PendingKey | undefined;
  for (let at = payload; at < image.length && cell.read(at); at = cell.next) {
    if (isKey(cell.type)) {
      if (pending !== undefined) yield withoutValue(pending);
      pending = keyOf(cell, image, before);
      before = pending.bytes ?? new Uint8Array();
    } else if (pending !== undefined) {
      yield rowOf(pending, cell, image, deltaValues);
      pending = undefined;
    }
  }
  if (pending !== undefined) yield withoutValue(pending);
}

function keyOf(cell: CellReader, image: Uint8Array, before: Uint8Array): PendingKey {
  const own = image.subarray(cell.dataStart, cell.dataEnd);
  if (cell.type === cellTypes.keyOverflow) return { bytes: undefined, cookie: own };
  if (cell.prefix === 0) return { bytes: own, cookie: undefined };
  const key = new Uint8Array(cell.prefix + own.length);
  key.set(before.subarray(0, cell.prefix));
  key.set(own, cell.prefix);
  return { bytes: key, cookie: undefined };
}

const keyPart = ({ bytes, cookie }: PendingKey): Pick<Row, "key" | "keyCookie"> =>
  cookie === undefined ? { key: bytes } : { key: bytes, keyCookie: cookie };

const withoutValue = (pending: PendingKey): Row => ({
  ...keyPart(pending),
  data: new Uint8Array(),
  type: cellTypes.value,
  stopped: false,
  removed: false,
});

function rowOf(pending: PendingKey, cell: CellReader, image: Uint8Array, deltaValue: boolean): Row {
  const { type } = cell;
  const stopped = (cell.window & STOPS) !== 0;
  if (type === cellTypes.valueCopy) return copiedRow(pending, cell, image, stopped);
  const data = image.subarray(cell.dataStart, cell.dataEnd);
  if (deltaValue) return { ...keyPart(pending), type, stopped, ...deltaPayload(data) };
  return { ...keyPart(pending), data, type, stopped, removed: type === cellTypes.addressDeletedVisibleAll };
}

function copiedRow(pending: PendingKey, cell: CellReader, image: Uint8Array, stopped: boolean): Row {
  const target = new CellReader();
  target.reset(image, image.length, false);
  const data = target.read(cell.copyOf) ? image.subarray(target.dataStart, target.dataEnd) : new Uint8Array();
  return { ...keyPart(pending), data, type: target.type, stopped, removed: false };
}

/** A value in a leaf delta: flags in front, or behind a value with its length. */
function deltaPayload(payload: Uint8Array): Pick<Row, "data" | "removed"> {
  const first = payload[0] ?? 0;
  if (first < PACKED_ZERO)
    return { data: payload.subarray(1), removed: (first & deltaValueFlags.delete) !== 0 };
  const length = readPackedNumber(payload, 0, payload.length, payload.length);
  const start = packedLength(first);
  const flags = payload[start + length] ?? 0;
  return { data: payload.subarray(start, start + length), removed: (flags & deltaValueFlags.delete) !== 0 };
}

function* entries(image: Uint8Array, shape: PageShape): IterableIterator<Row> {
  if (shape.type === pageTypes.rowLeaf) yield* leafEntries(image, shape.payload);
  else yield* internalEntries(image, shape);
}

function* leafEntries(image: Uint8Array, payload: number): IterableIterator<Row> {
  const end = image.length;
  for (let at = payload; at < end; ) {
    const flags = image[at++] as number;
    const removed = (flags & oldDeltaFlags.delete) !== 0;
    if (!removed)
      for (let rest = flags; rest !== 0; rest &= rest - 1) at += packedLength(image[at] as number);
    const keyLength = readPackedNumber(image, at, end, end);
    at += packedLength(image[at] as number);
    const length = removed ? 0 : readPackedNumber(image, at, end, end);
    if (!removed) at += packedLength(image[at] as number);
    const key = image.subarray(at, at + keyLength);
    const data = image.subarray(at + keyLength, at + keyLength + length);
    const stopped = (flags & (oldDeltaFlags.stopTs | oldDeltaFlags.stopTxn)) !== 0;
    yield { key, data, type: cellTypes.value, stopped, removed };
    at += keyLength + length;
  }
}

function* internalEntries(image: Uint8Array, { payload, flags }: PageShape): IterableIterator<Row> {
  const cell = new CellReader();
  cell.reset(image, image.length, (flags & pageFlags.fastTruncate) !== 0);
  for (let at = payload; at < image.length; at = cell.next) {
    const removed = image[at] === oldInternalFlags.delete;
    if (!cell.read(at + 1)) return;
    const key = image.subarray(cell.dataStart, cell.dataEnd);
    if (!removed && !cell.read(cell.next)) return;
    const data = removed ? new Uint8Array() : image.subarray(cell.dataStart, cell.dataEnd);
    yield { key, data, type: cell.type, stopped: false, removed };
  }
}

/** Base and deltas, oldest first, as one page: the newest row of a key counts, removed keys are gone. */
export function mergeRows(chain: ReadonlyArray<Iterable<Row>>): Row[] {
  const merged = new Map<string, Row>();
  for (const [index, rows] of chain.entries())
    for (const row of rows) {
      if (row.key === undefined) continue;
      const key = binaryText(row.key);
      if (row.removed && index > 0) merged.delete(key);
      else merged.set(key, row);
    }
  return [...merged].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, row]) => row);
}

/** One character a byte: strings of this kind compare as the bytes do. */
function binaryText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
