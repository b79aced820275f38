import { LZ4_PREFIX, STREAM_PREFIX } from "../../../formats/transforms.js";
import { FormatError } from "../../codec/error.js";
import { viewOf } from "./copy.js";
import { withBase, wrongLength } from "./faults.js";
import { decodeLz4Block, encodeLz4Block } from "./lz4-stream.js";
import { checkSnappyLength, snappyStream } from "./snappy-stream.js";
import type { Compressor, StreamCodec } from "./types.js";
import { hasZlibHeader, zlibStream } from "./zlib-stream.js";
import { checkZstdLength } from "./zstd/decode.js";
import { zstdStream } from "./zstd-stream.js";

/** The engine's four compressors: a stream and the prefix the engine puts in front. Formats: classic file format §2. */

export function snappyCompressor(codec: StreamCodec = snappyStream): Compressor {
  return lengthPrefixed("snappy", codec, checkSnappyLength);
}

export function zstdCompressor(codec: StreamCodec = zstdStream): Compressor {
  return lengthPrefixed("zstd", codec, checkZstdLength);
}

/** zlib has no prefix: the stream knows its own end. */
export function zlibCompressor(codec: StreamCodec = zlibStream): Compressor {
  return {
    name: "zlib",
    get implementation() {
      return codec.implementation;
    },
    plausible: (stored) => hasZlibHeader(stored),
    decompress: (stored, expectedLength, headroom = 0) => codec.decode(stored, expectedLength, headroom),
    compress: (plain) => codec.encode(plain),
  };
}

export function lz4Compressor(): Compressor {
  return {
    name: "lz4",
    implementation: "built-in",
    plausible: (stored, expectedLength) => fits(() => readLz4Prefix(stored, expectedLength)),
    decompress(stored, expectedLength, headroom = 0) {
      const { stream, partial } = readLz4Prefix(stored, expectedLength);
      return withBase(LZ4_PREFIX.size, () => decodeLz4Block(stream, expectedLength, headroom, partial));
    },
    compress(plain) {
      const stream = encodeLz4Block(plain);
      const out = new Uint8Array(LZ4_PREFIX.size + stream.length);
      const view = viewOf(out);
      view.setUint32(LZ4_PREFIX.at.compressedLength, stream.length, true);
      view.setUint32(LZ4_PREFIX.at.uncompressedLength, plain.length, true);
      view.setUint32(LZ4_PREFIX.at.usefulLength, plain.length, true);
      out.set(stream, LZ4_PREFIX.size);
      return out;
    },
  };
}

/** snappy and zstd: u64 length, stream. */
function lengthPrefixed(
  name: string,
  codec: StreamCodec,
  check: (stream: Uint8Array, expectedLength: number) => unknown,
): Compressor {
  const { size, at } = STREAM_PREFIX;
  const streamOf = (stored: Uint8Array): Uint8Array => {
    needPrefix(name, stored, size);
    const view = viewOf(stored);
    return cut(name, stored, size, Number(view.getBigUint64(at.length, true)));
  };
  return {
    name,
    get implementation() {
      return codec.implementation;
    },
    plausible: (stored, expectedLength) => fits(() => check(streamOf(stored), expectedLength)),
    decompress(stored, expectedLength, headroom = 0, into) {
      const stream = streamOf(stored);
      return withBase(size, () => codec.decode(stream, expectedLength, headroom, into));
    },
    compress(plain) {
      const stream = codec.encode(plain);
      const out = new Uint8Array(size + stream.length);
      viewOf(out).setBigUint64(at.length, BigInt(stream.length), true);
      out.set(stream, size);
      return out;
    },
  };
}

/** The engine inflates `uncompressedLength` bytes and keeps the first `usefulLength` of them. */
function readLz4Prefix(stored: Uint8Array, expected: number): { stream: Uint8Array; partial: boolean } {
  needPrefix("lz4", stored, LZ4_PREFIX.size);
  const view = viewOf(stored);
  const useful = view.getUint32(LZ4_PREFIX.at.usefulLength, true);
  const uncompressed = view.getUint32(LZ4_PREFIX.at.uncompressedLength, true);
  if (useful !== expected || uncompressed < useful) {
    throw wrongLength("lz4", expected, Math.min(useful, uncompressed));
  }
  const stream = cut("lz4", stored, LZ4_PREFIX.size, view.getUint32(LZ4_PREFIX.at.compressedLength, true));
  return { stream, partial: uncompressed > useful };
}

function needPrefix(name: string, stored: Uint8Array, size: number): void {
  if (stored.length >= size) return;
  const message = `${name}: ${stored.length} bytes are too few for the prefix`;
  throw new FormatError({
    code: "truncated",
    message,
    offset: stored.length,
    expected: size,
    actual: stored.length,
  });
}

function cut(name: string, stored: Uint8Array, prefix: number, length: number): Uint8Array {
  const there = stored.length - prefix;
  if (length > 0 && length <= there) return stored.subarray(prefix, prefix + length);
  const message = `${name}: the prefix says ${length} compressed bytes, ${there} are there`;
  throw new FormatError({ code: "compressed-length", message, offset: 0, expected: there, actual: length });
}

function fits(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}
