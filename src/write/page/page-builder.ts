/** Row-store pages as they are built, cell by cell: full images of leaves and internal pages, and deltas of both. */
import { pageFlags, pageTypes } from "../../../formats/page-header.js";
import type { TimeAggregate, TimeWindow } from "../../../formats/time-window.js";
import type { WriteGeneration } from "../generation.js";
import { AggregateBuilder } from "./aggregate.js";
import { type BlockHeaderGeneration, headerSize } from "./block-writer.js";
import { CellWriter, type ChildType } from "./cell-writer.js";

/** The longest prefix that can be said: it is one byte. */
const MAX_PREFIX = 0xff;

/** What is built so far; the image is a view of memory that the next page uses again. */
export interface BuiltPage {
  readonly image: Uint8Array;
  readonly delta: boolean;
  readonly type: number;
  readonly pageFlags: number;
  readonly entries: number;
}

export interface LeafOptions {
  readonly headers: BlockHeaderGeneration;
  /** Shared beginnings of keys are left out from this many bytes on; 0 = never. */
  readonly minPrefix: number;
}

/** A row-leaf image. */
export class LeafBuilder {
  private readonly cells = new CellWriter();
  private readonly windows = new AggregateBuilder();
  private entries = 0;
  private values = 0;
  private previous: Uint8Array | undefined;
  /** No prefix is longer than the one before it, until a key has none. */
  private lastPrefix = 0;
  rows = 0;

  constructor(private readonly options: LeafOptions) {
    this.reset();
  }

  reset(): void {
    this.cells.reset(headerSize(this.options.headers, false));
    this.windows.reset();
    this.entries = this.values = this.rows = 0;
    this.previous = undefined;
    this.lastPrefix = 0;
  }

  /** Bytes of the image. */
  get size(): number {
    return this.cells.length;
  }
  get aggregate(): TimeAggregate {
    return this.windows.result();
  }

  /** Appends a row, unless the image then had more than `limit` bytes; the first row always fits. */
  add(key: Uint8Array, value: Uint8Array, window: TimeWindow | undefined, limit: number): boolean {
    const { cells } = this;
    const before = cells.length;
    const prefix = this.prefixOf(key);
    cells.key(key, prefix);
    const hasValue = cells.value(value, window);
    if (cells.length > limit && this.rows > 0) {
      cells.length = before;
      return false;
    }
    this.rows++;
    this.entries += hasValue ? 2 : 1;
    if (hasValue) this.values++;
    this.previous = key;
    this.lastPrefix = prefix;
    this.windows.addWindow(window);
    return true;
  }

  private prefixOf(key: Uint8Array): number {
    const { minPrefix } = this.options;
    if (minPrefix === 0 || this.previous === undefined) return 0;
    const prefix = commonPrefix(this.previous, key, this.lastPrefix || MAX_PREFIX);
    return prefix < minPrefix ? 0 : prefix;
  }

  build(): BuiltPage {
    const { cells, entries, values, rows } = this;
    const all = values === 0 ? pageFlags.emptyValuesAll : 0;
    return {
      image: cells.bytes.subarray(0, cells.length),
      delta: false,
      type: pageTypes.rowLeaf,
      pageFlags: values === rows ? pageFlags.emptyValuesNone : all,
      entries,
    };
  }
}

/** How many leading bytes two keys share, up to `most`. */
export function commonPrefix(a: Uint8Array, b: Uint8Array, most = Number.POSITIVE_INFINITY): number {
  const end = Math.min(a.length, b.length, most);
  let length = 0;
  while (length < end && a[length] === b[length]) length++;
  return length;
}

/** A child as its parent holds it. */
export interface ChildAddress {
  readonly type: ChildType;
  readonly aggregate: TimeAggregate;
  readonly cookie: Uint8Array;
  /** The address cell as it stands on an earlier image: it is copied. */
  readonly cell?: Uint8Array;
}

/** A row-internal image. */
export class InternalBuilder {
  private readonly cells = new CellWriter();
  private readonly windows = new AggregateBuilder();
  children = 0;

  constructor(private readonly headers: BlockHeaderGeneration) {
    this.reset();
  }

  reset(): void {
    this.cells.reset(headerSize(this.headers, false));
    this.windows.reset();
    this.children = 0;
  }

  get size(): number {
    return this.cells.length;
  }
  get aggregate(): TimeAggregate {
    return this.windows.result();
  }

  /** Appends a child, unless the image then had more than `limit` bytes; two children always fit. */
  add(key: Uint8Array, child: ChildAddress, limit: number): boolean {
    const { cells } = this;
    const before = cells.length;
    cells.key(key);
    if (child.cell === undefined) cells.address(child.type, child.aggregate, child.cookie);
    else cells.copy(child.cell);
    if (cells.length > limit && this.children >= 2) {
      cells.length = before;
      return false;
    }
    this.children++;
    this.windows.addAggregate(child.aggregate);
    return true;
  }

  build(): BuiltPage {
    const { cells, children } = this;
    return {
      image: cells.bytes.subarray(0, cells.length),
      delta: false,
      type: pageTypes.rowInternal,
      pageFlags: pageFlags.fastTruncate,
      entries: 2 * children,
    };
  }
}

/** Changes of a page, in the form of the generation. Keys ascend; none is prefix-compressed. */
export class DeltaBuilder {
  private readonly cells = new CellWriter();
  private readonly entry: number;
  private changes = 0;
  private type: number = pageTypes.rowLeaf;

  constructor(private readonly generation: Pick<WriteGeneration, "blockHeader" | "delta">) {
    // P0 counts entries, later forms count the two cells of each.
    this.entry = generation.delta === "P0" ? 1 : 2;
    this.reset(pageTypes.rowLeaf);
  }

  /** Starts the delta of a page of this type. */
  reset(type: number): void {
    this.cells.reset(headerSize(this.generation.blockHeader, true));
    this.changes = 0;
    this.type = type;
  }

  get size(): number {
    return this.cells.length;
  }

  row(key: Uint8Array, value: Uint8Array, window: TimeWindow | undefined): void {
    this.leaf(key, value, window, false);
  }

  removedRow(key: Uint8Array): void {
    this.leaf(key, NOTHING, undefined, true);
  }

  private leaf(key: Uint8Array, value: Uint8Array, window: TimeWindow | undefined, removed: boolean): void {
    const { cells } = this;
    const { delta } = this.generation;
    if (delta === "P0") cells.oldLeafEntry(key, value, window, removed);
    else {
      cells.key(key);
      cells.deltaValue(delta, value, window, removed);
    }
    this.changes++;
  }

  child(key: Uint8Array, { type, aggregate, cookie }: ChildAddress): void {
    const { cells } = this;
    if (this.generation.delta === "P0") cells.oldInternalFlags(false);
    cells.key(key);
    cells.address(type, aggregate, cookie);
    this.changes++;
  }

  removedChild(key: Uint8Array): void {
    const { cells } = this;
    const old = this.generation.delta === "P0";
    if (old) cells.oldInternalFlags(true);
    cells.key(key);
    if (!old) cells.removedChild();
    this.changes++;
  }

  build(): BuiltPage {
    const { cells, changes, type } = this;
    return {
      image: cells.bytes.subarray(0, cells.length),
      delta: true,
      type,
      pageFlags: 0,
      entries: this.entry * changes,
    };
  }
}

const NOTHING = new Uint8Array();
