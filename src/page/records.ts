/**
 * Children and records out of plain images of column-store pages (formats: cells and deltas §4). Images must have been
 * walked before: a cell that cannot be read ends them.
 */
import { cellTags } from "../../formats/cell.js";
import { type TimeWindow, valueWindow } from "../../formats/time-window.js";
import { type CellReader, type Truncation, truncationOf } from "./cell-reader.js";
import { copied, readerOf } from "./rows.js";
import type { PageLayout } from "./walk-types.js";

/** A child of a column-store internal page. */
export interface ColumnChild {
  /** Number of its first record. */
  readonly recno: bigint;
  /** As `cellTags`. */
  readonly tag: number;
  readonly cookie: Uint8Array;
  readonly truncation?: Truncation;
  /** Where the cell begins in the image. */
  readonly offset: number;
}

/** Records with one value, of a variable-length column page. */
export interface ColumnRun {
  /** Number of the first one. */
  readonly recno: bigint;
  readonly count: bigint;
  /** Value, or cookie of an overflow value; a view of the image. */
  readonly data: Uint8Array;
  /** As `cellTags`; a copy has the tag of what it copies; `deleted`: there are no such records. */
  readonly tag: number;
  readonly window: TimeWindow | undefined;
  readonly offset: number;
}

const number64 = (cell: CellReader, absent: bigint): bigint =>
  cell.value64At === -1 ? absent : cell.bigAt(cell.value64At);

export function* columnChildren(image: Uint8Array, layout: PageLayout): IterableIterator<ColumnChild> {
  const cell = readerOf(image, layout);
  for (let at = layout.payload; at < cell.end && cell.read(at); at = cell.next) {
    const { tag, start, dataStart, next } = cell;
    const truncation = tag === cellTags.addressDeleted ? truncationOf(cell) : undefined;
    yield {
      recno: number64(cell, layout.recno),
      tag,
      cookie: image.subarray(dataStart, next),
      offset: start,
      ...(truncation === undefined ? {} : { truncation }),
    };
  }
}

export function* columnRuns(image: Uint8Array, layout: PageLayout): IterableIterator<ColumnRun> {
  const cell = readerOf(image, layout);
  let { recno } = layout;
  for (let at = layout.payload; at < cell.end && cell.read(at); at = cell.next) {
    const { tag, start, dataStart, next } = cell;
    const count = number64(cell, 0n) || 1n;
    const slots = cell.window();
    const window = slots === undefined ? undefined : valueWindow(slots);
    const value = tag === cellTags.valueCopy ? copied(cell) : { data: image.subarray(dataStart, next), tag };
    yield { recno, count, window, offset: start, ...value };
    recno += count;
  }
}
