/** Which cells stand on which page, and what a cell takes (formats: cells and deltas §2, §4, §5). */
import { packedSize } from "../src/codec/index.js";
import { type Cell, type CellKind, type CellWindow, truncateSlots, windowSlots } from "./cell.js";
import { pageTypes } from "./page-header.js";

/** A key, then what belongs to it; without keys, items follow each other. */
export interface CellContent {
  readonly name: string;
  readonly keys: readonly CellKind[];
  readonly items: readonly CellKind[];
  /** A key may do without an item: an empty value, visible to all. */
  readonly itemsOptional?: true;
}

const plainKeys: readonly CellKind[] = ["keyShort", "key"];
const prefixedKeys: readonly CellKind[] = [...plainKeys, "keyShortPrefix", "keyPrefix"];
const children: readonly CellKind[] = ["addressInternal", "addressLeaf", "addressLeafNoOverflow"];
const values: readonly CellKind[] = ["valueShort", "value", "valueCopy", "valueOverflow"];

export const cellContents = {
  rowLeaf: { name: "row leaf", keys: [...prefixedKeys, "keyOverflow"], items: values, itemsOptional: true },
  rowInternal: {
    name: "row internal page",
    keys: [...plainKeys, "keyOverflow"],
    items: [...children, "addressDeleted"],
  },
  columnInternal: { name: "column internal page", keys: [], items: [...children, "addressDeleted"] },
  columnVariable: { name: "variable-length column page", keys: [], items: [...values, "deleted"] },
  /** The window area of a fixed-length column page: the record's number, then a value without data. */
  columnFixedWindows: { name: "window area", keys: plainKeys, items: ["value"] },
  deltaLeaf: { name: "leaf delta", keys: prefixedKeys, items: ["valueShort", "value"] },
  deltaInternal: {
    name: "internal delta",
    keys: prefixedKeys,
    items: [...children, "addressDeletedVisibleAll"],
  },
  /** One entry of form P0; a removed child has no item. */
  oldDeltaInternal: { name: "old internal delta", keys: plainKeys, items: children },
} as const satisfies Record<string, CellContent>;

/** What the cells of a page should be; undefined for pages without cells and deltas of other types. */
export function contentOf(type: number, delta: boolean): CellContent | undefined {
  if (type === pageTypes.rowLeaf) return delta ? cellContents.deltaLeaf : cellContents.rowLeaf;
  if (type === pageTypes.rowInternal) return delta ? cellContents.deltaInternal : cellContents.rowInternal;
  if (delta) return undefined;
  if (type === pageTypes.columnInternal) return cellContents.columnInternal;
  return type === pageTypes.columnVariable ? cellContents.columnVariable : undefined;
}

/** What a copy may point at: a value that is stored itself. */
export const copiedKinds: readonly CellKind[] = ["valueShort", "value", "valueOverflow"];

/** Every part a cell may have. */
export interface CellParts {
  readonly prefix?: number;
  readonly window?: CellWindow;
  readonly truncateTxn?: bigint;
  readonly truncateTs?: bigint;
  readonly truncateDurableTs?: bigint;
  readonly truncatePrepared?: number;
  readonly value64?: bigint;
  readonly storedLength?: number;
  readonly distance?: bigint;
  readonly data?: Uint8Array;
  readonly cookie?: Uint8Array;
}

const packedParts = [...truncateSlots, "value64", "storedLength", "distance"] as const;
const byteParts = ["prefix", "truncatePrepared"] as const;

const packedBytes = (value: number | bigint | undefined): number =>
  value === undefined ? 0 : packedSize(BigInt(value));

/** Bytes a cell takes on its page. */
export function cellLength(cell: Cell): number {
  const parts: CellParts = cell;
  const { window } = parts;
  let length = 1 + (parts.data?.length ?? 0) + (parts.cookie?.length ?? 0);
  for (const name of byteParts) if (parts[name] !== undefined) length++;
  for (const name of packedParts) length += packedBytes(parts[name]);
  if (window === undefined) return length;
  return windowSlots.reduce((sum, name) => sum + packedBytes(window[name]), length + 1);
}

/** Fixed-length column records have 1 to 8 bits. */
export const MAX_BITS_PER_RECORD = 8;

/** Bytes of `records` fixed-length column records. */
export const bitmapBytes = (records: number, bitsPerRecord: number): number =>
  Math.ceil((records * bitsPerRecord) / 8);

/** Version of the window area behind them. */
export const WINDOW_AREA_VERSION = 1;
