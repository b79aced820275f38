/** The 28 bytes every page begins with, in classic files and page logs alike (formats: page and block headers §1). */
import {
  type Expr,
  format,
  type Infer,
  offsetsOf,
  type Rule,
  struct,
  symbolValues,
  u8,
  u32le,
  u64le,
} from "../src/codec/index.js";

const SOURCE = "page and block headers §1";

export const pageTypeSymbols = {
  blockManager: [1, "extent list of a classic file"],
  columnFixed: [2, "fixed-length column-store leaf"],
  columnInternal: [3, "column-store internal page"],
  columnVariable: [4, "variable-length column-store leaf"],
  overflow: [5, "one long key or value"],
  rowInternal: [6, "row-store internal page"],
  rowLeaf: [7, "row-store leaf page"],
} as const;
/** Type 0 is written nowhere: it is what zeroed bytes look like. */
export const pageTypes = symbolValues(pageTypeSymbols);
export const MAX_PAGE_TYPE = Math.max(...Object.values(pageTypes));

export const pageFlagSymbols = {
  compressed: [0x01, "what lies behind the first 64 bytes is compressed"],
  emptyValuesAll: [0x02, "row leaf: every value is empty, there are no value cells"],
  emptyValuesNone: [0x04, "row leaf: every key cell is followed by a value cell"],
  encrypted: [0x08, "what lies behind the headers is encrypted"],
  unused: [0x10, "once lookaside; ignored"],
  fastTruncate: [0x20, "cells of deleted children carry the truncating transaction"],
} as const;
export const pageFlags = symbolValues(pageFlagSymbols);
/** The bytes behind the headers are not cells but the output of a compressor or encryptor. */
export const TRANSFORMED_PAGE = pageFlags.compressed | pageFlags.encrypted;

/** Page-header versions: 1 says that cells may carry time windows. Deltas carry them under version 0 as well. */
export const pageVersions = { original: 0, timeWindows: 1 } as const;

const rowStoreTypes: readonly number[] = [pageTypes.rowInternal, pageTypes.rowLeaf];

interface HeaderValue {
  readonly recno: bigint;
  readonly type: number;
  readonly flags: number;
}

/** Rules of the header alone; those that compare it with the rest of the page are with the page. */
export const pageHeaderRules: ReadonlyArray<
  Omit<Rule, "check"> & { check: (value: HeaderValue) => ReturnType<Rule["check"]> }
> = [
  {
    code: "page-recno",
    doc: "pages of row stores have record number 0",
    check: ({ recno, type }) =>
      recno !== 0n && rowStoreTypes.includes(type)
        ? { path: "recno", expected: 0n, actual: recno }
        : undefined,
  },
  {
    code: "page-empty-values",
    doc: "a page cannot have both no values and nothing but values",
    check: ({ flags }) =>
      (flags & pageFlags.emptyValuesAll) !== 0 && (flags & pageFlags.emptyValuesNone) !== 0
        ? { path: "flags", expected: "at most one of emptyValuesAll and emptyValuesNone", actual: flags }
        : undefined,
  },
];

/** The header as a part of a page: what the rest of the page tells can be left out when building. */
export const pageHeaderType = (derive: { memSize?: Expr; entries?: Expr } = {}) =>
  struct(
    {
      recno: u64le({
        doc: "column stores: number of the page's first record; row stores: 0",
        sample: () => 0n,
      }),
      writeGen: u64le({
        doc: "write generation of the tree when the page was written; 0 on block-manager pages",
      }),
      memSize: u32le({
        doc: "bytes of the image before compression and encryption, both headers included",
        ...(derive.memSize === undefined ? {} : { derive: derive.memSize }),
      }),
      entries: u32le({
        doc: "cells on the page; records on a fixed-length column page; payload bytes of overflow and block-manager pages",
        ...(derive.entries === undefined ? {} : { derive: derive.entries }),
      }),
      type: u8({ symbols: pageTypeSymbols, unknown: "error" }),
      flags: u8({ flags: pageFlagSymbols, hex: true, sample: (random) => 1 << random.below(6) }),
      reserved: u8({ reserved: true }),
      version: u8({ doc: "0 original, 1 cells may carry time windows; deltas are written with 0", max: 1 }),
    },
    { rules: pageHeaderRules },
  );

export const pageHeader = format(
  {
    name: "page-header",
    title: "page header",
    source: SOURCE,
    doc: "Identical in classic files and page logs; a delta of the oldest page logs has a delta header instead.",
  },
  pageHeaderType(),
);

export type PageHeaderValue = Infer<typeof pageHeader.type>;

/** Offsets of the fields from the first byte of the block, and the bytes of the header. */
export const PAGE_HEADER = offsetsOf(pageHeader.type);
