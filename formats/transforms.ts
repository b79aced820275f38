/**
 * What the engine puts in front of the output of a compressor or encryptor
 * (formats: classic file format §2; page and block headers §3.3; crypt header, "Per-page encryption leftovers").
 */
import { bytes, format, offsetsOf, struct, u32le, u64le } from "../src/codec/index.js";

const COMPRESSION = "classic file format §2";
const ENCRYPTION = "crypt header, per-page encryption leftovers";

/** Bytes at the start of a compressed image that stay plain, in every generation and in deltas as well. */
export const COMPRESS_SKIP = 64;

export const streamPrefix = format(
  {
    name: "compressed-stream-prefix",
    title: "prefix of a snappy or zstd stream",
    source: COMPRESSION,
    doc: "Stands at byte 64 of a compressed block. zlib streams have no prefix. Zeros may follow the stream.",
  },
  struct({ length: u64le({ doc: "exact bytes of the stream that follows" }) }),
);

export const lz4Prefix = format(
  {
    name: "lz4-prefix",
    title: "prefix of an lz4 block",
    source: COMPRESSION,
    doc: "Stands at byte 64 of a compressed block. Zeros may follow the lz4 block.",
  },
  struct({
    compressedLength: u32le({ doc: "bytes of the lz4 block that follows" }),
    uncompressedLength: u32le({ doc: "bytes it inflates to" }),
    usefulLength: u32le({ doc: "how many of these belong to the image" }),
    unused: u32le({ reserved: true, derive: 0 }),
  }),
);

export const encryptedPrefix = format(
  {
    name: "encrypted-prefix",
    title: "length in front of an encryptor's output",
    source: ENCRYPTION,
    doc: "Stands right behind the block header, which is never encrypted. Zeros may follow the output in classic files.",
  },
  struct({
    totalLength: u32le({
      doc: "bytes of the whole stored item: headers, this field and the encryptor's output",
    }),
  }),
);

/** How many letters an alphabet has: key ids are smaller. */
export const ROTN_KEY_IDS = 26;

/** What rotn writes in front of its text, in place of a real checksum and initialisation vector. */
const ROTN_CHECKSUM = new Uint8Array(4).fill(0x43);
const ROTN_IV = new Uint8Array(16).fill(0x49);
export const ROTN_ENVELOPE = Uint8Array.of(...ROTN_CHECKSUM, ...ROTN_IV);

export const rotnEnvelope = format(
  {
    name: "rotn-envelope",
    title: "output of the test encryptor rotn, up to its text",
    source: ENCRYPTION,
    doc: "The text follows: A–Z and a–z each moved forward by the key id within their own alphabet, all other bytes as they were. The key id is not stored.",
  },
  struct({
    checksum: bytes(4, { constant: ROTN_CHECKSUM, doc: "stands for a checksum" }),
    iv: bytes(16, { constant: ROTN_IV, doc: "stands for an initialisation vector" }),
  }),
);

/** Byte offsets of the fields and sizes of the prefixes, for code that cannot afford an object a block. */
export const STREAM_PREFIX = offsetsOf(streamPrefix.type);
export const LZ4_PREFIX = offsetsOf(lz4Prefix.type);
export const ENCRYPTED_PREFIX = offsetsOf(encryptedPrefix.type);
