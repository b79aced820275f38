/** The children of an internal page that is one image, without an object for its rows. */
import { cellTags } from "../../../formats/cell.js";
import { readerOf } from "../../page/rows.js";
import { pageForms } from "../../page/walk-types.js";
import type { KeyRange, PagePart } from "../../tree/types.js";
import type { Child } from "../../tree/walk.js";

const { key, keyShort, addressInternal, addressLeaf, addressLeafNoOverflow } = cellTags;

/**
 * As `rowChildren` gives them. Undefined where a key is not whole on the page, or a child was deleted: then the rows
 * have to be asked.
 */
export function imageChildren({ image, layout }: PagePart, range: KeyRange): Child[] | undefined {
  if (layout.form !== pageForms.image) return undefined;
  const cell = readerOf(image, layout);
  const children: Array<{ -readonly [K in keyof Child]: Child[K] }> = [];
  for (let at = layout.payload; at < cell.end; at = cell.next) {
    if (!cell.read(at) || (cell.tag !== keyShort && cell.tag !== key)) return undefined;
    // The first key is below everything, whatever it says.
    const from = children.length === 0 ? range.from : image.subarray(cell.dataStart, cell.next);
    if (cell.next >= cell.end || !cell.read(cell.next) || !isAddress(cell.tag)) return undefined;
    const cookie = image.subarray(cell.dataStart, cell.next);
    const before = children.at(-1);
    if (before !== undefined) before.to = from;
    children.push({ cookie, tag: cell.tag, part: 0, offset: at, from, to: range.to });
  }
  return children;
}

const isAddress = (tag: number): boolean =>
  tag === addressInternal || tag === addressLeaf || tag === addressLeafNoOverflow;
