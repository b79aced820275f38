/**
 * Leaves below an internal page that cannot be read: nothing leads to them any more, so every page there is is looked
 * at. Where several have the same keys, the one written last counts.
 */
import { cellTags } from "../../formats/cell.js";
import { pageTypes } from "../../formats/page-header.js";
import { columnRuns } from "../page/records.js";
import { compareKeys } from "./keys.js";
import { PageFault } from "./problem.js";
import type { KeyRange, PagePart, PageSource, TreeKey, TreePage } from "./types.js";
import { isInside, isInternal, isRowTree, pageRows } from "./walk.js";

/** An address, and where its keys begin and end. */
export interface RescuedLeaf {
  readonly cookie: Uint8Array;
  readonly written: bigint;
  readonly first: TreeKey;
  readonly last: TreeKey;
}

/**
 * The leaves whose keys are all in the range, in the order of keys. Some may be of another time: rows removed since
 * then, by a truncate of their whole page, are among theirs.
 */
export function rescueLeaves(
  source: PageSource,
  range: KeyRange,
  ofRows: boolean | undefined,
): RescuedLeaf[] {
  const found: RescuedLeaf[] = [];
  for (const { cookie, written } of source.candidates?.() ?? []) {
    const span = spanOf(source, cookie, ofRows);
    if (span !== undefined && isInside(span.first, range) && isInside(span.last, range))
      found.push({ cookie: cookie.slice(), written, ...span });
  }
  found.sort((a, b) => (a.written > b.written ? -1 : a.written < b.written ? 1 : 0));
  const kept: RescuedLeaf[] = [];
  for (const leaf of found) insert(kept, leaf);
  return kept;
}

/** Puts a leaf into its place, unless another one has some of its keys. */
function insert(kept: RescuedLeaf[], leaf: RescuedLeaf): void {
  let low = 0;
  let high = kept.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareKeys((kept[middle] as RescuedLeaf).first, leaf.first) <= 0) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [kept[low - 1], kept[low]];
  if (before !== undefined && compareKeys(before.last, leaf.first) >= 0) return;
  if (after !== undefined && compareKeys(leaf.last, after.first) >= 0) return;
  kept.splice(low, 0, leaf);
}

type Span = Pick<RescuedLeaf, "first" | "last">;

function spanOf(source: PageSource, cookie: Uint8Array, ofRows: boolean | undefined): Span | undefined {
  try {
    const page = source.page(cookie);
    if (isInternal(page.type) || (ofRows !== undefined && ofRows !== isRowTree(page.type))) return undefined;
    return isRowTree(page.type) ? rowSpan(source, page) : recordSpan(page);
  } catch (error) {
    if (!(error instanceof PageFault)) throw error;
    return undefined;
  }
}

function rowSpan(source: PageSource, { parts }: TreePage): Span | undefined {
  const rows = pageRows(parts);
  const keyAt = (index: number): TreeKey | undefined => {
    const row = rows.at(index);
    if (row === undefined) return undefined;
    return row.key ?? source.overflow(row.keyCookie as Uint8Array);
  };
  const [first, last] = [keyAt(0), keyAt(-1)];
  return first === undefined || last === undefined ? undefined : { first, last };
}

function recordSpan({ type, parts }: TreePage): Span | undefined {
  const { image, layout } = parts[0] as PagePart;
  const first = layout.recno;
  if (type === pageTypes.columnFixed)
    return layout.entries === 0 ? undefined : { first, last: first + BigInt(layout.entries) - 1n };
  if (type !== pageTypes.columnVariable) return undefined;
  let next = first;
  for (const { recno, count } of columnRuns(image, layout)) next = recno + count;
  return next === first ? undefined : { first, last: next - 1n };
}

/** Whether there may be leaves below a page that only it leads to. */
export const mayHaveLeaves = (tag: number): boolean => tag === cellTags.addressInternal;
