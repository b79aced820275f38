/** The metadata's tree as cells, whole and checked, so that pages can be written anew with untouched cells as they are. */
import { cellTags } from "../../../formats/cell.js";
import { type BlockLocation, blockOf, classicAddressCookie } from "../../../formats/classic-cookie.js";
import { PAGE_HEADER, pageTypes, TRANSFORMED_PAGE } from "../../../formats/page-header.js";
import { compareKeys } from "../../../formats/page-rules.js";
import {
  addressAggregate,
  hasStop,
  type TimeAggregate,
  type TimeWindow,
  valueWindow,
} from "../../../formats/time-window.js";
import { packedSize } from "../../codec/packed.js";
import type { CellReader } from "../../page/cell-reader.js";
import { readerOf } from "../../page/rows.js";
import { PageWalker } from "../../page/walk.js";
import type { RandomAccess } from "../../store/types.js";
import { readClassicBlock } from "../../tree/classic/block.js";
import { PageFault } from "../../tree/problem.js";
import { RepairRefusal } from "../error.js";

const MAX_DEPTH = 64;

/** A key with what belongs to it. The cells are views of the page's image. */
export interface TreeEntry {
  readonly key: Uint8Array;
  readonly keyCell: Uint8Array;
  /** The value's or child's cell; empty for an empty value. */
  readonly item: Uint8Array;
  /** Overflow items of the entry: they are freed with it. */
  readonly overflow: readonly BlockLocation[];
}

export interface LeafEntry extends TreeEntry {
  /** Undefined where the row was deleted. */
  readonly value: Uint8Array | undefined;
  readonly window: TimeWindow | undefined;
}

export interface ChildEntry extends TreeEntry {
  readonly child: TreeNode;
  /** The item up to the length of its cookie: type and time window. */
  readonly head: Uint8Array;
  readonly aggregate: TimeAggregate;
}

interface NodeFacts {
  readonly location: BlockLocation;
  /** Flags and version of the page header. */
  readonly flags: number;
  readonly version: number;
  readonly wholeChecksum: boolean;
  readonly writeGen: bigint;
}
export interface LeafNode extends NodeFacts {
  readonly kind: "leaf";
  readonly entries: readonly LeafEntry[];
}
export interface InternalNode extends NodeFacts {
  readonly kind: "internal";
  readonly entries: readonly ChildEntry[];
}
export type TreeNode = LeafNode | InternalNode;

export interface ReadTree {
  readonly root: TreeNode;
  /** Levels, 1 = the root is a leaf. */
  readonly levels: number;
  readonly pages: number;
  /** Bytes of all blocks, overflow items included. */
  readonly bytes: number;
  readonly writeGen: bigint;
}

const KEY_TAGS: ReadonlySet<number> = new Set([cellTags.keyShort, cellTags.key, cellTags.keyOverflow]);
const CHILD_TAGS: ReadonlySet<number> = new Set([
  cellTags.addressInternal,
  cellTags.addressLeaf,
  cellTags.addressLeafNoOverflow,
]);

/** @throws RepairRefusal `metadata-damaged`, `metadata-form` */
export function readTree(file: RandomAccess, path: string, unit: number, root: BlockLocation): ReadTree {
  return new TreeReader(file, path, unit).read(root);
}

class TreeReader {
  private readonly walker = new PageWalker();
  private readonly seen = new Set<number>();
  private pages = 0;
  private bytes = 0;
  private levels = 0;
  private writeGen = 0n;

  constructor(
    private readonly file: RandomAccess,
    private readonly path: string,
    private readonly unit: number,
  ) {}

  read(location: BlockLocation): ReadTree {
    const root = this.node(location, 1);
    const { levels, pages, bytes, writeGen } = this;
    return { root, levels, pages, bytes, writeGen };
  }

  private node(location: BlockLocation, level: number): TreeNode {
    if (level > MAX_DEPTH) throw this.damaged(location, `the tree has more than ${MAX_DEPTH} levels`);
    this.levels = Math.max(this.levels, level);
    const { bytes, headers } = this.block(location);
    const { layout, wholeChecksum } = headers;
    const isLeaf = layout.type === pageTypes.rowLeaf;
    if (!isLeaf && layout.type !== pageTypes.rowInternal)
      throw this.damaged(location, `a page of type ${layout.type} where one of a row store has to be`);
    if ((layout.flags & TRANSFORMED_PAGE) !== 0)
      throw new RepairRefusal(
        "metadata-compressed",
        `${this.path}: the page at ${location.offset} is not stored plain`,
      );
    if (!this.walker.walk(bytes, layout)) {
      const [defect] = this.walker.defects;
      throw this.damaged(
        location,
        `${defect?.detail ?? "cells cannot be read"} (byte ${defect?.offset ?? 0})`,
      );
    }
    const writeGen = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(PAGE_HEADER.at.writeGen, true);
    if (writeGen > this.writeGen) this.writeGen = writeGen;
    const version = bytes[PAGE_HEADER.at.version] as number;
    const facts = { location, flags: layout.flags, version, wholeChecksum, writeGen };
    const pairs = this.pairs(location, readerOf(bytes, layout), layout.payload);
    if (isLeaf) return { kind: "leaf", ...facts, entries: pairs.map((pair) => this.leafEntry(pair)) };
    return {
      kind: "internal",
      ...facts,
      entries: pairs.map((pair) => this.childEntry(location, pair, level)),
    };
  }

  private block(location: BlockLocation) {
    if (this.seen.has(location.offset)) throw this.damaged(location, "the block is in the tree twice");
    this.seen.add(location.offset);
    try {
      const found = readClassicBlock(this.file, this.path, this.unit, location);
      this.pages++;
      this.bytes += location.size;
      return found;
    } catch (error) {
      if (!(error instanceof PageFault)) throw error;
      throw this.damaged(location, error.message);
    }
  }

  private damaged({ offset }: { offset: number }, message: string): RepairRefusal {
    return new RepairRefusal("metadata-damaged", `${this.path} at ${offset}: ${message}`);
  }

  private form({ offset }: { offset: number }, message: string): RepairRefusal {
    return new RepairRefusal("metadata-form", `${this.path} at ${offset}: ${message}`);
  }

  /** Every key cell with the cell behind it. */
  private pairs(location: BlockLocation, cell: CellReader, payload: number): Pair[] {
    const pairs: Pair[] = [];
    for (let at = payload; at < cell.end; at = cell.next) {
      if (!cell.read(at)) throw this.damaged(location, `the cell at byte ${at} cannot be read`);
      const bytes = cell.image.subarray(cell.start, cell.next);
      const data = cell.image.subarray(cell.dataStart, cell.next);
      if (KEY_TAGS.has(cell.tag)) pairs.push({ keyTag: cell.tag, keyCell: bytes, keyData: data });
      else if (cell.tag === cellTags.keyShortPrefix || cell.tag === cellTags.keyPrefix)
        throw this.form(location, "keys leave out what they share with the one before");
      else {
        const pair = pairs.at(-1) as Pair;
        const slots = cell.window();
        pairs[pairs.length - 1] = { ...pair, item: { tag: cell.tag, bytes, data, ...(slots && { slots }) } };
      }
    }
    return pairs;
  }

  private keyOf({ keyTag, keyData }: Pair): { key: Uint8Array; overflow: BlockLocation[] } {
    if (keyTag !== cellTags.keyOverflow) return { key: keyData, overflow: [] };
    const location = this.addressOf(keyData);
    return { key: this.overflow(location), overflow: [location] };
  }

  private leafEntry(pair: Pair): LeafEntry {
    const { key, overflow } = this.keyOf(pair);
    const { keyCell, item } = pair;
    if (item === undefined)
      return { key, keyCell, item: new Uint8Array(), overflow, value: new Uint8Array(), window: undefined };
    const window = item.slots && valueWindow(item.slots);
    const base = { key, keyCell, item: item.bytes, window };
    const deleted = window !== undefined && hasStop(window);
    if (item.tag === cellTags.valueOverflow) {
      const location = this.addressOf(item.data);
      const value = this.overflow(location);
      return { ...base, overflow: [...overflow, location], value: deleted ? undefined : value };
    }
    if (item.tag !== cellTags.valueShort && item.tag !== cellTags.value)
      throw this.form({ offset: 0 }, "a value stands for an earlier one of its page");
    return { ...base, overflow, value: deleted ? undefined : item.data };
  }

  private childEntry(location: BlockLocation, pair: Pair, level: number): ChildEntry {
    const { key, overflow } = this.keyOf(pair);
    const { keyCell, item } = pair;
    if (item === undefined || !CHILD_TAGS.has(item.tag))
      throw this.form(location, "a child was deleted by a truncate and is still kept");
    const child = this.node(this.addressOf(item.data), level + 1);
    const head = item.bytes.subarray(
      0,
      item.bytes.length - item.data.length - packedSize(BigInt(item.data.length)),
    );
    return { key, keyCell, item: item.bytes, overflow, child, head, aggregate: addressAggregate(item.slots) };
  }

  private addressOf(cookie: Uint8Array): BlockLocation {
    const reading = classicAddressCookie.read(cookie);
    const location = reading.ok ? blockOf(reading.value, this.unit) : undefined;
    if (!reading.ok || location === undefined)
      throw new RepairRefusal("metadata-damaged", `${this.path}: an address names no block`);
    if (reading.value.flags !== undefined)
      throw new RepairRefusal("metadata-generation", `${this.path}: a block is in another file of the table`);
    return location;
  }

  private overflow(location: BlockLocation): Uint8Array {
    const { bytes, headers } = this.block(location);
    const { layout } = headers;
    if (layout.type !== pageTypes.overflow) throw this.damaged(location, "no overflow item is here");
    return bytes.subarray(layout.payload, layout.payload + layout.entries);
  }
}

interface Item {
  readonly tag: number;
  readonly bytes: Uint8Array;
  readonly data: Uint8Array;
  readonly slots?: Parameters<typeof valueWindow>[0];
}
interface Pair {
  readonly keyTag: number;
  readonly keyCell: Uint8Array;
  readonly keyData: Uint8Array;
  readonly item?: Item;
}

/** The rows that are there, in the order of the tree. */
export function* rowsOfTree(node: TreeNode): Generator<LeafEntry & { value: Uint8Array }> {
  if (node.kind === "internal") for (const { child } of node.entries) yield* rowsOfTree(child);
  else
    for (const entry of node.entries)
      if (entry.value !== undefined) yield entry as LeafEntry & { value: Uint8Array };
}

/** Blocks of the tree, overflow items included. */
export function* blocksOfTree(node: TreeNode): Generator<BlockLocation> {
  yield node.location;
  for (const entry of node.entries) {
    yield* entry.overflow;
    if (node.kind === "internal") yield* blocksOfTree((entry as ChildEntry).child);
  }
}

/** Where a key belongs: the last child whose key is not above it; the first key counts as below everything. */
export function childIndex(entries: readonly ChildEntry[], key: Uint8Array): number {
  let [low, high] = [0, entries.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (compareKeys((entries[middle] as ChildEntry).key, key) <= 0) low = middle;
    else high = middle - 1;
  }
  return low;
}
