/**
 * Keys and what belongs to them, out of plain images of row-store pages and deltas; base and deltas merged into one
 * page. Images must have been walked before: a cell that cannot be read ends the rows.
 */
import { cellTags } from "../../formats/cell.js";
import {
  deltaLeafEntry,
  deltaValueFlags,
  oldDeltaFlags,
  oldEntryWindow,
  oldInternalFlags,
} from "../../formats/delta.js";
import { pageFlags, pageTypes } from "../../formats/page-header.js";
import { type TimeWindow, valueWindow } from "../../formats/time-window.js";
import { PACKED_ZERO, packedLength, readPackedNumber } from "../codec/packed.js";
import { CellReader, type Truncation, truncationOf } from "./cell-reader.js";
import { Defects } from "./defects.js";
import { type PageLayout, pageForms } from "./walk-types.js";

/** A key with its value, or with its child's address. Arrays are views of the image. */
export interface Row {
  /** Undefined for an overflow key: its cookie is in `keyCookie`. */
  readonly key: Uint8Array | undefined;
  readonly keyCookie?: Uint8Array;
  /** A value, or the cookie of a child or overflow value. Empty where the key has no value cell. */
  readonly data: Uint8Array;
  /** As `cellTags`; a copy has the tag of what it copies. */
  readonly tag: number;
  /** When the value was visible; undefined = to everybody, and for children. */
  readonly window: TimeWindow | undefined;
  /** In a delta: the key is gone. */
  readonly removed: boolean;
  /** Where the key's cell begins in the image. */
  readonly offset: number;
  /** Of a deleted child, where its page says so: the truncate that deleted it. */
  readonly truncation?: Truncation;
}

const { keyShort, key: keyLong, keyShortPrefix, keyPrefix, keyOverflow, valueShort, valueCopy } = cellTags;
const KEYS: ReadonlySet<number> = new Set([keyShort, keyLong, keyShortPrefix, keyPrefix, keyOverflow]);
const VALUES: ReadonlySet<number> = new Set([valueShort, cellTags.value, valueCopy, cellTags.valueOverflow]);
const NOTHING = new Uint8Array(0);
const ONE_DEFECT = 1;

/** The rows of a row leaf, a row internal page, or a delta of either, in their order. */
export function* rowsOf(image: Uint8Array, layout: PageLayout): IterableIterator<Row> {
  const { form } = layout;
  if (form === pageForms.oldDelta || (form === pageForms.anyDelta && !isCells(image, layout)))
    yield* layout.type === pageTypes.rowLeaf ? oldLeafRows(image, layout) : oldInternalRows(image, layout);
  else yield* cellRows(image, layout);
}

export function readerOf(image: Uint8Array, { flags, memSize }: PageLayout): CellReader {
  const reader = new CellReader(new Defects(ONE_DEFECT));
  reader.image = image;
  reader.end = Math.min(memSize, image.length);
  reader.fastTruncate = (flags & pageFlags.fastTruncate) !== 0;
  return reader;
}

/** Whether a delta is as many cells as its header says, keys and what belongs to them, with nothing left over. */
function isCells(image: Uint8Array, layout: PageLayout): boolean {
  const cell = readerOf(image, layout);
  let count = 0;
  for (let at = layout.payload; at < cell.end; at = cell.next) {
    if (++count > layout.entries || !cell.read(at)) return false;
    if (KEYS.has(cell.tag) !== (count % 2 === 1)) return false;
  }
  return count === layout.entries && count % 2 === 0;
}

type Key = Pick<Row, "key" | "keyCookie" | "offset">;

function* cellRows(image: Uint8Array, layout: PageLayout): IterableIterator<Row> {
  const cell = readerOf(image, layout);
  const deltaValues = layout.form !== pageForms.image && layout.type === pageTypes.rowLeaf;
  let before: Uint8Array = NOTHING;
  let pending: Key | undefined;
  for (let at = layout.payload; at < cell.end && cell.read(at); at = cell.next) {
    if (KEYS.has(cell.tag)) {
      if (pending !== undefined) yield withoutValue(pending);
      pending = keyOf(cell, before);
      // Overflow keys take no part in prefixes.
      before = pending.key ?? before;
    } else if (pending !== undefined) {
      yield deltaValues ? deltaRow(pending, cell) : rowOf(pending, cell);
      pending = undefined;
    }
  }
  if (pending !== undefined) yield withoutValue(pending);
}

const dataOf = ({ image, dataStart, next }: CellReader): Uint8Array => image.subarray(dataStart, next);

function keyOf(cell: CellReader, before: Uint8Array): Key {
  const own = dataOf(cell);
  const offset = cell.start;
  if (cell.tag === keyOverflow) return { key: undefined, keyCookie: own, offset };
  if (cell.prefix <= 0) return { key: own, offset };
  const key = new Uint8Array(cell.prefix + own.length);
  key.set(before.subarray(0, cell.prefix));
  key.set(own, cell.prefix);
  return { key, offset };
}

const withoutValue = (key: Key): Row => ({
  ...key,
  data: NOTHING,
  tag: valueShort,
  window: undefined,
  removed: false,
});

function rowOf(key: Key, cell: CellReader): Row {
  const { tag } = cell;
  const slots = VALUES.has(tag) ? cell.window() : undefined;
  const window = slots === undefined ? undefined : valueWindow(slots);
  if (tag === valueCopy) return { ...key, ...copied(cell), window, removed: false };
  const data = dataOf(cell);
  const removed = tag === cellTags.addressDeletedVisibleAll;
  // Written out: copying properties costs more than all else here.
  const row: Row =
    key.keyCookie === undefined
      ? { key: key.key, data, tag, window, removed, offset: key.offset }
      : { ...key, data, tag, window, removed };
  const truncation = tag === cellTags.addressDeleted ? truncationOf(cell) : undefined;
  return truncation === undefined ? row : { ...row, truncation };
}

/** Data and type of the cell a copy points at. */
export function copied({ image, end, start, distance }: CellReader): Pick<Row, "data" | "tag"> {
  const target = new CellReader(new Defects(ONE_DEFECT));
  target.image = image;
  target.end = end;
  return target.read(start - distance)
    ? { data: dataOf(target), tag: target.tag }
    : { data: NOTHING, tag: valueShort };
}

/** A value of a leaf delta: its flags stand in front, or behind a value with its length. */
function deltaRow(key: Key, cell: CellReader): Row {
  const slots = cell.window();
  const window = slots === undefined ? undefined : valueWindow(slots);
  const payload = dataOf(cell);
  const first = payload[0] ?? 0;
  const isRemoved = (flags: number): boolean => (flags & deltaValueFlags.delete) !== 0;
  if (first < PACKED_ZERO)
    return { ...key, tag: cell.tag, window, data: payload.subarray(1), removed: isRemoved(first) };
  const length = readPackedNumber(payload, 0, payload.length, payload.length);
  const start = packedLength(first);
  const data = payload.subarray(start, start + length);
  return { ...key, tag: cell.tag, window, data, removed: isRemoved(payload[start + length] ?? 0) };
}

function* oldLeafRows(image: Uint8Array, { payload, memSize }: PageLayout): IterableIterator<Row> {
  for (let at = payload; at < memSize; ) {
    const reading = deltaLeafEntry.read(image.subarray(at, memSize), { partial: true });
    if (!reading.ok) return;
    const { value: entry, length } = reading;
    const removed = (entry.flags & oldDeltaFlags.delete) !== 0;
    const window = entry.flags === 0 || removed ? undefined : oldEntryWindow(entry);
    yield { key: entry.key, data: entry.value ?? NOTHING, tag: cellTags.value, window, removed, offset: at };
    at += length;
  }
}

function* oldInternalRows(image: Uint8Array, layout: PageLayout): IterableIterator<Row> {
  const cell = readerOf(image, layout);
  for (let at = layout.payload; at < cell.end; at = cell.next) {
    const removed = ((image[at] as number) & oldInternalFlags.delete) !== 0;
    if (!cell.read(at + 1)) return;
    const key = dataOf(cell);
    if (!removed && !cell.read(cell.next)) return;
    const data = removed ? NOTHING : dataOf(cell);
    yield { key, data, tag: cell.tag, window: undefined, removed, offset: at };
  }
}

/** A row of a merged page, and which part of the chain it is from: 0 = the image, 1 = the first delta, … */
export type MergedRow = Row & { readonly part: number };

/**
 * Image and deltas, oldest first, as one page: the newest row of a key counts, removed keys are gone. The first key of
 * an internal page is always the image's: no delta names it.
 */
export function mergeRows(chain: ReadonlyArray<Iterable<Row>>): MergedRow[] {
  const [base = [], ...deltas] = chain;
  const rows: MergedRow[] = [];
  for (const row of base as Iterable<Row & { part: number }>) {
    row.part = 0;
    rows.push(row);
  }
  if (deltas.length === 0) return rows;
  const changes = new Map<string, MergedRow>();
  for (const [index, delta] of deltas.entries())
    for (const row of delta)
      if (row.key !== undefined) changes.set(sortable(row.key), { ...row, part: index + 1 });
  return interleave(
    rows,
    [...changes].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function interleave(
  rows: readonly MergedRow[],
  changes: ReadonlyArray<readonly [string, MergedRow]>,
): MergedRow[] {
  const merged: MergedRow[] = [];
  let next = 0;
  const keep = (row: MergedRow): void => {
    if (!row.removed) merged.push(row);
  };
  for (const [index, row] of rows.entries()) {
    // The first key of an internal page is below everything, whatever it says.
    const key = row.key === undefined ? undefined : sortable(row.key);
    const isFirstChild = index === 0 && !VALUES.has(row.tag);
    while (
      !isFirstChild &&
      key !== undefined &&
      next < changes.length &&
      (changes[next] as [string, MergedRow])[0] < key
    )
      keep((changes[next++] as [string, MergedRow])[1]);
    const change = changes[next];
    if (change !== undefined && change[0] === key) {
      keep(change[1]);
      next++;
    } else keep(row);
  }
  for (; next < changes.length; next++) keep((changes[next] as [string, MergedRow])[1]);
  return merged;
}

/** One character a byte: strings of this kind compare as the bytes do. */
function sortable(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
