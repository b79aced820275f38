/**
 * LMDB 0.9 environments on 64-bit little-endian hosts, as far as reading one needs (formats: page-log stores §3).
 * Page numbers count from the start of the file; pages 0 and 1 are meta pages, the newer transaction wins.
 */
import {
  add,
  array,
  band,
  bytes,
  countOf,
  type FormatInfo,
  format,
  lengthOf,
  mul,
  offsetsOf,
  ref,
  shr,
  struct,
  sub,
  symbolValues,
  u16le,
  u32le,
  u64le,
  union,
} from "../src/codec/index.js";

const SOURCE = "page-log stores §3; LMDB 0.9 on-disk layout";
const info = (name: string, title: string, doc?: string): FormatInfo => ({
  name,
  title,
  source: SOURCE,
  ...(doc === undefined ? {} : { doc }),
});

export const LMDB_MAGIC = 0xbeefc0de;
export const LMDB_VERSION = 1;
/** A root page number that stands for an empty tree. */
export const LMDB_NO_PAGE = (1n << 64n) - 1n;
/** Page sizes an environment can have, bytes: powers of two. */
export const LMDB_PAGE_SIZES = { min: 256, max: 65536 } as const;
/** No tree is deeper: the library's own cursors have this many levels. */
export const LMDB_MAX_DEPTH = 32;

const pageFlagSymbols = {
  branch: 0x01,
  leaf: 0x02,
  overflow: [0x04, "first page of a value that does not fit a leaf"],
  meta: 0x08,
  dirty: 0x10,
  fixedLeaf: [0x20, "leaf of keys of one size, without nodes"],
  subPage: [0x40, "page inside a node, for sorted duplicates"],
  loose: 0x4000,
  keep: 0x8000,
} as const;
export const lmdbPageFlags = symbolValues(pageFlagSymbols);

const nodeFlagSymbols = {
  bigData: [0x01, "the data is the page number of an overflow run"],
  subDatabase: [0x02, "the data is a database record"],
  duplicates: [0x04, "the data is a set of duplicates"],
} as const;
export const lmdbNodeFlags = symbolValues(nodeFlagSymbols);

const databaseFlagSymbols = {
  reverseKey: 0x02,
  sortedDuplicates: 0x04,
  integerKey: [0x08, "keys are native integers and sort as such"],
  fixedDuplicates: 0x10,
  integerDuplicates: 0x20,
  reverseDuplicates: 0x40,
} as const;
export const lmdbDatabaseFlags = symbolValues(databaseFlagSymbols);

/** One database: the free list, the main one, or a named one (48 bytes). */
export const lmdbDatabaseType = struct({
  pad: u32le({
    doc: "key size of fixed-size leaves; in the free list's record of a meta page: the page size",
  }),
  flags: u16le({ flags: databaseFlagSymbols }),
  depth: u16le({ doc: "levels of the tree, 0 when it is empty", max: LMDB_MAX_DEPTH }),
  branchPages: u64le(),
  leafPages: u64le(),
  overflowPages: u64le(),
  entries: u64le({ doc: "number of keys" }),
  root: u64le({ doc: "page number of the root; 2^64−1: empty" }),
});

/** What every page begins with, up to the bounds (12 bytes). */
export const lmdbPageStart = struct({
  pageNumber: u64le(),
  pad: u16le(),
  flags: u16le({ flags: pageFlagSymbols }),
});

/** The 16 bytes in front of nodes, values and meta records. */
export const lmdbPageHeader = struct({
  pageNumber: u64le(),
  pad: u16le(),
  flags: u16le({ flags: pageFlagSymbols }),
  lower: u16le({ doc: "end of the node pointers, counted from the page's first byte" }),
  upper: u16le({ doc: "start of the nodes" }),
});
const headerLayout = offsetsOf(lmdbPageHeader);
export const LMDB_PAGE_HEADER = headerLayout.size;
/** In the header of an overflow run, `lower` and `upper` are one u32: the number of pages of the run. */
export const LMDB_OVERFLOW_COUNT = headerLayout.at.lower;
/** Bytes of a node pointer: u16 little-endian, from the page's first byte. */
export const LMDB_POINTER = 2;

export const lmdbMetaType = struct({
  pageNumber: u64le({ max: 1 }),
  pad: u16le(),
  flags: u16le({ flags: pageFlagSymbols, constant: pageFlagSymbols.meta }),
  unused: u32le(),
  magic: u32le({ constant: LMDB_MAGIC, hex: true }),
  version: u32le({ constant: LMDB_VERSION }),
  fixedAddress: u64le({ doc: "where the map must be placed in memory; 0: anywhere" }),
  mapSize: u64le({ doc: "bytes reserved for the map, not the length of the file" }),
  freeList: lmdbDatabaseType,
  main: lmdbDatabaseType,
  lastPage: u64le({ doc: "highest page number in use" }),
  transaction: u64le({ doc: "the meta page with the higher one is current" }),
});

/** A meta page without the unused rest of the page (152 bytes). */
export const lmdbMeta = format(info("lmdb-meta", "LMDB meta page"), lmdbMetaType);
export const lmdbDatabase = format(info("lmdb-database", "LMDB database record"), lmdbDatabaseType);

export const lmdbLeafNodeType = struct({
  sizeLow: u16le({ doc: "bits 0–15 of the data size" }),
  sizeHigh: u16le({ doc: "bits 16–31 of the data size" }),
  flags: u16le({ flags: nodeFlagSymbols, max: 7, unknown: "error" }),
  keySize: u16le({ derive: lengthOf("key") }),
  key: bytes(ref("keySize")),
  data: union(
    band(ref("flags"), 3),
    {
      inline: [0, struct({ bytes: bytes() })],
      overflow: [1, struct({ page: u64le({ doc: "first page of the run" }) })],
      database: [2, lmdbDatabaseType],
    },
    { other: struct({ bytes: bytes() }) },
  ),
});

/** A node of a leaf page, without the padding to an even size. */
export const lmdbLeafNode = format(
  info(
    "lmdb-leaf-node",
    "LMDB leaf node",
    "The data of a node with the overflow flag lies in a run of overflow pages; the size is that of the data there.",
  ),
  lmdbLeafNodeType,
);

export const lmdbBranchNodeType = struct({
  pageLow: u16le({ doc: "bits 0–15 of the child's page number" }),
  pageMiddle: u16le({ doc: "bits 16–31" }),
  pageHigh: u16le({ doc: "bits 32–47" }),
  keySize: u16le({ derive: lengthOf("key") }),
  key: bytes(ref("keySize"), { doc: "lowest key of the child; unused in the first node of a page" }),
});
export const lmdbBranchNode = format(info("lmdb-branch-node", "LMDB branch node"), lmdbBranchNodeType);

/** A branch or leaf page: node pointers in key order, then free space, then the nodes in any order. */
export const lmdbPage = format(
  info("lmdb-page", "LMDB branch or leaf page"),
  struct(
    {
      pageNumber: u64le(),
      pad: u16le(),
      flags: u16le({ flags: pageFlagSymbols, sample: (random) => 1 + random.below(2) }),
      lower: u16le({
        doc: "end of the node pointers, counted from the page's first byte",
        derive: add(LMDB_PAGE_HEADER, mul(LMDB_POINTER, countOf("pointers"))),
        min: LMDB_PAGE_HEADER,
      }),
      upper: u16le({ doc: "start of the nodes", sample: () => LMDB_PAGE_HEADER + 64 }),
      pointers: array(u16le(), { count: shr(sub(ref("lower"), LMDB_PAGE_HEADER), 1) }),
      rest: bytes(undefined, { doc: "free space and nodes" }),
    },
    {
      rules: [
        {
          code: "lmdb-bounds",
          doc: "the free space lies between the pointers and the nodes",
          check: ({ lower, upper }) =>
            lower !== undefined && lower > upper
              ? { path: "upper", expected: `at least ${lower}`, actual: upper }
              : undefined,
        },
      ],
    },
  ),
);

/** Byte offsets of the fields, for readers that walk pages without building values. */
export const lmdbOffsets = {
  header: headerLayout.at,
  meta: offsetsOf(lmdbMetaType).at,
  database: offsetsOf(lmdbDatabaseType).at,
  leafNode: offsetsOf(lmdbLeafNodeType).at,
  branchNode: offsetsOf(lmdbBranchNodeType).at,
} as const;
