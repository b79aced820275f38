/** A whole block: headers, what they announce, padding (formats: page and block headers; cells and deltas §4 to §6). */
import {
  add,
  and,
  array,
  bytes,
  ceilDiv,
  countOf,
  type Expr,
  eq,
  type GenerationValue,
  generations,
  has,
  lengthOf,
  lt,
  mul,
  type Node,
  not,
  optional,
  or,
  packed32,
  param,
  position,
  type RandomSource,
  type Rule,
  ref,
  region,
  remaining,
  select,
  shr,
  struct,
  sub,
  type Type,
  u8,
} from "../src/codec/index.js";
import {
  BLOCK_HEADER,
  blockChecksum,
  blockHeaderTypes,
  blockMagics,
  classicBlockHeaderType,
  combinedHeaderSizes,
  DELTA_HEADER,
  deltaHeaderType,
  fewestIssues,
  likelyBlockHeader,
} from "./block-header.js";
import { cellType } from "./cell.js";
import { oldInternalEntryType, oldLeafEntryType } from "./delta.js";
import { WINDOW_AREA_VERSION } from "./page-content.js";
import { PAGE_HEADER, pageHeaderType, pageTypes, TRANSFORMED_PAGE } from "./page-header.js";
import { classicRules, type PageParts, pageLogRules } from "./page-rules.js";
import { draftPage } from "./page-sample.js";
import { zeroTail } from "./zero-tail.js";

/** A part with a documentation of its own. */
const documented = <T extends Node>(type: T, see: string): T => ({ ...type, see });

const type = ref("header.type");
/** With `params.plain=1` the bytes are the plain image of a block that was stored otherwise. */
const transformed = and(has(ref("header.flags"), TRANSFORMED_PAGE), not(param("plain")));
const plain = (of: Expr): Expr => and(not(transformed), of);
const isType = (...types: number[]): Expr =>
  or(...(types.map((number) => eq(type, number)) as [Expr, ...Expr[]]));
/** Bytes of the image behind this point. */
const imageLeft = sub(ref("header.memSize"), position);

const stored = optional(
  bytes(undefined, { doc: "compressed or encrypted: output of the transformation" }),
  transformed,
);
const cellsOf = (...types: number[]) =>
  optional(
    region(array(cellType, { doc: "up to mem_size", see: "cell" }), imageLeft),
    plain(isType(...types)),
  );

const windowAreaType = struct({
  version: u8({ constant: WINDOW_AREA_VERSION }),
  count: packed32({ doc: "number of windows", derive: shr(countOf("cells"), 1) }),
  cellsOffset: packed32({ doc: "offset of the first cell, counted from the version byte", sample: () => 7 }),
  gap: bytes(sub(ref("cellsOffset"), position), { reserved: true }),
  cells: array(cellType, {
    see: "cell",
    doc: "pairs: a key cell with the record's distance from the page's first, a value cell with its window",
  }),
});

/** Bytes of one bit-packed record column; without `params.bitsPerRecord` everything up to the end of the image. */
const bitmapLength = select(
  param("bitsPerRecord"),
  ceilDiv(mul(ref("header.entries"), param("bitsPerRecord")), 8),
  imageLeft,
);

/** What a full image holds, by the type of the page. */
const imageContent = {
  stored,
  extents: optional(
    bytes(ref("header.entries"), { doc: "extent list (format extent-list)" }),
    plain(isType(pageTypes.blockManager)),
  ),
  overflow: optional(
    bytes(ref("header.entries"), { doc: "one key or value" }),
    plain(isType(pageTypes.overflow)),
  ),
  bitmap: optional(
    bytes(bitmapLength, {
      doc: "records of `params.bitsPerRecord` bits, each with its highest bit first, filling bytes from their lowest bit",
    }),
    plain(isType(pageTypes.columnFixed)),
  ),
  windowArea: optional(
    region(windowAreaType, imageLeft, { doc: "windows of records that are not visible to all" }),
    and(plain(isType(pageTypes.columnFixed)), lt(position, ref("header.memSize"))),
  ),
  cells: cellsOf(
    pageTypes.columnInternal,
    pageTypes.columnVariable,
    pageTypes.rowInternal,
    pageTypes.rowLeaf,
  ),
};
/** Parts of a page that count towards mem_size. */
const payloadLength = [
  "extents",
  "overflow",
  "bitmap",
  "windowArea",
  "cells",
  "leafEntries",
  "internalEntries",
]
  .map(lengthOf)
  .reduce((sum, length) => add(sum, length));
const changes = add(countOf("leafEntries"), countOf("internalEntries"));
const entries = select(
  eq(ref("type"), pageTypes.overflow),
  lengthOf("overflow"),
  select(eq(ref("type"), pageTypes.blockManager), lengthOf("extents"), add(countOf("cells"), changes)),
);
const memSizeBehind = (header: number): Expr => add(header, add(lengthOf("block"), payloadLength));
const pageMemSize = memSizeBehind(PAGE_HEADER.size);
const pageHeader = documented(pageHeaderType({ memSize: pageMemSize, entries }), "page-header");
const logBlock = <T extends Node>(block: T): T => documented(block, "block-header");
const tail = (doc: string) =>
  optional(
    zeroTail(doc, () => 0),
    remaining,
  );

const classicPage = struct(
  {
    header: pageHeader,
    block: documented(
      classicBlockHeaderType(blockChecksum, {
        diskSize: add(pageMemSize, add(lengthOf("stored"), lengthOf("tail"))),
      }),
      "classic-block-header",
    ),
    ...imageContent,
    tail: tail("zeros up to the allocation size; on an extent list the checkpoint info comes first"),
  },
  { rules: classicRules },
);

const logTail = tail("there is none: page logs keep blocks as they are");
const logPage = <H extends PageParts["block"]>(block: Type<H>, magic?: "base") =>
  struct(
    {
      header: pageHeader,
      block: logBlock(block),
      ...imageContent,
      tail: logTail,
    },
    { rules: pageLogRules(magic) as readonly Rule[] },
  );

/** What an old delta holds, by the type of its page. */
const oldDeltaContent = {
  stored,
  leafEntries: optional(
    region(array(oldLeafEntryType, { doc: "up to mem_size", see: "delta-leaf-entry" }), imageLeft),
    plain(isType(pageTypes.rowLeaf)),
  ),
  internalEntries: optional(
    region(array(oldInternalEntryType, { doc: "up to mem_size", see: "delta-internal-entry" }), imageLeft),
    plain(isType(pageTypes.rowInternal)),
  ),
  tail: logTail,
};
const oldDelta = struct(
  {
    header: documented(
      deltaHeaderType({ memSize: memSizeBehind(DELTA_HEADER.size), entries }),
      "delta-header",
    ),
    block: logBlock(blockHeaderTypes.D0(blockChecksum)),
    ...oldDeltaContent,
  },
  { rules: pageLogRules("delta") },
);
const oldDeltaNewHeader = struct(
  {
    header: pageHeader,
    block: logBlock(blockHeaderTypes.D1(blockChecksum)),
    ...oldDeltaContent,
  },
  { rules: pageLogRules("delta") },
);

export const pageVariants = {
  extended: {
    type: logPage(blockHeaderTypes.extended(blockChecksum)),
    when: "the design note this project implements",
    doc: "Page log: an image or delta whose block header has the checksum a replacement stands for.",
  },
  modified: {
    type: logPage(blockHeaderTypes.modified(blockChecksum)),
    when: "since February 2026",
    doc: "Page log: an image in place of an image and its deltas.",
  },
  D1: {
    type: logPage(blockHeaderTypes.D1(blockChecksum)),
    when: "since July 2025",
    doc: "Page log: an image, or a delta of cells (forms P1 and P2).",
  },
  "D1-P0": {
    type: oldDeltaNewHeader,
    when: "July to about October 2025",
    doc: "Page log: a delta of entries without cells around them (form P0) behind a page header.",
  },
  D0: {
    type: logPage(blockHeaderTypes.D0(blockChecksum), "base"),
    when: "January to July 2025",
    doc: "Page log: an image.",
  },
  "D0-delta": {
    type: oldDelta,
    when: "January to July 2025",
    doc: "Page log: a delta of entries (form P0) behind a delta header.",
  },
  classic: { type: classicPage, doc: "A block of a classic file, padded to the allocation size." },
} as const;
export type Page = GenerationValue<typeof pageVariants>;
export type PageGeneration = keyof typeof pageVariants;

const declared = generations(
  {
    name: "page",
    params: {
      plain: "1: the bytes are the plain image of a compressed or encrypted block",
      bitsPerRecord: "bits of a record on a fixed-length column page, 1 to 8",
      anyKeyOrder: "1: keys may come in any order",
      blockLength: "bytes of the whole block: the header must fit",
      fastTruncate:
        "1: as with the page flag of that name, cells of deleted children carry the truncating transaction",
    },
    title: "block with its page",
    source: "page and block headers; cells and deltas §4 to §6",
    doc: "A whole block as it is stored. What is compressed or encrypted is kept as `stored`. `params.bitsPerRecord` (1 to 8) splits a fixed-length column page into records and windows; `params.anyKeyOrder=1` allows any order of keys, for tables with a collator of their own; `params.plain=1` reads the plain image of a compressed or encrypted block, whose checksum covers other bytes.",
  },
  pageVariants,
  {
    detection:
      "The magic byte 0xdb or 0xdd at byte 28 (at byte 20 in a D0 delta) tells page logs from classic files; then compatible version, flags and header size tell the block headers apart (format block-header). The checksum settles it, for its range depends on the flags; a delta's payload must be of its form to its last byte.",
    choose: fewestIssues,
    likely: likelyPage,
    candidates,
  },
);

/** The generations whose magic is there; the checksum and the payload tell them apart. */
function candidates(block: Uint8Array): PageGeneration[] {
  const magic = block[PAGE_HEADER.size + BLOCK_HEADER.magic];
  const isLog = magic === blockMagics.base || magic === blockMagics.delta;
  const found: PageGeneration[] = isLog ? ["extended", "modified", "D1", "D1-P0", "D0"] : [];
  if (hasDeltaHeader(block)) found.push("D0-delta");
  return found.length === 0 ? ["classic"] : found;
}

const hasDeltaHeader = (block: Uint8Array): boolean =>
  block[DELTA_HEADER.size + BLOCK_HEADER.magic] === blockMagics.delta &&
  block[DELTA_HEADER.size + BLOCK_HEADER.combinedHeaderSize] === combinedHeaderSizes.oldDelta;

/** The generation a block looks like, by its headers alone. */
export function likelyPage(block: Uint8Array): PageGeneration {
  if (hasDeltaHeader(block)) return "D0-delta";
  const magic = block[PAGE_HEADER.size + BLOCK_HEADER.magic];
  const isLog = magic === blockMagics.base || magic === blockMagics.delta;
  return isLog ? likelyBlockHeader(block, PAGE_HEADER.size) : "classic";
}

export const page: typeof declared = {
  ...declared,
  generate: (random, { generation = pick(random) } = {}) => {
    const draft = { generation, ...draftPage(random, generation) } as unknown as Page;
    return declared.parse(declared.build(draft), { generation });
  },
};

const pick = (random: RandomSource): string =>
  declared.generations[random.below(declared.generations.length)] as string;
