/**
 * Where a page of a page log is: what the cells of internal pages and checkpoints hold
 * (formats: address and checkpoint cookies §1, §2).
 */
import {
  bytes,
  type GenerationOptions,
  type GenerationValue,
  generations,
  nibble,
  optional,
  PACKED_ZERO,
  packed,
  packed32,
  packedLength,
  type RandomSource,
  type Reading,
  type ReadOptions,
  randomU64,
  remaining,
  struct,
  symbolValues,
  u32le,
  type Violation,
} from "../src/codec/index.js";

export const addressFlagSymbols = { delta: [0x1, "the page's newest record is a delta"] } as const;
export const addressFlags = symbolValues(addressFlagSymbols);

/** The version this package knows: every cookie so far has it. */
const READER_VERSION = 0;
/** Varints of a cookie without a version byte. */
const FIELDS = { A: 5, B: 6 } as const;

const pageId = packed({ doc: "page id; user pages start at 100" });
const checkpointId = packed({ doc: "checkpoint the newest record was written for" });
const reconciliationId = packed32({ doc: "0 in everything seen" });
const recordSize = packed32({ doc: "bytes of the newest record as stored; 0 in an absent address" });
const checksum = packed32({ hex: true, doc: "checksum in the newest record's header" });

interface PlainAddress {
  readonly pageId: bigint;
  readonly size: number;
  readonly checksum: number;
  readonly reconciliationId: number;
  readonly checkpointId: bigint;
  readonly lsn?: bigint;
}
/** An absent address is all zeros; any other names a page. */
const absentRule = {
  code: "absent-address",
  doc: "with size 0 (an absent address) every field is 0; with another size the page id is not",
  check: (address: PlainAddress): Violation | undefined => {
    const {
      size,
      pageId: page,
      lsn = 0n,
      checkpointId: checkpoint,
      reconciliationId: reconciliation,
    } = address;
    if (size !== 0) return page === 0n ? { path: "pageId", expected: "not 0", actual: page } : undefined;
    const used =
      page !== 0n || lsn !== 0n || checkpoint !== 0n || reconciliation !== 0 || address.checksum !== 0;
    return used ? { path: "size", expected: "not 0", actual: 0 } : undefined;
  },
};

const typeA = struct(
  { pageId, checkpointId, reconciliationId, size: recordSize, checksum },
  { rules: [absentRule] },
);
const lsn = packed({ doc: "LSN of the newest record" });
const typeB = struct(
  { pageId, lsn, checkpointId, reconciliationId, size: recordSize, checksum },
  { rules: [absentRule] },
);

interface VersionedAddress {
  readonly version: number;
  readonly flags: number;
  readonly lsn: bigint;
  readonly baseLsn: bigint;
  readonly extension?: Uint8Array | undefined;
}
const versionedRules = [
  {
    code: "base-lsn",
    doc: "a delta has a base LSN from 1 to below its own; a full image has 0",
    check: ({ flags, lsn: own, baseLsn: actual }: VersionedAddress): Violation | undefined => {
      const delta = (flags & addressFlags.delta) !== 0;
      if (delta ? actual > 0n && actual < own : actual === 0n) return undefined;
      return { path: "baseLsn", expected: delta ? `1 to ${own - 1n}` : 0n, actual };
    },
  },
  {
    code: "trailing-bytes",
    doc: "only a newer version or an unknown flag allows fields behind the checksum",
    check: ({ version, flags, extension }: VersionedAddress): Violation | undefined =>
      extension !== undefined && version <= READER_VERSION && (flags & ~addressFlags.delta) === 0
        ? { path: "extension", expected: 0, actual: extension.length }
        : undefined,
  },
];

const deltaOf = (flags: unknown): boolean => ((flags as number) & addressFlags.delta) !== 0;
/** An LSN with room for a base below it. */
const sampleLsn = (random: RandomSource): bigint => 2n + (randomU64(random) >> 1n);
const sampleBase = (random: RandomSource, scope: Readonly<Record<string, unknown>>): bigint =>
  deltaOf(scope.flags) ? 1n + (randomU64(random) % ((scope.lsn as bigint) - 1n)) : 0n;

const versioned = (base: { stored: "value" | "difference"; size: string }) =>
  struct(
    {
      version: nibble({ doc: "version of the writer, low nibble", sample: () => 0 }),
      minVersion: nibble({ doc: "oldest reader version", supported: READER_VERSION, sample: () => 0 }),
      pageId: packed({ doc: "page id; user pages start at 100", min: 1n }),
      flags: packed32({ flags: addressFlagSymbols }),
      lsn: packed({ doc: "LSN of the newest record", sample: sampleLsn }),
      baseLsn: packed({
        doc: "LSN of the full image the deltas are based on; 0 for a full image",
        sample: sampleBase,
        ...(base.stored === "difference" ? { differenceFrom: "lsn" } : {}),
      }),
      size: packed32({ doc: base.size, min: 1 }),
      checksum: u32le({ hex: true, doc: "checksum in the newest record's header" }),
      extension: optional(
        bytes(undefined, { doc: "fields of a newer version or of unknown flags" }),
        remaining,
      ),
    },
    { rules: versionedRules },
  );

const newestOnly = "bytes of the newest record as stored";
export const addressCookieVariants = {
  D: {
    type: versioned({ stored: "difference", size: newestOnly }),
    when: "second half of 2025",
    doc: "The base LSN is stored as its distance from the LSN.",
  },
  "D'": {
    type: versioned({ stored: "difference", size: "bytes of the full image and all its deltas as stored" }),
    when: "since January 2026",
    doc: "As D, but the size is that of the whole chain.",
  },
  C: {
    type: versioned({ stored: "value", size: newestOnly }),
    when: "since 29 July 2025, for a few months",
    doc: "The base LSN is stored as it is.",
  },
  B: {
    type: typeB,
    when: "January to July 2025",
    doc: "No version, no flags: the page log tells whether the newest record is a delta and where its chain starts.",
  },
  A: { type: typeA, when: "until about December 2024", doc: "As B without the LSN." },
} as const;

export type AddressCookie = GenerationValue<typeof addressCookieVariants>;
type Fits = ReadonlyArray<Reading<AddressCookie> & { ok: true }>;

/** Generations C, D and D' look alike: what the caller knows of the page decides, else D. */
function choose(fits: Fits, _bytes: Uint8Array, { params = {} }: ReadOptions): string | undefined {
  const known = fits.filter(({ value }) => agrees(value, params));
  const best = known.length === 0 ? fits : known;
  return best[0]?.generation;
}

function agrees(cookie: AddressCookie, params: Readonly<Record<string, number>>): boolean {
  if (!("baseLsn" in cookie)) return true;
  const { baseLsn, newestLength, chainLength } = params;
  if (baseLsn !== undefined && baseLsn !== Number(cookie.baseLsn)) return false;
  const size = cookie.generation === "D'" ? chainLength : newestLength;
  return size === undefined || size === cookie.size;
}

/** The generation a damaged cookie was: by its first byte and the number of varints. */
function likely(cookie: Uint8Array): string {
  if ((cookie[0] ?? 0) < PACKED_ZERO) return "D";
  let count = 0;
  for (let at = 0; at < cookie.length; count++) {
    const length = packedLength(cookie[at] as number);
    if (length === 0) break;
    at += length;
  }
  return count <= FIELDS.A ? "A" : "B";
}

const options: GenerationOptions<AddressCookie> = {
  detection:
    "First byte from 0x80 on: A (5 varints) or B (6). Below: C, D or D'. These differ in what base LSN and size mean, so what is known of the page decides: `params.baseLsn`, `params.newestLength` (bytes of the newest record), `params.chainLength` (bytes of the image and all deltas). Without it D is taken.",
  choose,
  likely,
};

const params = {
  baseLsn: "LSN of the full image the page's chain starts with; 0 for a full image",
  newestLength: "bytes of the page's newest record as stored",
  chainLength: "bytes of the full image and all its deltas as stored",
};

export const addressCookie = generations(
  {
    name: "address-cookie",
    title: "address cookie of a page log",
    source: "address and checkpoint cookies §1",
    doc: "Names a page's newest record. Held by the address cells of the parent page.",
    params,
  },
  addressCookieVariants,
  options,
);

export const checkpointCookie = generations(
  {
    name: "checkpoint-cookie",
    title: "checkpoint cookie of a page log",
    source: "address and checkpoint cookies §2",
    doc: "The address cookie of a tree's root page, as hex in `addr=`; an empty tree has none. Roots are written as full images.",
    params,
  },
  addressCookieVariants,
  options,
);
