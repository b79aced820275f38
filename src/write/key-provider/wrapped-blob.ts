/** The blob of `WrappedKeys`: data keys, sealed with AES-256-GCM under a secret. Ours; WiredTiger has no such form. */
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
} from "../../codec/index.js";

/** "PMKW", little-endian. */
const SIGNATURE = 0x574b4d50;
const VERSION = 1;
export const DATA_KEY_SIZE = 32;
export const SALT_SIZE = 16;
export const NONCE_SIZE = 12;
export const TAG_SIZE = 16;

const secretSymbols = {
  passphrase: [0, "scrypt of a passphrase"],
  keyFile: [1, "HKDF-SHA-256 of a key file"],
} as const;
export const secretKinds = symbolValues(secretSymbols);

/** The header is what the seal also covers: a byte changed in it is noticed like one of the keys. */
const headerFields = {
  signature: u32le({ hex: true, derive: SIGNATURE, doc: "the bytes PMKW" }),
  version: u8({ derive: VERSION }),
  secret: u8({ symbols: secretSymbols, doc: "what the sealing key is made of" }),
  costLog2: u8({ doc: "scrypt: logarithm of N; 0 with a key file" }),
  blockSize: u8({ doc: "scrypt: r; 0 with a key file" }),
  parallelization: u8({ doc: "scrypt: p; 0 with a key file" }),
  salt: bytes(SALT_SIZE),
  nonce: bytes(NONCE_SIZE),
};
export const wrappedHeader = format(
  {
    name: "wrapped-key-header",
    title: "Header of wrapped keys",
    source: "this project",
    doc: "How the sealing key is made.",
  },
  struct(headerFields),
);
export type WrappedHeader = ReturnType<typeof wrappedHeader.parse>;

export const wrappedBlob = format(
  {
    name: "wrapped-keys",
    title: "Wrapped keys",
    source: "this project",
    doc: "Data keys sealed with AES-256-GCM.",
  },
  struct({ header: struct(headerFields), tag: bytes(TAG_SIZE), sealed: bytes(undefined, { secret: true }) }),
);

const dataKey = struct({
  id: u32le({ doc: "rises from 1" }),
  createdAt: u64le({ doc: "seconds since 1970" }),
  key: bytes(DATA_KEY_SIZE, { secret: true }),
});
export type DataKey = Infer<typeof dataKey>;

/** What is sealed: the newest key last. */
export const keyRing = format(
  { name: "key-ring", title: "Data keys", source: "this project", doc: "Data keys in plain." },
  struct({ keys: array(dataKey) }),
);

export const isWrapped = ({ signature, version }: WrappedHeader): boolean =>
  signature === SIGNATURE && version === VERSION;
