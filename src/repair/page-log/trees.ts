/** Trees of a page log, read page by page and moved under another table id. */
import { FIRST_USER_PAGE } from "../../../formats/disagg-tables.js";
import type { WritablePageLog } from "../../store/writable.js";
import { childTypes } from "../../write/page/cell-writer.js";
import { InternalBuilder, LeafBuilder } from "../../write/page/page-builder.js";
import { childrenOf } from "../../write/tree/children.js";
import { type OpenPage, PageReader } from "../../write/tree/page-reader.js";
import { PageWriter } from "../../write/tree/page-writer.js";
import { type TreeSettings, treeSettings } from "../../write/tree/settings.js";
import { type KeyedChild, putRoot } from "../../write/tree/tree-builder.js";
import { TreeWriteError } from "../../write/tree/write-error.js";
import type { TreeOptions, TreeState, WriteRow } from "../../write/types.js";

const NO_LIMIT = Number.POSITIVE_INFINITY;

const checkChild = ({ truncated }: KeyedChild): void => {
  if (truncated === true)
    throw new TreeWriteError("tree-unsupported", "a page of the tree was truncated as a whole");
};

/**
 * All rows of a tree as they are stored, in order.
 * @throws TreeWriteError `tree-damaged`, `tree-unsupported`
 */
export function* treeRows(log: WritablePageLog, options: TreeOptions, root: Uint8Array): Generator<WriteRow> {
  if (root.length > 0) yield* rowsBelow(new PageReader(log, treeSettings(log, options)), root);
}

function* rowsBelow(reader: PageReader, cookie: Uint8Array): Generator<WriteRow> {
  const open = reader.open(cookie);
  if (!open.internal)
    for (const { key, data, window } of open.rows) yield { key: key as Uint8Array, value: data, window };
  for (const child of childCookies(open)) yield* rowsBelow(reader, child);
}

/** Addresses of a page's children; none of a leaf. @throws TreeWriteError `tree-unsupported` */
export function childCookies({ internal, rows, parts }: OpenPage): Uint8Array[] {
  if (!internal) return [];
  return childrenOf(rows, parts).map((child) => {
    checkChild(child);
    return child.cookie;
  });
}

/**
 * Puts every page of a tree again under another table id, from the leaves to the root: each a full image with its
 * deltas merged, parents with the addresses the children have now. Page ids are given anew.
 * @throws TreeWriteError `tree-damaged`, `tree-unsupported`
 */
export function moveTree(log: WritablePageLog, options: TreeOptions, tree: TreeState, to: bigint): TreeState {
  if (tree.root.length === 0) return tree;
  const settings = treeSettings(log, { ...options, tableId: to });
  const reader = new PageReader(log, treeSettings(log, options));
  const pages = new PageWriter(log, settings, FIRST_USER_PAGE, tree.writeGen, 0n);
  const { root, aggregate } = new TreeMover(reader, pages, settings).root(tree.root);
  const { nextPageId, writeGen, liveBytes } = pages;
  return { root, aggregate, nextPageId, writeGen, liveBytes };
}

class TreeMover {
  constructor(
    private readonly reader: PageReader,
    private readonly pages: PageWriter,
    private readonly settings: TreeSettings,
  ) {}

  root(cookie: Uint8Array): Pick<TreeState, "root" | "aggregate"> {
    const open = this.reader.open(cookie);
    if (!open.internal) throw new TreeWriteError("tree-unsupported", "the root of the tree is a leaf");
    return putRoot(this.pages, this.internal(childrenOf(open.rows, open.parts)));
  }

  private internal(children: readonly KeyedChild[]): InternalBuilder {
    const builder = new InternalBuilder(this.settings.generation.blockHeader);
    for (const child of children) builder.add(child.key, this.moved(child), NO_LIMIT);
    return builder;
  }

  private moved(child: KeyedChild): KeyedChild {
    checkChild(child);
    const { key } = child;
    const { internal, rows, parts } = this.reader.open(child.cookie);
    if (internal) {
      const page = this.internal(childrenOf(rows, parts));
      const { aggregate } = page;
      return { key, aggregate, type: childTypes.internal, cookie: this.pages.newPage(page.build()) };
    }
    const { generation, minPrefix } = this.settings;
    const leaf = new LeafBuilder({ headers: generation.blockHeader, minPrefix });
    for (const row of rows) leaf.add(row.key as Uint8Array, row.data, row.window, NO_LIMIT);
    const { aggregate } = leaf;
    return { key, aggregate, type: childTypes.leaf, cookie: this.pages.newPage(leaf.build()) };
  }
}
