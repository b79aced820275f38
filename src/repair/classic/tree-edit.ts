/** Changes of rows as new pages: the leaves they are in and every page above, up to a new root. The old pages stay. */

import { CLASSIC_BLOCK } from "../../../formats/block-header.js";
import { CELL_TYPE_SHIFT, cellBits, cellTypes, windowSlots } from "../../../formats/cell.js";
import { addressOf, type BlockLocation, classicAddressCookie } from "../../../formats/classic-cookie.js";
import { pageFlags, pageTypes } from "../../../formats/page-header.js";
import { compareKeys } from "../../../formats/page-rules.js";
import { aggregateSlots, type TimeAggregate } from "../../../formats/time-window.js";
import { writePackedUnsigned } from "../../codec/packed.js";
import { AggregateBuilder } from "../../write/page/aggregate.js";
import { CellWriter, childTypes } from "../../write/page/cell-writer.js";
import { RepairRefusal } from "../error.js";
import type { BlockAppender } from "./block-appender.js";
import type { Range } from "./range-set.js";
import {
  type ChildEntry,
  childIndex,
  type InternalNode,
  type LeafEntry,
  type LeafNode,
  type TreeNode,
} from "./tree-reader.js";

/** A row's new value; without one the row is removed. */
export interface RowChange {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** How pages of the tree are cut and what their cells look like. */
export interface TreeForm {
  /** Bytes of the allocation unit, and of a page's image at most. */
  readonly unit: number;
  readonly leafPageMax: number;
  readonly internalPageMax: number;
  /** Btree version 2: internal pages have flag fastTruncate, and every address has a time window. */
  readonly modern: boolean;
  /** For pages that take no page's place. */
  readonly version: number;
  readonly wholeChecksum: boolean;
}

export interface FreedBlock extends Range {
  readonly role: "leaf" | "internal" | "root" | "overflow";
}

export interface EditedTree {
  /** Undefined: no row is left. */
  readonly root: BlockLocation | undefined;
  /** Pages and overflow items the new tree has no use for; the old root is the one of that role. */
  readonly freed: readonly FreedBlock[];
}

/** A page as its parent has it. */
export interface BuiltChild {
  readonly key: Uint8Array;
  readonly location: BlockLocation;
  readonly aggregate: TimeAggregate;
  readonly type: number;
}

/** Cells of a page that belong together: a key and its item. */
export interface CellPair {
  readonly key: Uint8Array;
  readonly cells: readonly Uint8Array[];
  readonly count: number;
}

/** Changes must ascend by key, none twice. */
export function editTree(
  root: TreeNode,
  changes: readonly RowChange[],
  form: TreeForm,
  blocks: BlockAppender,
): EditedTree {
  return new TreeEdit(form, blocks).edit(root, changes);
}

class TreeEdit {
  private readonly freed: FreedBlock[] = [];
  private readonly pages: PageCutter;

  constructor(
    private readonly form: TreeForm,
    blocks: BlockAppender,
  ) {
    this.pages = new PageCutter(form, blocks);
  }

  edit(root: TreeNode, changes: readonly RowChange[]): EditedTree {
    const top = this.node(root, changes);
    const freed = this.freed.map((block) =>
      block.offset === root.location.offset ? { ...block, role: "root" as const } : block,
    );
    return { root: this.pages.root(top, root), freed };
  }

  /** The pages that take the node's place; none when nothing is left of it. */
  private node(node: TreeNode, changes: readonly RowChange[]): BuiltChild[] {
    this.freed.push({ ...rangeOf(node.location), role: node.kind });
    return node.kind === "leaf" ? this.leaf(node, changes) : this.internal(node, changes);
  }

  private leaf(node: LeafNode, changes: readonly RowChange[]): BuiltChild[] {
    const rows: LeafRow[] = [];
    let next = 0;
    const addBefore = (key: Uint8Array | undefined): void => {
      for (; next < changes.length; next++) {
        const change = changes[next] as RowChange;
        if (key !== undefined && compareKeys(change.key, key) >= 0) return;
        if (change.value !== undefined) rows.push(newRow(change.key, change.value));
      }
    };
    for (const entry of node.entries) {
      addBefore(entry.key);
      const change = changes[next];
      if (change === undefined || compareKeys(change.key, entry.key) !== 0) rows.push(keptRow(entry));
      else {
        next++;
        for (const location of entry.overflow) this.freed.push({ ...rangeOf(location), role: "overflow" });
        if (change.value !== undefined) rows.push(newRow(change.key, change.value));
      }
    }
    addBefore(undefined);
    return this.pages.leaves(rows, node);
  }

  private internal(node: InternalNode, changes: readonly RowChange[]): BuiltChild[] {
    const { entries } = node;
    const parts = new Map<number, RowChange[]>();
    for (const change of changes) {
      const at = childIndex(entries, change.key);
      parts.set(at, [...(parts.get(at) ?? []), change]);
    }
    const children: InternalRow[] = [];
    for (const [index, entry] of entries.entries()) {
      const part = parts.get(index);
      if (part === undefined) {
        children.push({
          key: entry.key,
          cells: [entry.keyCell, entry.item],
          count: 2,
          aggregate: entry.aggregate,
        });
        continue;
      }
      const built = this.node(entry.child, part);
      if (built.length === 0)
        for (const location of entry.overflow) this.freed.push({ ...rangeOf(location), role: "overflow" });
      for (const [at, child] of built.entries()) children.push(this.replaced(entry, child, at === 0));
    }
    return this.pages.internals(children, node);
  }

  /** The first page in a child's place keeps its key; all keep what its address says besides the place. */
  private replaced(entry: ChildEntry, child: BuiltChild, first: boolean): InternalRow {
    const item = Uint8Array.from([...entry.head, ...cookieWithLength(child.location, this.form.unit)]);
    const keyCell = first ? entry.keyCell : keyCellOf(child.key);
    return {
      key: first ? entry.key : child.key,
      cells: [keyCell, item],
      count: 2,
      aggregate: entry.aggregate,
    };
  }
}

export interface LeafRow extends CellPair {
  readonly hasValue: boolean;
  readonly window: LeafEntry["window"];
  readonly hasOverflow: boolean;
}
export interface InternalRow extends CellPair {
  readonly aggregate: TimeAggregate;
}

const rangeOf = ({ offset, size }: BlockLocation): Range => ({ offset, size });

const keptRow = ({ key, keyCell, item, window, overflow }: LeafEntry): LeafRow => ({
  key,
  cells: [keyCell, item],
  count: item.length === 0 ? 1 : 2,
  hasValue: item.length > 0,
  window,
  hasOverflow: overflow.length > 0,
});

/** A row everybody sees. */
export function newRow(key: Uint8Array, value: Uint8Array): LeafRow {
  const writer = new CellWriter();
  writer.reset(0);
  writer.key(key);
  const hasValue = writer.value(value, undefined);
  const cells = [writer.bytes.slice(0, writer.length)];
  return { key, cells, count: hasValue ? 2 : 1, hasValue, window: undefined, hasOverflow: false };
}

function keyCellOf(key: Uint8Array): Uint8Array {
  const writer = new CellWriter();
  writer.reset(0);
  writer.key(key);
  return writer.bytes.slice(0, writer.length);
}

function cookieWithLength(location: BlockLocation, unit: number): number[] {
  const cookie = classicAddressCookie.build(addressOf(location, unit));
  const out: number[] = [];
  writePackedUnsigned(out, BigInt(cookie.length));
  return [...out, ...cookie];
}

/** The first key of a root is below everything, whatever it says: one byte, as the engine writes it. */
const LOWEST_KEY = new Uint8Array(1);

/** A page whose header a new one takes over. */
type Model = Pick<TreeNode, "flags" | "version" | "wholeChecksum">;

/** Cuts rows and children into pages and writes them. */
export class PageCutter {
  constructor(
    private readonly form: TreeForm,
    private readonly blocks: BlockAppender,
  ) {}

  leaves(rows: readonly LeafRow[], { version, wholeChecksum }: Model): BuiltChild[] {
    return cut(rows, this.form.leafPageMax, 1).map((part) => {
      const windows = new AggregateBuilder();
      for (const { window } of part) windows.addWindow(window);
      const values = part.filter(({ hasValue }) => hasValue).length;
      const none = values === part.length ? pageFlags.emptyValuesNone : 0;
      const flags = values === 0 ? pageFlags.emptyValuesAll : none;
      const location = this.page("leaf", pageTypes.rowLeaf, part, { flags, version, wholeChecksum });
      const type = part.some(({ hasOverflow }) => hasOverflow) ? cellTypes.addressLeaf : childTypes.leaf;
      return { key: (part[0] as LeafRow).key, location, aggregate: windows.result(), type };
    });
  }

  internals(children: readonly InternalRow[], model: Model): BuiltChild[] {
    return cut(children, this.form.internalPageMax, 2).map((part) => {
      const windows = new AggregateBuilder();
      for (const { aggregate } of part) windows.addAggregate(aggregate);
      const location = this.page("internal", pageTypes.rowInternal, part, model);
      return {
        key: (part[0] as InternalRow).key,
        location,
        aggregate: windows.result(),
        type: childTypes.internal,
      };
    });
  }

  /** Puts internal pages over the pages until one is left. */
  root(
    top: readonly BuiltChild[],
    { version, wholeChecksum }: Pick<Model, "version" | "wholeChecksum">,
  ): BlockLocation | undefined {
    let pages = top;
    const flags = this.form.modern ? pageFlags.fastTruncate : 0;
    while (pages.length > 1) {
      const rows = pages.map((page, index) => this.internalRow(page, index === 0 ? LOWEST_KEY : page.key));
      pages = this.internals(rows, { flags, version, wholeChecksum });
    }
    if (pages.length > 0) this.blocks.markRoot();
    return pages[0]?.location;
  }

  /** As `root`, but with an internal page even over a single leaf, as the engine writes new files. */
  rootOver(leaves: readonly BuiltChild[], model: Model): BlockLocation {
    if (leaves.length > 1) return this.root(leaves, model) as BlockLocation;
    const flags = this.form.modern ? pageFlags.fastTruncate : 0;
    const rows = leaves.map((leaf) => this.internalRow(leaf, LOWEST_KEY));
    const [root] = this.internals(rows, { ...model, flags });
    this.blocks.markRoot();
    return (root as BuiltChild).location;
  }

  private internalRow({ location, aggregate, type }: BuiltChild, key: Uint8Array): InternalRow {
    const head = this.form.modern ? windowedHead(type, aggregate) : [type << CELL_TYPE_SHIFT];
    const item = Uint8Array.from([...head, ...cookieWithLength(location, this.form.unit)]);
    return { key, cells: [keyCellOf(key), item], count: 2, aggregate };
  }

  private page(
    role: "leaf" | "internal",
    type: number,
    part: readonly CellPair[],
    model: Model,
  ): BlockLocation {
    const payload = concat(part.flatMap(({ cells }) => cells));
    const entries = part.reduce((sum, { count }) => sum + count, 0);
    const { flags, version, wholeChecksum } = model;
    return this.blocks.add({ role, type, flags, version, wholeChecksum, entries, payload });
  }
}

function windowedHead(type: number, aggregate: TimeAggregate): number[] {
  const slots = aggregateSlots(aggregate);
  const out = [(type << CELL_TYPE_SHIFT) | cellBits.window, slots.bits];
  for (const name of windowSlots) {
    const number = slots[name];
    if (number !== undefined) writePackedUnsigned(out, number);
  }
  return out;
}

const sizeOf = ({ cells }: CellPair): number => cells.reduce((sum, { length }) => sum + length, 0);

/** Parts of about the same size whose pages have at most `most` bytes, unless so few pairs have more. */
function cut<T extends CellPair>(pairs: readonly T[], most: number, least: number): T[][] {
  const room = most - CLASSIC_BLOCK.payload;
  const total = pairs.reduce((sum, pair) => sum + sizeOf(pair), 0);
  if (pairs.length === 0) return [];
  if (room <= 0) throw new RepairRefusal("metadata-form", `pages of ${most} bytes have no room for cells`);
  const wanted = total / Math.ceil(total / room);
  const parts: T[][] = [];
  let part: T[] = [];
  let size = 0;
  for (const [index, pair] of pairs.entries()) {
    const added = sizeOf(pair);
    const full = size + added > room || size >= wanted;
    // The last part is not to be left with too few.
    if (full && part.length >= least && pairs.length - index >= least) {
      parts.push(part);
      part = [];
      size = 0;
    }
    part.push(pair);
    size += added;
  }
  return [...parts, part];
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
