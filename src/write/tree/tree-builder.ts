/** A new tree out of sorted rows. One page a level is held; everything else is in the page log already. */

import { FIRST_USER_PAGE } from "../../../formats/disagg-tables.js";
import { compareKeys } from "../../../formats/page-rules.js";
import { bytesToHex } from "../../codec/json.js";
import type { WritablePageLog } from "../../store/writable.js";
import { childTypes } from "../page/cell-writer.js";
import { type ChildAddress, commonPrefix, InternalBuilder, LeafBuilder } from "../page/page-builder.js";
import type { TreeOptions, TreeState, WriteRow } from "../types.js";
import { PageWriter } from "./page-writer.js";
import { type TreeSettings, treeSettings } from "./settings.js";
import { TreeWriteError } from "./write-error.js";

/** The first key of a root is below everything, whatever it says: one byte, as the engine writes it. */
export const LOWEST_KEY: Uint8Array = new Uint8Array(1);
/** Write generation of a tree before its first page. */
const FIRST_WRITE_GEN = 1n;
/** How many bytes of a key an error shows. */
const SHOWN_KEY = 16;

/** A child with the key its parent has for it. */
export interface KeyedChild extends ChildAddress {
  readonly key: Uint8Array;
  /** Deleted by a truncate as a whole; older readers still open it. */
  readonly truncated?: boolean;
}

/**
 * Writes a new tree of the rows, whose keys must ascend by unsigned bytes. Keys and values must stay as they are until
 * it returns. Without rows nothing is put and the root is empty.
 * @throws TreeWriteError `unsorted-rows`, `bad-options`; what was put then belongs to no checkpoint
 */
export function writeTree(log: WritablePageLog, options: TreeOptions, rows: Iterable<WriteRow>): TreeState {
  const settings = treeSettings(log, options);
  const pages = new PageWriter(log, settings, FIRST_USER_PAGE, FIRST_WRITE_GEN, 0n);
  return stateOf(pages, buildTree(pages, settings, rows));
}

/** The address of a root, and what the windows below it have in common. */
export type NewRoot = Pick<TreeState, "root" | "aggregate">;

/** Of a tree without rows. */
export const NO_ROOT: NewRoot = { root: new Uint8Array() };

/** Puts the pages of a new tree. */
export function buildTree(pages: PageWriter, settings: TreeSettings, rows: Iterable<WriteRow>): NewRoot {
  const levels = new TreeLevels(pages, settings);
  const leaves = new LeafRun(pages, settings, LOWEST_KEY, settings.leafSplit, (leaf) => levels.add(leaf));
  for (const { key, value, window } of rows) leaves.add(key, value, window);
  leaves.finish();
  return levels.finish();
}

export const stateOf = (pages: PageWriter, root: NewRoot): TreeState => ({
  ...root,
  nextPageId: pages.nextPageId,
  writeGen: pages.writeGen,
  liveBytes: pages.liveBytes,
});

/** The shortest key above `last` that is not above `first`. */
export function separator(last: Uint8Array, first: Uint8Array): Uint8Array {
  return first.slice(0, commonPrefix(last, first) + 1);
}

/** @throws TreeWriteError `unsorted-rows` unless `key` is above `before`. */
export function checkOrder(before: Uint8Array | undefined, key: Uint8Array, what: string): void {
  if (before === undefined) return;
  const order = compareKeys(before, key);
  if (order < 0) return;
  const shown = bytesToHex(key.subarray(0, SHOWN_KEY)) + (key.length > SHOWN_KEY ? "…" : "");
  const problem = order === 0 ? "comes twice" : "is below the key before it";
  throw new TreeWriteError("unsorted-rows", `${what} must ascend by key: 0x${shown} ${problem}`);
}

/** New leaves out of rows. */
export class LeafRun {
  private readonly builder: LeafBuilder;
  private readonly most: number;
  private last: Uint8Array | undefined;

  constructor(
    private readonly pages: PageWriter,
    { generation, minPrefix, leafPageMax }: TreeSettings,
    /** What the parent has for the first leaf. */
    private key: Uint8Array,
    /** A leaf that has reached this many bytes gets no more rows. */
    private readonly size: number,
    private readonly onLeaf: (leaf: KeyedChild) => void,
  ) {
    this.builder = new LeafBuilder({ headers: generation.blockHeader, minPrefix });
    this.most = leafPageMax;
  }

  add(key: Uint8Array, value: Uint8Array, window: WriteRow["window"]): void {
    checkOrder(this.last, key, "rows");
    const { builder } = this;
    if (builder.size >= this.size || !builder.add(key, value, window, this.most)) {
      this.flush();
      this.key = separator(this.last as Uint8Array, key);
      builder.add(key, value, window, this.most);
    }
    this.last = key;
  }

  finish(): void {
    if (this.builder.rows > 0) this.flush();
  }

  private flush(): void {
    const { builder, key } = this;
    const { aggregate } = builder;
    const cookie = this.pages.newPage(builder.build());
    this.onLeaf({ key, type: childTypes.leaf, aggregate, cookie });
    builder.reset();
  }
}

/** New internal pages of one level out of their children. */
export class InternalRun {
  private readonly builder: InternalBuilder;
  private readonly most: number;
  private key: Uint8Array | undefined;
  /** Pages put so far. */
  count = 0;

  constructor(
    private readonly pages: PageWriter,
    { generation, internalPageMax }: TreeSettings,
    /** A page that has reached this many bytes gets no more children. */
    private readonly size: number,
    private readonly onPage: (page: KeyedChild) => void,
  ) {
    this.builder = new InternalBuilder(generation.blockHeader);
    this.most = internalPageMax;
  }

  get isEmpty(): boolean {
    return this.builder.children === 0;
  }

  add(child: KeyedChild): void {
    const { builder } = this;
    if (builder.size >= this.size || !builder.add(child.key, child, this.most)) {
      this.flush();
      builder.add(child.key, child, this.most);
    }
    this.key ??= child.key;
  }

  finish(): void {
    if (!this.isEmpty) this.flush();
  }

  /** Puts what is left as the root. */
  root(): NewRoot {
    return putRoot(this.pages, this.builder);
  }

  private flush(): void {
    const { builder, key } = this;
    const { aggregate } = builder;
    const cookie = this.pages.newPage(builder.build());
    this.count++;
    this.onPage({ key: key as Uint8Array, type: childTypes.internal, aggregate, cookie });
    builder.reset();
    this.key = undefined;
  }
}

/** The internal pages above a run of children, up to the root. */
export class TreeLevels {
  private readonly levels: InternalRun[] = [];

  constructor(
    private readonly pages: PageWriter,
    private readonly settings: TreeSettings,
  ) {}

  add(child: KeyedChild, level = 0): void {
    let run = this.levels[level];
    if (run === undefined) {
      run = new InternalRun(this.pages, this.settings, this.settings.internalSplit, (page) =>
        this.add(page, level + 1),
      );
      this.levels.push(run);
    }
    run.add(child);
  }

  /** Puts the open pages, the root last. */
  finish(): NewRoot {
    for (let level = 0; level < this.levels.length; level++) {
      const run = this.levels[level] as InternalRun;
      if (run.count === 0) return run.root();
      run.finish();
    }
    return NO_ROOT;
  }
}

/** A root is always a new page and a full image. */
export const putRoot = (pages: PageWriter, builder: InternalBuilder): NewRoot => ({
  root: pages.newPage(builder.build()),
  aggregate: builder.aggregate,
});
