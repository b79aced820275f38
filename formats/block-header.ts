/**
 * What stands between the page header and the payload: 12 bytes in classic files, 16 or more in page logs
 * (formats: page and block headers §2, §3; the replacement rule of the project's design).
 */
import {
  add,
  bytes,
  crc32cField,
  type Expr,
  eq,
  format,
  type GenerationValue,
  generations,
  has,
  type Infer,
  lengthOf,
  lt,
  min,
  offsetsOf,
  optional,
  type RandomSource,
  type RuleContext,
  ref,
  type StructOptions,
  select,
  struct,
  sub,
  symbolValues,
  type Type,
  u8,
  u32le,
  u64le,
  type Violation,
} from "../src/codec/index.js";
import { PAGE_HEADER, pageFlagSymbols, pageTypeSymbols } from "./page-header.js";

/** Bytes a checksum covers where the flag for the whole block is clear. */
export const PARTIAL_CHECKSUM_LENGTH = 64;

/** Flag of all generations: the checksum covers the whole block, else only its first bytes. */
export const DATA_CHECKSUM = 0x01;
const checksumEnd: Expr = select(has(ref("flags"), DATA_CHECKSUM), 2 ** 32, PARTIAL_CHECKSUM_LENGTH);
const CHECKSUM_DOC =
  "CRC32C with this field as zero: of the whole block with flag dataChecksum, else of at most its first 64 bytes";

/** The checksum of a header on its own cannot be checked; inside a block it is. */
export const loneChecksum: Type<number> = u32le({ hex: true, doc: CHECKSUM_DOC });
export const blockChecksum: Type<number> = crc32cField({ to: checksumEnd }, { doc: CHECKSUM_DOC });

// Classic files.

export const classicBlockFlagSymbols = {
  dataChecksum: [DATA_CHECKSUM, "the checksum covers the whole block"],
} as const;
export const classicBlockFlags = symbolValues(classicBlockFlagSymbols);

export const classicBlockHeaderType = (checksum: Type<number>, derive: { diskSize?: Expr } = {}) =>
  struct({
    diskSize: u32le({
      doc: "bytes of the block on disk, a multiple of the allocation size",
      ...(derive.diskSize === undefined ? {} : { derive: derive.diskSize }),
    }),
    checksum,
    flags: u8({ flags: classicBlockFlagSymbols, hex: true }),
    unused: bytes(3, { reserved: true }),
  });

export const classicBlockHeader = format(
  {
    name: "classic-block-header",
    title: "block header of a classic file",
    source: "page and block headers §2",
    doc: "Follows the page header; the payload begins behind it.",
  },
  classicBlockHeaderType(loneChecksum),
);

export type ClassicBlockHeaderValue = Infer<typeof classicBlockHeader.type>;

const classicLayout = offsetsOf(classicBlockHeader.type);
/** Offsets from the first byte of the block. */
export const CLASSIC_BLOCK = {
  diskSize: PAGE_HEADER.size + classicLayout.at.diskSize,
  checksum: PAGE_HEADER.size + classicLayout.at.checksum,
  flags: PAGE_HEADER.size + classicLayout.at.flags,
  unused: PAGE_HEADER.size + classicLayout.at.unused,
  payload: PAGE_HEADER.size + classicLayout.size,
} as const;

// Page logs.

export const blockMagicSymbols = {
  base: [0xdb, "full page image"],
  delta: [0xdd, "changes to the page's previous record"],
} as const;
export const blockMagics = symbolValues(blockMagicSymbols);

export const blockFlagSymbols = {
  dataChecksum: [DATA_CHECKSUM, "the checksum covers the whole block"],
  encrypted: 0x02,
  compressed: 0x04,
  modified: [0x08, "stands in place of an image and its deltas; previous checksum = the original one"],
} as const;
export const extendedBlockFlagSymbols = {
  ...blockFlagSymbols,
  replacement: [0x10, "stands in place of an image and its deltas; original checksum = the original one"],
} as const;
const oldBlockFlagSymbols = {
  dataChecksum: blockFlagSymbols.dataChecksum,
  encrypted: 0x02,
  compressed: 0x04,
} as const;
export const blockFlags = symbolValues(extendedBlockFlagSymbols);

/** Newest version of each header this package reads: a higher compatible version cannot be read. */
export const readerVersions = { current: 2, extended: 3 } as const;

/** Bytes from the start of the block to the payload. */
export const combinedHeaderSizes = { base: 44, extended: 48, oldDelta: 36, max: 64 } as const;

interface SizedHeader {
  readonly combinedHeaderSize: number;
}
const sizeRule = (least: number) => ({
  code: "header-size",
  doc: `combined header size: ${least} to ${combinedHeaderSizes.max}, and not beyond the block`,
  check: ({ combinedHeaderSize: actual }: SizedHeader, { params }: RuleContext): Violation | undefined => {
    const most = Math.min(combinedHeaderSizes.max, params.blockLength ?? combinedHeaderSizes.max);
    // A left-out size is computed when building.
    return actual === undefined || (actual >= least && actual <= most)
      ? undefined
      : { path: "combinedHeaderSize", expected: `${least} to ${most}`, actual };
  },
});

interface VersionedHeader {
  readonly version: number;
  readonly compatibleVersion: number;
}
const versionRules = (reader: number) => [
  {
    code: "unsupported-version",
    doc: `a compatible version above ${reader} needs a newer reader`,
    check: ({ compatibleVersion: actual }: VersionedHeader): Violation | undefined =>
      actual > reader ? { path: "compatibleVersion", expected: `at most ${reader}`, actual } : undefined,
  },
  {
    code: "header-versions",
    doc: "a header is at least as new as the oldest reader it is for",
    severity: "warning" as const,
    check: ({ version, compatibleVersion: actual }: VersionedHeader): Violation | undefined =>
      actual > version ? { path: "compatibleVersion", expected: `at most ${version}`, actual } : undefined,
  },
];

const magic = (sample?: (random: RandomSource) => number) =>
  u8({
    symbols: blockMagicSymbols,
    unknown: "error",
    hex: true,
    ...(sample === undefined ? {} : { sample }),
  });
const versions = (newest: number, oldest = 1) => ({
  version: u8({ doc: "version of the writer's header", min: 1, sample: () => newest }),
  compatibleVersion: u8({
    doc: "oldest reader version that can read this",
    min: 1,
    sample: (random: RandomSource) => oldest + random.below(newest - oldest + 1),
  }),
});
const combinedSize = (least: number) =>
  u8({
    doc: `bytes from the start of the block to the payload; those behind the first ${least} are unknown fields`,
    derive: add(least, lengthOf("extension")),
    sample: (random) => least + 4 * random.below(1 + (combinedHeaderSizes.max - least) / 4),
  });
/** Header fields of a newer writer. A size that is not allowed is a rule's finding and does not move the end. */
const extension = (least: number) =>
  optional(
    bytes(min(sub(ref("combinedHeaderSize"), least), combinedHeaderSizes.max - least), {
      doc: "header fields this reader does not know",
    }),
    lt(least, ref("combinedHeaderSize")),
  );
const previousChecksum = u32le({
  hex: true,
  doc: "delta: checksum of the record it is based on; image: 0 for a page's first, else the checksum of its previous record",
});

const replacementOnlyBase = (flag: number) => ({
  code: "replacement-magic",
  doc: "only a full image can stand in place of others",
  check: ({ magic: actual, flags }: { magic: number; flags: number }): Violation | undefined =>
    (flags & flag) !== 0 && actual !== blockMagics.base
      ? { path: "magic", expected: blockMagics.base, actual }
      : undefined,
});
/** The replacement rule in JSON, the same in every generation. */
const replacementDoc = "whether the image stands in place of an image and its deltas";
const originalDoc = "checksum the parent's cookie holds: the previous checksum";

const modifiedFlag = (expected: boolean) => ({
  code: "generation-flag",
  doc: `flag modified is ${expected ? "set" : "clear"} in this generation`,
  check: ({ flags: actual }: { flags: number }): Violation | undefined =>
    ((actual & blockFlags.modified) !== 0) === expected ? undefined : { path: "flags", actual },
});

type CurrentFields = {
  magic: Type<number>;
  version: Type<number>;
  compatibleVersion: Type<number>;
  combinedHeaderSize: Type<number>;
  checksum: Type<number>;
  previousChecksum: Type<number>;
  flags: Type<number>;
  unused: Type<Uint8Array>;
  extension: Type<Uint8Array | undefined>;
};
const currentHeader = (checksum: Type<number>, modified: boolean) => {
  const { base } = combinedHeaderSizes;
  const flag = modified ? blockFlags.modified : 0;
  const options: StructOptions<CurrentFields> = {
    rules: [
      sizeRule(base),
      ...versionRules(readerVersions.current),
      modifiedFlag(modified),
      replacementOnlyBase(blockFlags.modified),
    ],
    computed: {
      replacement: { doc: replacementDoc, of: () => modified },
      ...(modified && {
        originalChecksum: { doc: originalDoc, of: ({ previousChecksum }) => previousChecksum },
      }),
    },
  };
  return struct<CurrentFields>(
    {
      magic: magic(modified ? () => blockMagics.base : undefined),
      ...versions(readerVersions.current),
      combinedHeaderSize: combinedSize(base),
      checksum,
      previousChecksum,
      flags: u8({ flags: blockFlagSymbols, hex: true, sample: (random) => flag | random.below(8) }),
      unused: bytes(3, { reserved: true }),
      extension: extension(base),
    },
    options,
  );
};

const extendedHeader = (checksum: Type<number>) => {
  const { extended } = combinedHeaderSizes;
  return struct(
    {
      magic: magic(),
      ...versions(readerVersions.extended, readerVersions.extended),
      combinedHeaderSize: combinedSize(extended),
      checksum,
      previousChecksum,
      flags: u8({
        flags: extendedBlockFlagSymbols,
        hex: true,
        sample: (random, { magic: kind }) =>
          random.below(8) | (kind === blockMagics.base && random.below(2) === 1 ? blockFlags.replacement : 0),
      }),
      unused: bytes(3, { reserved: true }),
      originalChecksum: u32le({
        hex: true,
        doc: "replacement: checksum the parent's cookie holds; else 0",
        sample: (random, { flags }) =>
          ((flags as number) & blockFlags.replacement) === 0 ? 0 : random.below(2 ** 32),
      }),
      extension: extension(extended),
    },
    {
      rules: [
        sizeRule(extended),
        ...versionRules(readerVersions.extended),
        {
          code: "generation-version",
          doc: "no reader may ignore the original checksum: both versions are raised",
          check: ({ compatibleVersion: actual }) =>
            actual < readerVersions.extended
              ? { path: "compatibleVersion", expected: readerVersions.extended, actual }
              : undefined,
        },
        modifiedFlag(false),
        replacementOnlyBase(blockFlags.replacement),
        {
          code: "original-checksum",
          doc: "an image that replaces nothing has no original checksum",
          check: ({ flags, originalChecksum: actual }) =>
            (flags & blockFlags.replacement) === 0 && actual !== 0
              ? { path: "originalChecksum", expected: 0, actual }
              : undefined,
        },
      ],
      computed: {
        replacement: { doc: replacementDoc, of: ({ flags }) => (flags & blockFlags.replacement) !== 0 },
      },
    },
  );
};

const oldHeader = (checksum: Type<number>) =>
  struct(
    {
      magic: magic(),
      ...versions(1),
      combinedHeaderSize: u8({
        doc: "44 for an image, 36 for a delta: the payload begins there",
        derive: select(
          eq(ref("magic"), blockMagics.delta),
          combinedHeaderSizes.oldDelta,
          combinedHeaderSizes.base,
        ),
      }),
      checksum,
      previousChecksum,
      reconciliationId: u8({ doc: "as in the page's cookie; 0 in everything seen", sample: () => 0 }),
      flags: u8({ flags: oldBlockFlagSymbols, hex: true }),
      unused: bytes(2, { reserved: true }),
    },
    {
      rules: [
        {
          code: "header-size",
          doc: "combined header size: 44 for an image, 36 for a delta, and not beyond the block",
          check: ({ magic: kind, combinedHeaderSize: actual }, { params }) => {
            const expected =
              kind === blockMagics.delta ? combinedHeaderSizes.oldDelta : combinedHeaderSizes.base;
            const fits =
              actual === undefined || (actual === expected && actual <= (params.blockLength ?? actual));
            return fits ? undefined : { path: "combinedHeaderSize", expected, actual };
          },
        },
        ...versionRules(1),
      ],
    },
  );

/** Block headers of page logs, for a header on its own or, with another checksum field, inside a block. */
export const blockHeaderTypes = {
  D1: (checksum: Type<number>) => currentHeader(checksum, false),
  modified: (checksum: Type<number>) => currentHeader(checksum, true),
  extended: extendedHeader,
  D0: oldHeader,
} as const;

export const blockHeaderVariants = {
  extended: {
    type: blockHeaderTypes.extended(loneChecksum),
    when: "the design note this project implements",
    doc: "Four bytes more: the checksum a replacement stands for. Both versions are 3, so that no reader ignores it.",
  },
  modified: {
    type: blockHeaderTypes.modified(loneChecksum),
    when: "since February 2026",
    doc: "As D1, on an image that stands in place of an image and its deltas; the checksum the parent's cookie holds is in the previous checksum.",
  },
  D1: {
    type: blockHeaderTypes.D1(loneChecksum),
    when: "since July 2025",
    doc: "Images and deltas have the same headers.",
  },
  D0: {
    type: blockHeaderTypes.D0(loneChecksum),
    when: "January to July 2025",
    doc: "A reconciliation id stands before the flags. Behind the page header in images, behind the shorter delta header in deltas.",
  },
} as const;

export type BlockHeaderValue = GenerationValue<typeof blockHeaderVariants>;

const headerLayout = offsetsOf(blockHeaderVariants.extended.type);
const oldLayout = offsetsOf(blockHeaderVariants.D0.type);

/** Offsets from the first byte of the block header. */
export const BLOCK_HEADER = { ...headerLayout.at, size: 16, extendedSize: headerLayout.size } as const;
export const OLD_BLOCK_HEADER = { ...oldLayout.at, size: oldLayout.size } as const;

/** The header with fewer oddities, e.g. flags where the other generation has reserved bytes; then the newer one. */
export const fewestIssues = <R extends { readonly generation?: string; readonly issues: readonly unknown[] }>(
  fits: readonly R[],
): string | undefined =>
  fits.reduce((best, reading) => (reading.issues.length < best.issues.length ? reading : best)).generation;

export const blockHeader = generations(
  {
    name: "block-header",
    params: { blockLength: "bytes of the whole block: the header must fit" },
    title: "block header of a page log",
    source: "page and block headers §3",
    doc: "Follows the page header (in a D0 delta the delta header). `params.blockLength` adds the check that the header fits the block.",
  },
  blockHeaderVariants,
  {
    detection:
      "Compatible version 3 is `extended`; flag 0x08 at byte 12 is `modified`; a header size of 36, or byte 13 set where byte 12 is 0, is D0; else D1. Inside a block the checksum settles it: its range depends on the flags.",
    choose: fewestIssues,
    likely: (header) => likelyBlockHeader(header, 0),
  },
);

/** The generation of the header at `at`, by its look alone. */
export function likelyBlockHeader(bytes: Uint8Array, at: number): keyof typeof blockHeaderVariants {
  const byte = (offset: number): number => bytes[at + offset] ?? 0;
  if (byte(BLOCK_HEADER.combinedHeaderSize) === combinedHeaderSizes.oldDelta) return "D0";
  const compatible = byte(BLOCK_HEADER.compatibleVersion);
  // Of a version nobody knows, only the size tells whether the fields of `extended` can be there.
  const hasRoom = byte(BLOCK_HEADER.combinedHeaderSize) >= combinedHeaderSizes.extended;
  if (compatible === readerVersions.extended || (compatible > readerVersions.extended && hasRoom))
    return "extended";
  if (byte(BLOCK_HEADER.flags) === 0 && byte(OLD_BLOCK_HEADER.flags) !== 0) return "D0";
  return (byte(BLOCK_HEADER.flags) & blockFlags.modified) !== 0 ? "modified" : "D1";
}

export interface Replacement {
  /** The image stands in place of an image and its deltas, without the parent's cookie having been rewritten. */
  readonly replacement: boolean;
  /** The checksum the parent's cookie holds; 0 when nothing is replaced. */
  readonly originalChecksum: number;
}

/** The replacement rule, whichever way the header encodes it. */
export function replacementOf(header: BlockHeaderValue): Replacement {
  const none = { replacement: false, originalChecksum: 0 };
  if (header.generation === "modified")
    return { replacement: true, originalChecksum: header.previousChecksum };
  if (header.generation !== "extended" || (header.flags & blockFlags.replacement) === 0) return none;
  return { replacement: true, originalChecksum: header.originalChecksum };
}

// Deltas of the oldest page logs.

export const deltaHeaderType = (derive: { memSize?: Expr; entries?: Expr } = {}) =>
  struct({
    writeGen: u64le({ doc: "write generation of the tree when the delta was written" }),
    memSize: u32le({
      doc: "bytes of the delta before compression and encryption, both headers included",
      ...(derive.memSize === undefined ? {} : { derive: derive.memSize }),
    }),
    entries: u32le({
      doc: "changes in the delta",
      ...(derive.entries === undefined ? {} : { derive: derive.entries }),
    }),
    version: u8({ max: 1 }),
    type: u8({ symbols: pageTypeSymbols, unknown: "error" }),
    flags: u8({ flags: pageFlagSymbols, hex: true }),
    reserved: u8({ reserved: true }),
  });

export const deltaHeader = format(
  {
    name: "delta-header",
    title: "delta header",
    source: "page and block headers §3.1",
    doc: "In place of the page header in deltas of page logs until July 2025.",
  },
  deltaHeaderType(),
);
export type DeltaHeaderValue = Infer<typeof deltaHeader.type>;
export const DELTA_HEADER = offsetsOf(deltaHeader.type);
