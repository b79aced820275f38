/**
 * The key blob of the provider `WrappedKeys`: data keys, sealed with AES-256-GCM under a secret. This project's own;
 * WiredTiger takes any bytes for a blob.
 */
import {
  array,
  bytes,
  format,
  type Infer,
  struct,
  symbolValues,
  u8,
  u32le,
  u64le,
} from "../src/codec/index.js";

/** "PMKW", little-endian. */
const SIGNATURE = 0x574b4d50;
const VERSION = 1;
/** What every blob begins with. */
export const wrappedKeyStart = { signature: SIGNATURE, version: VERSION } as const;
export const DATA_KEY_SIZE = 32;
export const WRAP_SALT_SIZE = 16;
export const WRAP_NONCE_SIZE = 12;
export const WRAP_TAG_SIZE = 16;

/** What scrypt may cost: a blob must not make its reader take gigabytes. */
export const scryptLimits = {
  costLog2: { least: 10, most: 20 },
  blockSize: { least: 1, most: 8 },
  parallelization: { least: 1, most: 4 },
} as const;
type ScryptName = keyof typeof scryptLimits;

const secretSymbols = {
  passphrase: [0, "scrypt of a passphrase"],
  keyFile: [1, "HKDF-SHA-256 of a key file"],
} as const;
export const wrapSecrets = symbolValues(secretSymbols);

const headerFields = {
  signature: u32le({ hex: true, constant: SIGNATURE, doc: "the bytes 50 4d 4b 57, PMKW" }),
  version: u8({ constant: VERSION }),
  secret: u8({
    symbols: secretSymbols,
    sample: () => wrapSecrets.keyFile,
    doc: "what the sealing key is made of",
  }),
  costLog2: u8({ sample: () => 0, doc: "scrypt: logarithm of N, 10 to 20; 0 with a key file" }),
  blockSize: u8({ sample: () => 0, doc: "scrypt: r, 1 to 8; 0 with a key file" }),
  parallelization: u8({ sample: () => 0, doc: "scrypt: p, 1 to 4; 0 with a key file" }),
  salt: bytes(WRAP_SALT_SIZE, { doc: "of scrypt or HKDF" }),
  nonce: bytes(WRAP_NONCE_SIZE, { doc: "of AES-256-GCM" }),
};

/** What the seal also covers: a byte changed in it is noticed like one of the keys. */
export const wrappedKeyHeader = format(
  {
    name: "wrapped-key-header",
    title: "Header of wrapped keys",
    source: "this project",
    doc: "How the sealing key is made.",
  },
  struct(headerFields),
);
export type WrappedKeyHeader = ReturnType<typeof wrappedKeyHeader.parse>;

/** The parameter of scrypt that is not as the secret asks for. */
function wrongCost(header: WrappedKeyHeader): { path: string; expected: string; actual: number } | undefined {
  for (const name of Object.keys(scryptLimits) as ScryptName[]) {
    const actual = header[name];
    const { least, most } =
      header.secret === wrapSecrets.keyFile ? { least: 0, most: 0 } : scryptLimits[name];
    if (actual < least || actual > most)
      return { path: `header.${name}`, expected: `${least}..${most}`, actual };
  }
  return undefined;
}

export const wrappedKey = format(
  {
    name: "wrapped-key",
    title: "Wrapped keys",
    source: "this project",
    doc: "The key blob of the provider WrappedKeys: data keys sealed with AES-256-GCM; the header is authenticated too.",
  },
  struct(
    {
      header: struct(headerFields),
      tag: bytes(WRAP_TAG_SIZE, { doc: "authenticates header and keys" }),
      sealed: bytes(undefined, { secret: true, doc: "the data keys, encrypted" }),
    },
    {
      rules: [
        {
          code: "wrapped-key-cost",
          doc: "scrypt's parameters are within what is accepted, and 0 with a key file",
          check: ({ header }) => wrongCost(header),
        },
      ],
    },
  ),
);

const dataKey = struct({
  id: u32le({ doc: "rises from 1" }),
  createdAt: u64le({ doc: "seconds since 1970" }),
  key: bytes(DATA_KEY_SIZE, { secret: true }),
});
export type DataKey = Infer<typeof dataKey>;

/** What is sealed: the newest key last. Only ever in memory. */
export const keyRing = format(
  { name: "key-ring", title: "Data keys", source: "this project", doc: "Data keys in plain." },
  struct({ keys: array(dataKey) }),
);
