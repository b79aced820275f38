/**
 * The page a key provider's key blob is kept in: a header, then the blob, which is secret. Formats: crypt header and
 * key provider.
 */
import {
  add,
  and,
  bytes,
  crc32cField,
  type Expr,
  type Format,
  FormatError,
  type GenerationValue,
  ge,
  generations,
  type Issue,
  issueOf,
  lengthOf,
  lt,
  min,
  offsetsOf,
  optional,
  position,
  type RandomSource,
  type Reading,
  type ReadOptions,
  ref,
  remaining,
  strict,
  struct,
  sub,
  u8,
  u32le,
  u64le,
  type Violation,
} from "../src/codec/index.js";

/** "wtch", little-endian. */
export const CRYPT_SIGNATURE = 0x68637477;
/** Its first byte. */
const SIGNATURE_START = CRYPT_SIGNATURE & 0xff;
/** The reader version of the newest engine. */
export const CRYPT_READER_VERSION = 2;
/** Bytes of the header up to the checksum or flags: all of it but in K3. */
const HEADER_SIZE = 16;
const K0_HEADER_SIZE = 14;
const TIMESTAMP_SIZE = 8;
const K3_HEADER_SIZE = HEADER_SIZE + TIMESTAMP_SIZE;
const K3_VERSION = 2;
const MAX_HEADER_SIZE = 0xff;

const signature = u32le({
  hex: true,
  derive: CRYPT_SIGNATURE,
  sample: () => CRYPT_SIGNATURE,
  doc: 'the bytes 77 74 63 68, "wtch"',
});
const version = (current: number) =>
  u8({ derive: current, sample: () => current, doc: "version of the header" });
const compatibleVersion = u8({
  derive: 1,
  sample: () => 1,
  doc: "the lowest reader version that understands the header",
});
const headerSize = (derive: Expr) => u8({ derive, doc: "bytes before the blob" });
const cryptSize = u32le({ derive: lengthOf("blob"), doc: "bytes of the blob" });
const blob = bytes(undefined, { secret: true, doc: "the key provider's key blob; opaque" });
/** Not shown either: a damaged header size makes blob bytes of them. */
const extra = optional(
  bytes(min(sub(ref("headerSize"), position), remaining), { secret: true }),
  and(lt(position, ref("headerSize")), remaining),
  {
    doc: "header bytes of a newer generation; readers skip them",
    sample: (random: RandomSource) => (random.below(4) === 0 ? random.bytes(1 + random.below(6)) : undefined),
  },
);
const wholeChecksum = crc32cField({}, { doc: "over header and blob" });
const blobChecksum = (header: Expr) =>
  crc32cField({ from: header, zeroed: false }, { doc: "over the blob only" });

/** What the rules look at, in any generation. */
interface CryptHeader {
  readonly signature: number;
  readonly version: number;
  readonly compatibleVersion?: number;
  readonly headerSize: number;
  readonly cryptSize: number;
  readonly timestamp?: bigint;
  readonly extra?: Uint8Array;
  readonly blob: Uint8Array;
}
interface CryptRule {
  readonly code: string;
  readonly doc: string;
  readonly severity?: "warning";
  readonly check: (
    page: CryptHeader,
    context: { readonly params: Readonly<Record<string, number>> },
  ) => Violation | undefined;
}

/** The rules of a generation, in the order in which the newest reader applies them behind the checksum. */
function cryptRules(fixed: number, smallest: number, largest: number): CryptRule[] {
  const total = ({ timestamp, extra, blob }: CryptHeader): number =>
    fixed + (timestamp === undefined ? 0 : TIMESTAMP_SIZE) + (extra?.length ?? 0) + blob.length;
  return [
    {
      code: "crypt-header-size",
      doc: `the header of this generation has ${smallest === largest ? "" : `${smallest} to `}${largest} bytes, and all of them are there`,
      check: (page) => {
        const highest = Math.min(largest, total(page));
        return page.headerSize >= smallest && page.headerSize <= highest
          ? undefined
          : { path: "headerSize", expected: `${smallest}..${highest}`, actual: page.headerSize };
      },
    },
    {
      code: "crypt-size",
      doc: "the blob is all that is behind the header",
      check: (page) => {
        const expected = total(page) - page.headerSize;
        return page.cryptSize === expected
          ? undefined
          : { path: "cryptSize", expected, actual: page.cryptSize };
      },
    },
    {
      code: "unsupported-version",
      doc: `the compatible version is at most the reader's, ${CRYPT_READER_VERSION}`,
      check: ({ compatibleVersion = 1 }, { params }) => {
        const reader = params.readerVersion ?? CRYPT_READER_VERSION;
        return compatibleVersion <= reader
          ? undefined
          : { path: "compatibleVersion", expected: `at most ${reader}`, actual: compatibleVersion };
      },
    },
    {
      code: "crypt-signature",
      doc: "the signature is wtch",
      check: ({ signature }) =>
        signature === CRYPT_SIGNATURE
          ? undefined
          : { path: "signature", expected: CRYPT_SIGNATURE, actual: signature },
    },
    {
      code: "crypt-version",
      doc: "versions begin at 1, and the compatible version is not above the version",
      severity: "warning",
      check: ({ version, compatibleVersion = 1 }) =>
        version >= 1 && compatibleVersion <= version
          ? undefined
          : { path: "version", expected: `at least ${Math.max(compatibleVersion, 1)}`, actual: version },
    },
  ];
}

/** Issues in the order in which the newest reader would meet them; what it does not check comes last. */
const READER_ORDER = [
  "checksum",
  "crypt-header-size",
  "crypt-size",
  "unsupported-version",
  "crypt-signature",
];

/** Where no checksum covers the header: there is one version with it, and no field says who may read others. */
const onlyVersion: CryptRule = {
  code: "crypt-version",
  doc: "the version is 1: no other was ever written with this header",
  check: ({ version: actual }) => (actual === 1 ? undefined : { path: "version", expected: 1, actual }),
};
/** The rules of a generation that has one version only. */
const firstRules = (fixed: number, smallest: number, largest: number): CryptRule[] =>
  cryptRules(fixed, smallest, largest).map((rule) => (rule.code === onlyVersion.code ? onlyVersion : rule));

const K3 = struct(
  {
    signature,
    version: version(K3_VERSION),
    compatibleVersion,
    headerSize: headerSize(add(HEADER_SIZE, add(lengthOf("timestamp"), lengthOf("extra")))),
    unused: u8({ reserved: true }),
    cryptSize,
    checksum: wholeChecksum,
    timestamp: optional(
      u64le({ doc: "when the key was made; 0 = unknown" }),
      // The version as well, so that no single damage shows blob bytes of an older generation as a timestamp.
      and(
        ge(ref("version"), K3_VERSION),
        ge(ref("headerSize"), K3_HEADER_SIZE),
        ge(remaining, TIMESTAMP_SIZE),
      ),
      { sample: (random: RandomSource) => BigInt(random.below(2 ** 31)) << 32n },
    ),
    extra,
    blob,
  },
  { rules: cryptRules(HEADER_SIZE, K3_HEADER_SIZE, MAX_HEADER_SIZE) },
);

const K2 = struct(
  {
    signature,
    version: version(1),
    compatibleVersion,
    headerSize: headerSize(add(HEADER_SIZE, lengthOf("extra"))),
    unused: u8({ reserved: true }),
    cryptSize,
    checksum: wholeChecksum,
    extra,
    blob,
  },
  { rules: cryptRules(HEADER_SIZE, HEADER_SIZE, K3_HEADER_SIZE - 1) },
);

const k1 = (checksum: typeof wholeChecksum, rules = cryptRules) =>
  struct(
    {
      signature,
      version: version(1),
      compatibleVersion,
      headerSize: headerSize(add(HEADER_SIZE, lengthOf("extra"))),
      cryptSize,
      checksum,
      flags: u8({ flags: {}, hex: true, doc: "no flag was ever defined" }),
      extra,
      blob,
    },
    { rules: rules(HEADER_SIZE, HEADER_SIZE, K3_HEADER_SIZE - 1) },
  );

const k0 = (checksum: typeof wholeChecksum) =>
  struct(
    { signature, version: version(1), headerSize: headerSize(K0_HEADER_SIZE), cryptSize, checksum, blob },
    { rules: firstRules(K0_HEADER_SIZE, K0_HEADER_SIZE, K0_HEADER_SIZE) },
  );

const variants = {
  K3: { type: K3, when: "from May 2026", doc: "Aligned fields, with the time the key was made." },
  K2: { type: K2, when: "January to May 2026", doc: "Aligned fields." },
  K1: { type: k1(wholeChecksum), when: "January 2026", doc: "Packed fields: the size is not aligned." },
  "K1-blob": {
    type: k1(blobChecksum(ref("headerSize")), firstRules),
    when: "early January 2026",
    doc: "As K1, but the checksum covers the blob only.",
  },
  K0: {
    type: k0(blobChecksum(K0_HEADER_SIZE)),
    when: "December 2025",
    doc: "14 bytes; the checksum covers the blob only.",
  },
  "K0-whole": { type: k0(wholeChecksum), doc: "As K0, with the checksum over header and blob; not seen." },
} as const;

export type CryptPage = GenerationValue<typeof variants>;
export type CryptGeneration = keyof typeof variants;

/** The generation damaged bytes look like: by where the blob's size fits, then by version and header size. */
function likely(page: Uint8Array): CryptGeneration {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const sizeAt = (offset: number, header: number): boolean =>
    page.length >= HEADER_SIZE && view.getUint32(offset, true) === page.length - header;
  // The header size of K0 lies where newer generations have the compatible version.
  if (page[K0_OFFSETS.headerSize] === K0_HEADER_SIZE || sizeAt(K0_OFFSETS.cryptSize, K0_HEADER_SIZE))
    return "K0";
  if (
    (page[K2_OFFSETS.version] as number) >= K3_VERSION ||
    (page[K2_OFFSETS.headerSize] as number) >= K3_HEADER_SIZE
  )
    return "K3";
  return sizeAt(K1_OFFSETS.cryptSize, HEADER_SIZE) && !sizeAt(K2_OFFSETS.cryptSize, HEADER_SIZE)
    ? "K1"
    : "K2";
}
const K0_OFFSETS = offsetsOf(variants.K0.type).at;
const K1_OFFSETS = offsetsOf(variants.K1.type).at;
const K2_OFFSETS = offsetsOf(K2).at;

const layouts = generations(
  {
    name: "crypt-page",
    params: { readerVersion: "the newest version the reader knows (default 2)" },
    title: "Key-provider page: crypt header and key blob",
    source: "formats: crypt header and key provider",
    doc: "Page 1 of the key-provider table of a page log. It has no page or block header. The blob is never shown: only its length and a fingerprint are.",
  },
  variants,
  {
    detection:
      "By where the blob's size fits (u32 at 6, 7 or 8 = length − header size), the header size (byte 5 in K0, byte 6 later), and the checksum; both checksum ranges of K0 and K1 are tried.",
    likely,
  },
);

function tooShort(page: Uint8Array, { base = 0 }: ReadOptions): FormatError | undefined {
  const least = page[K2_OFFSETS.compatibleVersion] === K0_HEADER_SIZE ? K0_HEADER_SIZE : HEADER_SIZE;
  if (page.length >= least) return undefined;
  return new FormatError({
    code: "crypt-too-short",
    message: `a crypt header has at least ${least} bytes`,
    offset: base + page.length,
    expected: `at least ${least}`,
    actual: page.length,
  });
}

function read(page: Uint8Array, options: ReadOptions = {}): Reading<CryptPage> {
  const error = tooShort(page, options);
  if (error !== undefined) return { ok: false, error, issues: [issueOf(error)] };
  const reading = layouts.read(page, options);
  const rank = ({ code }: Issue): number => READER_ORDER.indexOf(code) + 1 || READER_ORDER.length + 1;
  const sorted = [...reading.issues].sort((a, b) => rank(a) - rank(b));
  if (layoutIsSure(page, reading, options)) return { ...reading, issues: sorted };
  return { ...reading, issues: sorted.map((issue) => discreet(issue, options.base ?? 0)) };
}

/** Where the bytes are laid out otherwise than the generation says, fields may lie in the blob. */
const layoutIsSure = (page: Uint8Array, { generation }: Reading<CryptPage>, forced: ReadOptions): boolean =>
  looksLikeCryptPage(page) && (forced.generation === undefined || generation === likely(page));

/** What is said of fields that begin behind the shortest header's sizes is said without their values. */
function discreet(issue: Issue, base: number): Issue {
  const { code, severity, path, offset } = issue;
  if (code !== "checksum" && (offset ?? base) < base + K1_OFFSETS.checksum) return issue;
  const message = "not what the generation asks for";
  return { code, severity, path, message, ...(offset === undefined ? {} : { offset }) };
}

/**
 * Crypt header and key blob. Params: `readerVersion` (default 2), which the compatible version is compared with.
 * Issues come in the order of the newest reader: `crypt-too-short`, `checksum`, `crypt-header-size`, `crypt-size`,
 * `unsupported-version`, `crypt-signature`.
 */
export const cryptPage: Format<CryptPage> & { readonly variants: typeof variants } = {
  ...layouts,
  read,
  parse: (page, options) => strict(read(page, options)),
  validate: (page, options) => read(page, options).issues,
};

/** Bytes in front of a misplaced key page that are looked past. */
const STRAY = 64;
/** Versions a header may have; all that were ever written are 1 and 2. */
const MAX_VERSION = 15;

/**
 * Where in the first bytes the header of a key page begins, undefined when there is none: what is at and behind it may
 * only be shown as such. At the very start the sizes tell, too, where the signature is damaged.
 */
export function keyPageStart(page: Uint8Array, end = STRAY): number | undefined {
  if (looksLikeCryptPage(page) || sizesFit(page)) return 0;
  for (
    let at = page.indexOf(SIGNATURE_START, 1);
    at !== -1 && at < end;
    at = page.indexOf(SIGNATURE_START, at + 1)
  )
    if (looksLikeCryptPage(page.subarray(at)) && isPlausible(page.subarray(at))) return at;
  return undefined;
}

const isVersion = (version: number | undefined): boolean =>
  version !== undefined && version >= 1 && version <= MAX_VERSION;

/** Version and header size are such as have been written, or may be by now. */
const isPlausible = (page: Uint8Array): boolean =>
  isVersion(page[K2_OFFSETS.version]) &&
  (page[K0_OFFSETS.headerSize] === K0_HEADER_SIZE || (page[K2_OFFSETS.headerSize] ?? 0) >= HEADER_SIZE);

/** A size that is exactly what is behind the header. */
function sizesFit(page: Uint8Array): boolean {
  if (page.length <= HEADER_SIZE || !isVersion(page[K2_OFFSETS.version])) return false;
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  if (page[K0_OFFSETS.headerSize] === K0_HEADER_SIZE)
    return view.getUint32(K0_OFFSETS.cryptSize, true) === page.length - K0_HEADER_SIZE;
  const header = page[K2_OFFSETS.headerSize] as number;
  return (
    header >= HEADER_SIZE &&
    isVersion(page[K2_OFFSETS.compatibleVersion]) &&
    [K1_OFFSETS.cryptSize, K2_OFFSETS.cryptSize].some(
      (at) => view.getUint32(at, true) === page.length - header,
    )
  );
}

/** Whether bytes begin with the signature of a crypt header: what tells a key page from a turtle page. */
export const looksLikeCryptPage = (page: Uint8Array): boolean =>
  page.length >= 4 && new DataView(page.buffer, page.byteOffset, 4).getUint32(0, true) === CRYPT_SIGNATURE;
