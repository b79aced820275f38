/** From a root to the leaves, in the order of keys. Damage costs the pages below it; the walk goes on. */
import { cellTags } from "../../formats/cell.js";
import { pageTypes } from "../../formats/page-header.js";
import type { Truncation } from "../page/cell-reader.js";
import { columnChildren } from "../page/records.js";
import { type MergedRow, mergeRows, type Row, rowsOf } from "../page/rows.js";
import { compareKeys } from "./keys.js";
import { PageFault } from "./problem.js";
import { mayHaveLeaves, type RescuedLeaf, rescueLeaves } from "./rescue.js";
import type { KeyRange, PagePart, PageSource, ReportProblem, TreeKey, TreeLeaf, TreePage } from "./types.js";

/** Deeper than any tree: page sizes and fan-out allow a dozen levels at most. */
const MAX_DEPTH = 64;

export interface WalkOptions {
  /** `file:t.wt`, for problems. */
  readonly table: string;
  /** Children truncated after this timestamp are opened; without it none is. */
  readonly timestamp?: bigint | undefined;
  /** Keys are in an order of the table's own collator. */
  readonly anyKeyOrder?: boolean;
  /** Looks for the leaves below internal pages that cannot be read. */
  readonly rescue?: boolean;
  readonly report: ReportProblem;
  /** Told of every page, before its children; depth 0 = the root. */
  readonly visit?: (page: TreePage, depth: number) => void;
  /** Told of children that are not opened. */
  readonly skip?: (child: Child) => void;
}

/** A child as its parent has it. */
export interface Child extends KeyRange {
  readonly cookie: Uint8Array;
  /** As `cellTags`. */
  readonly tag: number;
  readonly truncation?: Truncation | undefined;
  /** Row stores: the part of the page its cells are on, and where the key's begins there. */
  readonly part?: number;
  readonly offset?: number;
}

interface Frame {
  readonly children: readonly Child[];
  next: number;
}

export const isRowTree = (type: number): boolean =>
  type === pageTypes.rowInternal || type === pageTypes.rowLeaf;
export const isInternal = (type: number): boolean =>
  type === pageTypes.rowInternal || type === pageTypes.columnInternal;
const isTreePage = (type: number): boolean =>
  isInternal(type) ||
  type === pageTypes.rowLeaf ||
  type === pageTypes.columnVariable ||
  type === pageTypes.columnFixed;

/** The rows of a row-store page, base and deltas merged; `part` tells which of them a row is from. */
export function pageRows(parts: readonly PagePart[]): MergedRow[] {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return wholeRows(only);
  return mergeRows(parts.map(({ image, layout }) => rowsOf(image, layout)));
}

function wholeRows({ image, layout }: PagePart): MergedRow[] {
  const rows: MergedRow[] = [];
  for (const row of rowsOf(image, layout) as Iterable<Row & { part: number }>) {
    row.part = 0;
    rows.push(row);
  }
  return rows;
}

export class TreeWalk {
  /** Internal pages on the way and before: no page is the parent of two. Leaves have no children to loop by. */
  private readonly parents = new Set<string>();
  private ofRows: boolean | undefined;
  private found: readonly RescuedLeaf[] = [];

  constructor(
    private readonly source: PageSource,
    private readonly options: WalkOptions,
  ) {}

  *leaves(root: Uint8Array): Generator<TreeLeaf> {
    const stack: Frame[] = [{ children: [{ cookie: root, tag: cellTags.addressInternal }], next: 0 }];
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const child = frame.children[frame.next++];
      if (child === undefined) {
        stack.pop();
        continue;
      }
      if (!this.isWanted(child)) {
        this.options.skip?.(child);
        continue;
      }
      const depth = stack.length - 1;
      const page = this.load(child, depth);
      if (page === undefined) {
        yield* this.rescued(child, depth);
        continue;
      }
      this.options.visit?.(page, depth);
      if (isInternal(page.type)) stack.push({ children: this.childrenOf(page, child), next: 0 });
      else yield { page, range: child, depth };
    }
  }

  /** A fast truncate hides its child from readers of its timestamp and later ones. */
  private isWanted({ tag, truncation, cookie }: Child): boolean {
    if (cookie.length === 0) return false;
    if (tag !== cellTags.addressDeleted) return true;
    const { timestamp } = this.options;
    return timestamp !== undefined && truncation !== undefined && truncation.timestamp > timestamp;
  }

  private load(child: Child, depth: number): TreePage | undefined {
    try {
      const page = this.source.page(child.cookie);
      this.checkKind(page);
      if (isInternal(page.type)) this.enter(page, depth);
      return page;
    } catch (error) {
      if (!(error instanceof PageFault)) throw error;
      this.found = this.lookFor(child);
      this.report(error, rangeOf(child), this.found.length);
      return undefined;
    }
  }

  private lookFor(child: Child): readonly RescuedLeaf[] {
    const { rescue = false, anyKeyOrder = false } = this.options;
    if (!rescue || anyKeyOrder || !mayHaveLeaves(child.tag)) return [];
    return rescueLeaves(this.source, child, this.ofRows);
  }

  /** The leaves found below the page that could not be loaded last. */
  private *rescued(range: KeyRange, depth: number): Generator<TreeLeaf> {
    const { found } = this;
    this.found = [];
    for (const { cookie } of found) yield { page: this.source.page(cookie), range: rangeOf(range), depth };
  }

  private checkKind({ type, place }: TreePage): void {
    const wanted = this.ofRows === undefined || this.ofRows === isRowTree(type);
    if (!isTreePage(type) || !wanted)
      throw new PageFault("page-type", `a page of type ${type} is none of this tree`, place);
    this.ofRows ??= isRowTree(type);
  }

  private enter({ identity, place }: TreePage, depth: number): void {
    if (this.parents.has(identity))
      throw new PageFault("tree-loop", "the page is reached a second time", place);
    if (depth >= MAX_DEPTH)
      throw new PageFault("tree-depth", `the tree is deeper than ${MAX_DEPTH} levels`, place);
    this.parents.add(identity);
  }

  private report({ code, message, place }: PageFault, lost?: KeyRange, rescued = 0): void {
    const { table, report } = this.options;
    const range = lost === undefined ? {} : { lost };
    report({ code, message, table, place, ...range, ...(rescued === 0 ? {} : { rescued }) });
  }

  private childrenOf(page: TreePage, range: KeyRange): Child[] {
    return page.type === pageTypes.rowInternal
      ? rowChildren(page, range, (row) => this.separator(row, page))
      : columnChildList(page.parts[0] as PagePart, range);
  }

  /** Undefined where it cannot be read: then only a lost range is less exact. */
  private separator({ key, keyCookie }: Row, page: TreePage): TreeKey | undefined {
    if (key !== undefined) return key;
    try {
      return this.source.overflow(keyCookie as Uint8Array);
    } catch (error) {
      if (!(error instanceof PageFault)) throw error;
      this.report(
        new PageFault("overflow", `the key between two children: ${error.message}`, page.place),
        undefined,
      );
      return undefined;
    }
  }
}

export const rangeOf = ({ from, to }: KeyRange): KeyRange => ({
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
});

/** The children of a row-internal page, each with the keys it may have. */
export function rowChildren(
  page: TreePage,
  range: KeyRange,
  separator: (row: MergedRow) => TreeKey | undefined,
): Child[] {
  const rows = pageRows(page.parts);
  // The first key is below everything, whatever it says.
  const starts = rows.map((row, index) => (index === 0 ? range.from : separator(row)));
  return rows.map(({ data, tag, truncation, part, offset }, index) => ({
    cookie: data,
    tag,
    truncation,
    part,
    offset,
    from: starts[index],
    to: index + 1 < rows.length ? starts[index + 1] : range.to,
  }));
}

function columnChildList({ image, layout }: PagePart, range: KeyRange): Child[] {
  const children = [...columnChildren(image, layout)];
  return children.map(({ recno, cookie, tag, truncation }, index) => ({
    cookie,
    tag,
    truncation,
    from: index === 0 ? (range.from ?? recno) : recno,
    to: children[index + 1]?.recno ?? range.to,
  }));
}

/** Whether a key is inside a range. */
export const isInside = (key: TreeKey, { from, to }: KeyRange): boolean =>
  (from === undefined || compareKeys(key, from) >= 0) && (to === undefined || compareKeys(key, to) < 0);
