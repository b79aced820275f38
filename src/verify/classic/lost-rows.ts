/** What a damaged block of a classic file means for the rows of its table. */
import { pageFlags, pageTypes } from "../../../formats/page-header.js";
import { keyRangeText } from "../key-range-text.js";
import type { BlockRole, ClassicBlock } from "./block.js";
import { recordOf } from "./key-bytes.js";

const rowTypes: readonly number[] = [pageTypes.rowLeaf, pageTypes.rowInternal];

/** The keys a page may have, as its parent tells: from `low` on, below `high`. */
export interface PageRange {
  readonly low: Uint8Array | undefined;
  readonly high: Uint8Array | undefined;
  /** Keys are record numbers; undefined: not known. */
  readonly records: boolean | undefined;
  /** Whether keys, which are user data, may be named. Record numbers always are. */
  readonly showKeys: boolean;
}

const isRecords = ({ records, low, high }: PageRange): boolean =>
  records === true && [low, high].every((key) => key === undefined || key.length === 8);

/** `keys from 61 to below 7a`, or what can be said of them. */
export function rangeText(range: PageRange): string {
  const { low, high, showKeys } = range;
  if (low === undefined && high === undefined) return "all keys of the tree, or a range that is not known";
  if (isRecords(range)) return keyRangeText({ from: low && recordOf(low), to: high && recordOf(high) });
  if (!showKeys) return "the range of keys between two separators (-k shows which)";
  return keyRangeText({ from: low, to: high });
}

/** Rows of a leaf as its own header tells, which may be what is damaged. */
function leafRows(block: ClassicBlock): string {
  const { type, entries, flags, range } = block;
  if (range.low !== undefined && range.high !== undefined && isRecords(range))
    return `${recordOf(range.high) - recordOf(range.low)} records are lost`;
  if (type === pageTypes.columnFixed) return `${entries} records are lost, as its header says`;
  if (!rowTypes.includes(type)) return "how many rows are lost is not known";
  const keysOnly = (flags & pageFlags.emptyValuesAll) !== 0;
  // Cells take four bytes and more with their keys' and values' bytes: a header that says more is what is damaged.
  if (entries > block.memSize) return "how many rows are lost is not known";
  if (keysOnly) return `${entries} rows are lost, as its header says`;
  // A value of no bytes has no cell.
  return `${Math.ceil(entries / 2)} rows or a few more are lost, as its header says`;
}

const texts: Record<BlockRole, (block: ClassicBlock) => string> = {
  root: () => "the tree cannot be opened: all its rows are out of reach",
  internal: ({ range }) =>
    `every row below this page is out of reach: ${rangeText(range)}; how many rows is not known`,
  leaf: (block) => `the rows on this page are lost: ${rangeText(block.range)}; ${leafRows(block)}`,
  overflow: () => "one long key or value is lost",
  "extent list": () =>
    "the checkpoint's space accounting is lost; the file cannot be written to or verified, but all rows can be read",
};

/** `file:t.wt: the rows on this page are lost: …` */
export const lostText = (block: ClassicBlock): string =>
  `${block.table === undefined ? "" : `${block.table}: `}${texts[block.role](block)}`;
