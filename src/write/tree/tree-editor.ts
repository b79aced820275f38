/** An existing tree with sorted edits. What no edit touches stays as it is; pages of one path are held at a time. */
import { pageTypes } from "../../../formats/page-header.js";
import { compareKeys } from "../../../formats/page-rules.js";
import type { MergedRow } from "../../page/rows.js";
import type { WritablePageLog } from "../../store/writable.js";
import { childTypes } from "../page/cell-writer.js";
import { type BuiltPage, DeltaBuilder, InternalBuilder, LeafBuilder } from "../page/page-builder.js";
import type { RowEdit, TreeOptions, TreeState, WriteRow } from "../types.js";
import { childrenOf } from "./children.js";
import { type OpenPage, PageReader } from "./page-reader.js";
import { type PageChain, PageWriter } from "./page-writer.js";
import { type TreeSettings, treeSettings } from "./settings.js";
import {
  buildTree,
  checkOrder,
  InternalRun,
  type KeyedChild,
  LeafRun,
  LOWEST_KEY,
  type NewRoot,
  NO_ROOT,
  putRoot,
  stateOf,
  TreeLevels,
} from "./tree-builder.js";
import { TreeWriteError } from "./write-error.js";

const NO_LIMIT = Number.POSITIVE_INFINITY;

/**
 * Changes a tree; keys of the edits must ascend by unsigned bytes. Removing a key that is not there changes nothing.
 * Without any change the state is returned as it was and nothing is put.
 * @throws TreeWriteError `unsorted-rows`, `tree-damaged`, `tree-unsupported`, `bad-options`; what was put then belongs
 *   to no checkpoint, and the state given still holds
 */
export function editTree(
  log: WritablePageLog,
  options: TreeOptions,
  state: TreeState,
  edits: Iterable<RowEdit>,
): TreeState {
  const settings = treeSettings(log, options);
  const pages = new PageWriter(log, settings, state.nextPageId, state.writeGen, state.liveBytes);
  const cursor = new EditCursor(edits);
  if (state.root.length === 0) return stateOf(pages, buildTree(pages, settings, cursor.rows()));
  const root = new TreeEditor(pages, new PageReader(log, settings), settings, cursor).edit(state.root);
  return root === undefined ? state : stateOf(pages, root);
}

/** Edits in order, one ahead. */
class EditCursor {
  current: RowEdit | undefined;
  private readonly edits: Iterator<RowEdit>;

  constructor(edits: Iterable<RowEdit>) {
    this.edits = edits[Symbol.iterator]();
    this.next();
  }

  next(): void {
    const before = this.current?.key;
    const { done, value } = this.edits.next();
    this.current = done === true ? undefined : value;
    if (this.current !== undefined) checkOrder(before, this.current.key, "edits");
  }

  /** Whether the next edit is of a key below the bound; without one any is. */
  isBelow(bound: Uint8Array | undefined): boolean {
    const { current } = this;
    return current !== undefined && (bound === undefined || compareKeys(current.key, bound) < 0);
  }

  /** The rows that edits of an empty tree make. */
  *rows(): Generator<WriteRow> {
    for (; this.current !== undefined; this.next()) {
      const { key, value, window } = this.current;
      if (value !== undefined) yield { key, value, window };
    }
  }
}

/** The change of a child, undefined: it is gone. */
interface ChildChange {
  readonly key: Uint8Array;
  readonly child: KeyedChild | undefined;
}

class TreeEditor {
  private readonly leaf: LeafBuilder;
  private readonly delta: DeltaBuilder;

  constructor(
    private readonly pages: PageWriter,
    private readonly reader: PageReader,
    private readonly settings: TreeSettings,
    private readonly edits: EditCursor,
  ) {
    const { generation, minPrefix } = settings;
    this.leaf = new LeafBuilder({ headers: generation.blockHeader, minPrefix });
    this.delta = new DeltaBuilder(generation);
  }

  /** The new root; undefined without a change. */
  edit(cookie: Uint8Array): NewRoot | undefined {
    const open = this.reader.open(cookie);
    if (!open.internal) throw new TreeWriteError("tree-unsupported", "the root of the tree is a leaf");
    const { children, changes } = this.editChildren(childrenOf(open.rows, open.parts), undefined);
    if (changes.length === 0) return undefined;
    const root = this.root(children);
    this.pages.drop(open.chain);
    return root;
  }

  private root(children: readonly KeyedChild[]): NewRoot {
    if (children.length === 0) return NO_ROOT;
    const builder = this.internal(children);
    if (builder.size <= this.settings.internalPageMax || children.length <= 2)
      return putRoot(this.pages, builder);
    const levels = new TreeLevels(this.pages, this.settings);
    for (const child of children) levels.add(child);
    return levels.finish();
  }

  private internal(children: readonly KeyedChild[]): InternalBuilder {
    const builder = new InternalBuilder(this.settings.generation.blockHeader);
    for (const child of children) builder.add(child.key, child, NO_LIMIT);
    return builder;
  }

  /** The children with the edits below `bound` done, and which of them changed. */
  private editChildren(
    before: readonly KeyedChild[],
    bound: Uint8Array | undefined,
  ): { children: KeyedChild[]; changes: ChildChange[] } {
    const children: KeyedChild[] = [];
    const changes: ChildChange[] = [];
    for (const [index, child] of before.entries()) {
      const upper = before[index + 1]?.key ?? bound;
      const now = this.edits.isBelow(upper) ? this.editPage(child, upper) : [child];
      children.push(...now);
      if (now[0] === child) continue;
      if (now.length === 0) changes.push({ key: child.key, child: undefined });
      for (const one of now) changes.push({ key: one.key, child: one });
    }
    const [first] = children;
    const lowest = before[0]?.key ?? LOWEST_KEY;
    // What is first now is below everything.
    if (first !== undefined && first.key !== lowest) children[0] = { ...first, key: lowest };
    return { children, changes };
  }

  /** What stands in the place of a page; the child itself when nothing changed. */
  private editPage(child: KeyedChild, bound: Uint8Array | undefined): KeyedChild[] {
    if (child.truncated === true)
      throw new TreeWriteError(
        "tree-unsupported",
        "an edit falls into a range that was truncated as a whole",
      );
    const open = this.reader.open(child.cookie);
    return open.internal ? this.editInternal(child, open, bound) : this.editLeaf(child, open, bound);
  }

  private editLeaf(
    child: KeyedChild,
    { rows, chain }: OpenPage,
    bound: Uint8Array | undefined,
  ): KeyedChild[] {
    const { merged, changes } = this.mergeEdits(rows, bound);
    if (changes.length === 0) return [child];
    if (merged.length === 0) {
      this.pages.drop(chain);
      return [];
    }
    const { leaf } = this;
    leaf.reset();
    for (const { key, value, window } of merged) leaf.add(key, value, window, NO_LIMIT);
    const { leafPageMax, leafSplit } = this.settings;
    if (leaf.size > leafPageMax && merged.length > 1) {
      const size = evenly(leaf.size, leafSplit);
      return this.split(chain, (add) => {
        const run = new LeafRun(this.pages, this.settings, child.key, size, add);
        for (const { key, value, window } of merged) run.add(key, value, window);
        run.finish();
      });
    }
    const cookie = this.place(leaf.build(), chain, () => this.leafDelta(changes));
    return [{ key: child.key, type: childTypes.leaf, aggregate: leaf.aggregate, cookie }];
  }

  /** Rows of a leaf with the edits below `bound` done; edits that change nothing are left out. */
  private mergeEdits(
    rows: readonly MergedRow[],
    bound: Uint8Array | undefined,
  ): { merged: WriteRow[]; changes: RowEdit[] } {
    const merged: WriteRow[] = [];
    const changes: RowEdit[] = [];
    const { edits } = this;
    const take = (existing: boolean): void => {
      const edit = edits.current as RowEdit;
      const { key, value, window } = edit;
      if (value !== undefined) merged.push({ key, value, window });
      if (value !== undefined || existing) changes.push(edit);
      edits.next();
    };
    for (const { key, data, window } of rows) {
      const own = key as Uint8Array;
      while (edits.isBelow(bound) && edits.isBelow(own)) take(false);
      if (edits.isBelow(bound) && compareKeys((edits.current as RowEdit).key, own) === 0) take(true);
      else merged.push({ key: own, value: data, window });
    }
    while (edits.isBelow(bound)) take(false);
    return { merged, changes };
  }

  private leafDelta(changes: readonly RowEdit[]): BuiltPage {
    const { delta } = this;
    delta.reset(pageTypes.rowLeaf);
    for (const { key, value, window } of changes)
      if (value === undefined) delta.removedRow(key);
      else delta.row(key, value, window);
    return delta.build();
  }

  private editInternal(child: KeyedChild, open: OpenPage, bound: Uint8Array | undefined): KeyedChild[] {
    const before = childrenOf(open.rows, open.parts);
    const { children, changes } = this.editChildren(before, bound);
    const { chain } = open;
    if (changes.length === 0) return [child];
    if (children.length === 0) {
      this.pages.drop(chain);
      return [];
    }
    // The first key is what the parent has for the page.
    const named = children.map((one, index) => (index === 0 ? { ...one, key: child.key } : one));
    const builder = this.internal(named);
    const { internalPageMax, internalSplit } = this.settings;
    if (builder.size > internalPageMax && named.length > 2) {
      const size = evenly(builder.size, internalSplit);
      return this.split(chain, (add) => {
        const run = new InternalRun(this.pages, this.settings, size, add);
        for (const one of named) run.add(one);
        run.finish();
      });
    }
    // No delta names the first child.
    const first = before[0]?.key;
    const zero = first !== undefined && compareKeys((changes[0] as ChildChange).key, first) === 0;
    const makeDelta = zero ? undefined : () => this.internalDelta(changes);
    const cookie = this.place(builder.build(), chain, makeDelta);
    return [{ key: child.key, type: childTypes.internal, aggregate: builder.aggregate, cookie }];
  }

  private internalDelta(changes: readonly ChildChange[]): BuiltPage {
    const { delta } = this;
    delta.reset(pageTypes.rowInternal);
    for (const { key, child } of changes)
      if (child === undefined) delta.removedChild(key);
      else delta.child(key, child);
    return delta.build();
  }

  /** New pages in place of one that has grown too large. */
  private split(chain: PageChain, write: (add: (page: KeyedChild) => void) => void): KeyedChild[] {
    const found: KeyedChild[] = [];
    write((page) => found.push(page));
    this.pages.drop(chain);
    return found;
  }

  /** Puts the changes as a delta where that pays, else the image. */
  private place(image: BuiltPage, chain: PageChain, makeDelta: (() => BuiltPage) | undefined): Uint8Array {
    if (chain.onTop === "discard") return this.pages.moved(image, chain);
    const { maxDeltas, deltaPct } = this.settings;
    if (makeDelta !== undefined && chain.onTop === "nothing" && chain.deltas < maxDeltas) {
      const delta = makeDelta();
      if (delta.image.length * 100 <= image.image.length * deltaPct) return this.pages.delta(delta, chain);
    }
    return this.pages.image(image, chain);
  }
}

/** Bytes a page is filled to so that all pages made of `total` bytes are about as full. */
const evenly = (total: number, split: number): number => Math.ceil(total / Math.ceil(total / split));
