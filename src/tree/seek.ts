/** Rows of a row-store tree from a key on, for callers that jump about: pages read last are kept. */
import { cellTags } from "../../formats/cell.js";
import type { MergedRow } from "../page/rows.js";
import { compareKeys } from "./keys.js";
import { PageFault } from "./problem.js";
import type { PageSource, TreePage } from "./types.js";
import { isInternal, isRowTree, pageRows } from "./walk.js";

const MAX_DEPTH = 64;
/** Bytes of images kept, and pages, whichever is reached first. */
const MAX_KEPT_BYTES = 32 * 1024 * 1024;
const MAX_KEPT_PAGES = 256;

/** A page that could not be had; kept like a page, so that it is read and reported once. */
export interface DecodedPage {
  readonly rows: readonly MergedRow[];
  readonly internal: boolean;
  readonly bytes: number;
  readonly fault?: PageFault;
}

export interface SoughtRow {
  readonly key: Uint8Array;
  readonly row: MergedRow;
}

export class TreeSeeker {
  /** By the parent's row: the same object while the parent is kept. Least recently used first. */
  private readonly kept = new Map<object, DecodedPage>();
  private keptBytes = 0;
  private readonly root: { readonly data: Uint8Array };

  constructor(
    private readonly source: PageSource,
    root: Uint8Array,
  ) {
    this.root = { data: root };
  }

  /**
   * The rows with keys from `start` on, ascending. A page that cannot be had ends them.
   * @throws PageFault
   */
  *from(start: Uint8Array): Generator<SoughtRow> {
    const path = this.descend(start);
    for (let level = path.at(-1); level !== undefined; level = path.at(-1)) {
      const row = level.page.rows[level.next++];
      if (row === undefined) path.pop();
      else if (level.page.internal) this.push(path, row);
      else yield { key: this.keyOf(row), row };
    }
  }

  /** The value of a row, from its overflow page where it has one. */
  valueOf({ tag, data }: MergedRow): Uint8Array {
    return tag === cellTags.valueOverflow ? this.source.overflow(data) : data;
  }

  private descend(start: Uint8Array): Level[] {
    const path: Level[] = [];
    let row: { readonly data: Uint8Array } | undefined = this.root;
    while (row !== undefined) {
      const page = this.open(row);
      if (path.length >= MAX_DEPTH) throw new PageFault("tree-depth", "the tree is too deep", { path: "" });
      const next = page.internal ? this.childFor(page.rows, start) : this.firstFrom(page.rows, start);
      path.push({ page, next: page.internal ? next + 1 : next });
      row = page.internal ? page.rows[next] : undefined;
      if (row !== undefined && row.data.length === 0) row = undefined;
    }
    return path;
  }

  private push(path: Level[], row: MergedRow): void {
    // The history store is not truncated page by page while it is read from a checkpoint.
    if (row.data.length === 0 || row.tag === cellTags.addressDeleted) return;
    if (path.length >= MAX_DEPTH) throw new PageFault("tree-depth", "the tree is too deep", { path: "" });
    path.push({ page: this.open(row), next: 0 });
  }

  /** The last child whose first key is not above the key; the first child is below everything. */
  private childFor(rows: readonly MergedRow[], key: Uint8Array): number {
    let low = 0;
    let high = rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (compareKeys(this.keyOf(rows[middle] as MergedRow), key) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private firstFrom(rows: readonly MergedRow[], key: Uint8Array): number {
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareKeys(this.keyOf(rows[middle] as MergedRow), key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private keyOf({ key, keyCookie }: MergedRow): Uint8Array {
    return key ?? this.source.overflow(keyCookie as Uint8Array);
  }

  private open(row: { readonly data: Uint8Array }): DecodedPage {
    const known = this.kept.get(row);
    const page = known ?? this.read(row.data);
    if (known === undefined) this.keptBytes += page.bytes;
    else this.kept.delete(row);
    this.kept.set(row, page);
    this.forget();
    if (page.fault !== undefined) throw page.fault;
    return page;
  }

  private read(cookie: Uint8Array): DecodedPage {
    try {
      return decode(this.source.page(cookie));
    } catch (fault) {
      if (!(fault instanceof PageFault)) throw fault;
      return { rows: [], internal: false, bytes: 0, fault };
    }
  }

  /** Lets go of what was not used for longest, but never of the page just opened. */
  private forget(): void {
    for (const [row, { bytes }] of this.kept) {
      if (this.kept.size === 1) return;
      if (this.keptBytes <= MAX_KEPT_BYTES && this.kept.size <= MAX_KEPT_PAGES) return;
      this.kept.delete(row);
      this.keptBytes -= bytes;
    }
  }
}

interface Level {
  readonly page: DecodedPage;
  next: number;
}

function decode(page: TreePage): DecodedPage {
  const { type, parts, place } = page;
  if (!isRowTree(type))
    throw new PageFault("page-type", `a page of type ${type} is none of this tree`, place);
  const bytes = parts.reduce((sum, { image }) => sum + image.length, 0);
  return { rows: pageRows(parts), internal: isInternal(type), bytes };
}
