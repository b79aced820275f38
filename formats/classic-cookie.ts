/**
 * Where a block of a classic file is, and where a checkpoint of it begins. Written from formats: address and
 * checkpoint cookies §3–4.
 */
import {
  and,
  bytes,
  FormatError,
  format,
  has,
  type Infer,
  optional,
  packed,
  packed32,
  ref,
  remaining,
  struct,
  u8,
} from "../src/codec/index.js";

/** Allocation size in bytes of files whose metadata does not say otherwise. */
export const DEFAULT_ALLOCATION_SIZE = 4096;
/** The only checkpoint cookie version there is. */
export const CHECKPOINT_COOKIE_VERSION = 1;

const cookieFlags = {
  objectId: [0x01, "an object id follows: the block is in another file of the table"],
} as const;
const knownFlags = cookieFlags.objectId[0];
const unknownFlags = 0xff & ~knownFlags;

/** A block's place in units of the file's allocation size, as cookies hold it. */
export interface UnitAddress {
  /** Allocation units behind the description block. */
  readonly offsetUnits: bigint;
  /** Length in allocation units; 0 = there is no block. */
  readonly sizeUnits: number;
  readonly checksum: number;
}

/** A block's place in bytes. */
export interface BlockLocation {
  readonly offset: number;
  readonly size: number;
  readonly checksum: number;
}

/**
 * Offset and size in bytes of the block an address stands for; undefined when it stands for none. The result is not
 * checked against the file: a damaged address gives an offset beyond any file.
 */
export function blockOf(
  address: UnitAddress,
  allocationSize: number = DEFAULT_ALLOCATION_SIZE,
): BlockLocation | undefined {
  const { offsetUnits, sizeUnits, checksum } = address;
  if (sizeUnits === 0) return undefined;
  return { offset: (Number(offsetUnits) + 1) * allocationSize, size: sizeUnits * allocationSize, checksum };
}

/**
 * The address of a block, or of none.
 * @throws FormatError `address-alignment` unless offset and size are whole allocation units behind the description block.
 */
export function addressOf(
  block: BlockLocation | undefined,
  allocationSize: number = DEFAULT_ALLOCATION_SIZE,
): UnitAddress {
  if (block === undefined) return { offsetUnits: 0n, sizeUnits: 0, checksum: 0 };
  const units = block.offset / allocationSize - 1;
  const sizeUnits = block.size / allocationSize;
  if (!Number.isSafeInteger(units) || !Number.isSafeInteger(sizeUnits) || units < 0 || sizeUnits < 1)
    throw new FormatError({
      code: "address-alignment",
      message: `no block of a file of ${allocationSize}-byte units is at ${block.offset} with ${block.size} bytes`,
      expected: `multiples of ${allocationSize}, from ${allocationSize} on`,
      actual: `${block.offset}/${block.size}`,
    });
  return { offsetUnits: BigInt(units), sizeUnits, checksum: block.checksum };
}

type Params = Readonly<Record<string, number>>;
const unitOf = ({ allocationSize }: Params): bigint => BigInt(allocationSize ?? DEFAULT_ALLOCATION_SIZE);

const triple = {
  offsetUnits: packed({ doc: "o: allocation units from the end of the description block to the block" }),
  sizeUnits: packed32({ doc: "s: allocation units of the block; 0 = there is no block" }),
  checksum: packed32({ hex: true, doc: "c: the checksum in the block's header" }),
};

/** Present in JSON beside the stored units. */
const inBytes = {
  offset: {
    doc: "offset of the block in the file in bytes: (o + 1) × allocation size; absent when there is no block",
    of: ({ offsetUnits, sizeUnits }: UnitAddress, params: Params) =>
      sizeUnits === 0 ? undefined : (offsetUnits + 1n) * unitOf(params),
  },
  size: {
    doc: "length of the block in bytes: s × allocation size; absent when there is no block",
    of: ({ sizeUnits }: UnitAddress, params: Params) =>
      sizeUnits === 0 ? undefined : BigInt(sizeUnits) * unitOf(params),
  },
};

const emptyAddress = {
  code: "empty-address",
  doc: "an address of size 0 stands for no block: offset and checksum are 0 too",
  severity: "warning",
  check: ({ offsetUnits, sizeUnits, checksum }: UnitAddress) =>
    sizeUnits === 0 && (offsetUnits !== 0n || checksum !== 0)
      ? { expected: "0, 0, 0", actual: `${offsetUnits}, ${sizeUnits}, ${checksum}` }
      : undefined,
} as const;

/** What may follow the addresses of a cookie. */
const objectFields = {
  flags: optional(
    u8({ flags: cookieFlags, hex: true, doc: "one raw byte, present if bytes remain" }),
    remaining,
  ),
  objectId: optional(
    packed32({ doc: "which file of a table of several (tiered storage, live restore)" }),
    has(ref("flags"), knownFlags),
  ),
  extra: optional(bytes(), and(remaining, has(ref("flags"), unknownFlags)), {
    doc: "fields that unknown flags stand for",
    sample: (random, { flags }) => ((Number(flags ?? 0) & unknownFlags) === 0 ? undefined : random.bytes(3)),
  }),
};

const addressCookieType = struct(
  { ...triple, ...objectFields },
  { rules: [emptyAddress], computed: inBytes },
);

export type ClassicAddressCookie = Infer<typeof addressCookieType>;

/** Payload of address cells and overflow cells of classic files. Params: `allocationSize` (for JSON; default 4096). */
export const classicAddressCookie = format(
  {
    name: "classic-address-cookie",
    params: {
      allocationSize: "bytes of an allocation unit, for the offsets and sizes in bytes (default 4096)",
    },
    title: "Address of a block in a classic file",
    source: "formats: address and checkpoint cookies §3",
    doc: "The allocation size is not in the cookie: it comes from allocation_size= of the file's metadata.",
  },
  addressCookieType,
);

const address = struct(triple, { rules: [emptyAddress], computed: inBytes });

export const checkpointCookieType = struct({
  version: u8({
    min: CHECKPOINT_COOKIE_VERSION,
    supported: CHECKPOINT_COOKIE_VERSION,
    derive: CHECKPOINT_COOKIE_VERSION,
    doc: "1: readers refuse any other version",
  }),
  root: { ...address, doc: "root page of the tree; no block: the tree is empty" } as typeof address,
  alloc: { ...address, doc: "extent list of the blocks this checkpoint allocated" } as typeof address,
  avail: { ...address, doc: "extent list of the blocks that are free" } as typeof address,
  discard: {
    ...address,
    doc: "extent list of the blocks of earlier checkpoints this one no longer uses",
  } as typeof address,
  fileSize: packed({ doc: "length of the file in bytes" }),
  ckptSize: packed({ doc: "bytes of the checkpoint's tree blocks less the root block" }),
  ...objectFields,
});

export type ClassicCheckpointCookie = Infer<typeof checkpointCookieType>;

/** The `addr=` of a checkpoint of a classic file. Params: `allocationSize` (for JSON; default 4096). */
export const classicCheckpointCookie = format(
  {
    name: "classic-checkpoint-cookie",
    params: {
      allocationSize: "bytes of an allocation unit, for the offsets and sizes in bytes (default 4096)",
    },
    title: "Checkpoint of a classic file",
    source: "formats: address and checkpoint cookies §4",
    doc: "The object id, where there is one, holds for all four addresses. A tree that never had rows has no cookie.",
  },
  checkpointCookieType,
);
