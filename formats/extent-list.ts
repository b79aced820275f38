/** Which parts of a classic file a checkpoint allocated, freed or discarded. Formats: classic file format §3. */
import {
  array,
  bytes,
  eq,
  format,
  type Infer,
  lengthOf,
  optional,
  packed,
  packed32,
  packedSize,
  packedSizeOf,
  peek,
  type RandomSource,
  type Rule,
  ref,
  region,
  remaining,
  struct,
  sub,
  symbolValues,
  text,
  type Violation,
} from "../src/codec/index.js";
import {
  addressOf,
  type BlockLocation,
  type ClassicCheckpointCookie,
  checkpointCookieType,
  classicCheckpointCookie,
} from "./classic-cookie.js";
import { MIN_ALLOCATION_SIZE } from "./description-block.js";
import { tailRule, zeroTail } from "./zero-tail.js";

/** The offset of the pair every list begins with; its size is 0. */
export const EXTENT_LIST_MAGIC = 71_002;
/** How the packed integer 0 begins: no extent lies there, so it ends the list. */
const PACKED_ZERO = 0x80;
/** Bytes kept free for the file size, which is only known once the list itself has its place. */
export const FILE_SIZE_RESERVED = 9;

export const extentListVersionSymbols = {
  original: [0, "nothing follows"],
  checkpointInfo: [1, "avail list of a checkpoint: what is needed to find the checkpoint again follows"],
} as const;
export const extentListVersions = symbolValues(extentListVersionSymbols);

const extent = struct({
  offset: packed({ doc: "first byte in the file" }),
  size: packed({ doc: "bytes" }),
});
export type Extent = Infer<typeof extent>;

const checkpointInfo = struct(
  {
    writeGen: packed({ doc: "write generation of the checkpoint: the root page's + 1" }),
    fileSize: packed({ doc: "final length of the file in bytes, in 9 reserved bytes" }),
    fileSizeFill: bytes(sub(FILE_SIZE_RESERVED, packedSizeOf("fileSize")), {
      reserved: true,
      doc: "the rest of the 9 bytes",
    }),
    metadataLength: packed32({ derive: lengthOf("metadata") }),
    metadata: text(ref("metadataLength"), {
      doc: "encryption and block metadata settings, with the file's configuration before this checkpoint",
    }),
    checkpointListLength: packed32({ derive: lengthOf("checkpointList") }),
    checkpointList: text(ref("checkpointListLength"), {
      doc: "all checkpoints of the file; the last one is this one, with the incomplete cookie",
    }),
    cookieLength: packed32({ derive: lengthOf("cookie") }),
    cookie: region(checkpointCookieType, ref("cookieLength"), {
      doc: "the checkpoint's cookie without the address of this list",
      sample: incompleteCookie,
    }),
  },
  {
    rules: [
      {
        code: "extent-info-avail",
        doc: "the cookie in an avail list cannot hold the list's own address",
        severity: "warning",
        check: ({ cookie }) =>
          cookie.avail.sizeUnits === 0
            ? undefined
            : { path: "cookie.avail", expected: "no block", actual: `${cookie.avail.sizeUnits} units` },
      },
    ],
  },
);
export type CheckpointInfo = Infer<typeof checkpointInfo>;

function incompleteCookie(random: RandomSource): ClassicCheckpointCookie {
  return { ...classicCheckpointCookie.generate(random), avail: { ...addressOf(undefined) } };
}

type List = { readonly extents: readonly Extent[] };
type Params = Readonly<Record<string, number>>;

/** A rule about single extents. */
const extentRule = (
  code: string,
  doc: string,
  check: (extent: Extent, params: Params, before: Extent | undefined) => Violation | undefined,
): Omit<Rule, "check"> & { check: (list: List, context: { params: Params }) => Violation | undefined } => ({
  code,
  doc,
  check: ({ extents }, { params }) => {
    for (const [index, item] of extents.entries()) {
      const violation = check(item, params, extents[index - 1]);
      if (violation !== undefined) return { ...violation, path: `extents[${index}]${violation.path ?? ""}` };
    }
    return undefined;
  },
});

const unitOf = (params: Params): bigint => BigInt(params.allocationSize ?? MIN_ALLOCATION_SIZE);

const extentRules = [
  extentRule("extent-size", "an extent is not empty", ({ size }) =>
    size === 0n ? { path: ".size", expected: "at least 1", actual: size } : undefined,
  ),
  extentRule(
    "extent-alignment",
    "offset and size are multiples of the allocation size",
    ({ offset, size }, params) =>
      offset % unitOf(params) === 0n && size % unitOf(params) === 0n
        ? undefined
        : { expected: `multiples of ${unitOf(params)}`, actual: `${offset}/${size}` },
  ),
  extentRule("extent-description", "no extent covers the description block", ({ offset }, params) =>
    offset < unitOf(params)
      ? { path: ".offset", expected: `at least ${unitOf(params)}`, actual: offset }
      : undefined,
  ),
  extentRule("extent-file-size", "extents end within the file", ({ offset, size }, { fileSize }) =>
    fileSize !== undefined && offset + size > BigInt(fileSize)
      ? { expected: `end at most ${fileSize}`, actual: offset + size }
      : undefined,
  ),
];

/** Offsets ascend; an avail list may be two ascending runs, one behind the other. */
function checkOrder({ extents }: List, { params }: { params: Params }): Violation | undefined {
  let runs = 1;
  for (let i = 1; i < extents.length; i++) {
    const [before, here] = [extents[i - 1] as Extent, extents[i] as Extent];
    if (here.offset > before.offset || ++runs <= (params.runs ?? 2)) continue;
    return { path: `extents[${i}].offset`, expected: `above ${before.offset}`, actual: here.offset };
  }
  return undefined;
}

function checkOverlap({ extents }: List): Violation | undefined {
  const order = extents
    .map((_, index) => index)
    .sort((a, b) => compare(extents[a] as Extent, extents[b] as Extent));
  for (let i = 1; i < order.length; i++) {
    const before = extents[order[i - 1] as number] as Extent;
    const here = extents[order[i] as number] as Extent;
    if (before.offset + before.size > here.offset)
      return {
        path: `extents[${order[i]}]`,
        expected: `from ${before.offset + before.size} on`,
        actual: here.offset,
      };
  }
  return undefined;
}

const compare = (a: Extent, b: Extent): number => (a.offset < b.offset ? -1 : a.offset > b.offset ? 1 : 0);

/** Ascending aligned ranges with gaps. */
function generatedExtents(random: RandomSource): Extent[] {
  let end = BigInt(MIN_ALLOCATION_SIZE);
  return Array.from({ length: random.below(6) }, () => {
    const offset = end + 4096n * BigInt(random.below(3000));
    const size = 4096n * BigInt(1 + random.below(30));
    end = offset + size;
    return { offset, size };
  });
}

const extentListType = struct(
  {
    magic: packed({ constant: EXTENT_LIST_MAGIC, derive: EXTENT_LIST_MAGIC }),
    magicSize: packed({ constant: 0, derive: 0, doc: "the size of the first pair" }),
    extents: array(extent, { until: eq(peek, PACKED_ZERO), sample: generatedExtents }),
    end: packed({ constant: 0, derive: 0, doc: "the offset of the last pair: there are no more extents" }),
    version: packed32({
      symbols: extentListVersionSymbols,
      unknown: "error",
      doc: "the size of the last pair: what follows",
    }),
    info: optional(checkpointInfo, eq(ref("version"), extentListVersions.checkpointInfo)),
    tail: optional(
      zeroTail("the rest of the block", (random) => random.below(4096)),
      remaining,
    ),
  },
  {
    rules: [
      ...extentRules,
      {
        code: "extent-order",
        doc: "offsets ascend; an avail list may be two ascending runs",
        check: checkOrder,
      },
      { code: "extent-overlap", doc: "no byte of the file is in two extents", check: checkOverlap },
      {
        code: "extent-list-empty",
        doc: "a list without extents and without checkpoint information is not written",
        severity: "info",
        check: ({ extents, info }) => (extents.length === 0 && info === undefined ? {} : undefined),
      },
      tailRule,
    ],
  },
);

export type ExtentList = Infer<typeof extentListType>;

/**
 * The payload of a block-manager page: the bytes behind the block header up to the end of the block.
 * Params: `allocationSize` and `fileSize` in bytes, where known; `runs`: 1 for alloc and discard lists, default 2.
 */
export const extentList = format(
  {
    name: "extent-list",
    params: {
      allocationSize: "bytes of an allocation unit (default 512)",
      fileSize: "bytes of the file: extents must end within it",
      runs: "ascending runs the list may consist of (default 2)",
    },
    title: "Extent list of a classic file",
    source: "formats: classic file format §3",
    doc: "Payload of a page of type 1. Offsets and sizes are plain bytes, not allocation units.",
  },
  extentListType,
);

/** Bytes of the pairs, the first and the last one included: the page header's datalen. */
export function pairsLength({ magic, magicSize, extents, end, version }: ExtentList): number {
  const pair = (offset: bigint, size: bigint): number => packedSize(offset) + packedSize(size);
  const ends = pair(magic, magicSize) + pair(end, BigInt(version));
  return extents.reduce((sum, { offset, size }) => sum + pair(offset, size), ends);
}

/**
 * The cookie of the checkpoint an avail list belongs to: the one inside, with the list's own block and the final file
 * size. The newest checkpoint of a file has exactly this cookie in its metadata.
 * @throws FormatError `address-alignment` for a block that is not of a file of this allocation size.
 */
export function completeCookie(
  info: CheckpointInfo,
  block: BlockLocation,
  allocationSize?: number,
): ClassicCheckpointCookie {
  return { ...info.cookie, avail: { ...addressOf(block, allocationSize) }, fileSize: info.fileSize };
}
