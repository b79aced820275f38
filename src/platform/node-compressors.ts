import { createRequire } from "node:module";
import { deflateSync, inflateSync } from "node:zlib";
import { FormatError } from "../codec/error.js";
import { snappyCompressor, zlibCompressor, zstdCompressor } from "../page/transform/compressors.js";
import { refused } from "../page/transform/faults.js";
import { registerCompressor } from "../page/transform/registry.js";
import { checkSnappyLength, snappyStream } from "../page/transform/snappy-stream.js";
import type { StreamCodec } from "../page/transform/types.js";
import { checkZlibHeader, zlibStream } from "../page/transform/zlib-stream.js";
import { zstdStream } from "../page/transform/zstd-stream.js";
import { loadWasmSnappy } from "./node-snappy.js";
import { loadNodeZstd } from "./node-zstd.js";

/**
 * Registers Node's native compressors in place of the built-in ones. Nothing is loaded before its first use, and where
 * a library does not load or work, the built-in code goes on serving.
 */
export function installNodeCompressors(): void {
  registerCompressor(snappyCompressor(preferred(snappyStream, loadSnappy)));
  registerCompressor(zlibCompressor(preferred(zlibStream, () => nodeZlib)));
  registerCompressor(zstdCompressor(preferred(zstdStream, loadNodeZstd)));
}

/**
 * `load()`, tried at the first use. A library that fails other than by refusing its input (it did not load, it trapped,
 * it has no memory) is not asked again.
 */
export function preferred(builtIn: StreamCodec, load: () => StreamCodec): StreamCodec {
  let current: StreamCodec | undefined;
  const codec = (): StreamCodec => {
    current ??= working(builtIn, load);
    return current;
  };
  const run = (work: (codec: StreamCodec) => Uint8Array): Uint8Array => {
    try {
      return work(codec());
    } catch (error) {
      if (error instanceof FormatError || current === builtIn) throw error;
      current = builtIn;
      return work(builtIn);
    }
  };
  return {
    get implementation() {
      return codec().implementation;
    },
    decode: (stream, expectedLength, headroom, into) =>
      run((it) => it.decode(stream, expectedLength, headroom, into)),
    encode: (plain) => run((it) => it.encode(plain)),
  };
}

/** A library that gets even this wrong would turn every sound page into a finding. */
function working(builtIn: StreamCodec, load: () => StreamCodec): StreamCodec {
  try {
    const codec = load();
    const plain = new TextEncoder().encode("pugmark ".repeat(100));
    const again = codec.decode(builtIn.encode(plain), plain.length, 0);
    return plain.every((byte, i) => byte === again[i]) ? codec : builtIn;
  } catch {
    return builtIn;
  }
}

/** Ours in WebAssembly inflates pages in half the time of the library, which allocates twice a call. */
function loadSnappy(): StreamCodec {
  const library = preferred(snappyStream, loadNodeSnappy);
  try {
    return loadWasmSnappy(library);
  } catch {
    return library;
  }
}

interface Snappy {
  uncompressSync(stream: Uint8Array, options: { copyOutputData: boolean }): Uint8Array;
  compressSync(plain: Uint8Array, options: { copyOutputData: boolean }): Uint8Array;
}

/** Output is copied by the library: buffers it owns itself make every call four times as slow. */
const COPY = { copyOutputData: true };

export function loadNodeSnappy(): StreamCodec {
  const library = createRequire(import.meta.url)("snappy") as Snappy;
  return {
    implementation: "snappy",
    decode(stream, expectedLength, headroom, into) {
      checkSnappyLength(stream, expectedLength);
      const plain = attempt(() => library.uncompressSync(stream, COPY));
      if (plain?.length === expectedLength) return behind(headroom, plain, into);
      throw refused("snappy", snappyStream, stream, expectedLength, "snappy cannot inflate this");
    },
    encode: (plain) => bare(library.compressSync(plain, COPY)),
  };
}

/** zlib asks for at least this. In bytes. */
const MIN_CHUNK = 64;
/** Room for the first piece of output: a lying length must not allocate for itself. */
const FIRST_CHUNK_RATIO = 16;

/**
 * After a refusal zlib keeps its engine and output until the event loop turns, which a synchronous scan of a damaged
 * file never lets it do. Past this many bytes the built-in code takes over, which keeps nothing.
 */
const MAX_KEPT = 16 * 1024 * 1024;
const ENGINE_SIZE = 48 * 1024;
let kept = 0;

export const nodeZlib: StreamCodec = {
  implementation: "node:zlib",
  decode(stream, expectedLength, headroom) {
    checkZlibHeader(stream, expectedLength);
    if (kept > MAX_KEPT) return zlibStream.decode(stream, expectedLength, headroom);
    const likely = Math.min(expectedLength, 1024 + stream.length * FIRST_CHUNK_RATIO);
    const options = {
      maxOutputLength: Math.max(expectedLength, 1),
      chunkSize: Math.max(likely, MIN_CHUNK),
    };
    const plain = attempt(() => inflateSync(stream, options));
    if (plain?.length === expectedLength) return behind(headroom, plain);
    if (plain === undefined) kept += options.chunkSize + ENGINE_SIZE;
    throw refused("zlib", zlibStream, stream, expectedLength, "zlib cannot inflate this");
  },
  encode: (plain) => bare(deflateSync(plain)),
};

/** Undefined where the library throws: the caller finds out why. */
function attempt(work: () => Uint8Array): Uint8Array | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function behind(headroom: number, plain: Uint8Array, into?: Uint8Array): Uint8Array {
  if (headroom === 0) return bare(plain);
  const length = headroom + plain.length;
  const out = into === undefined ? new Uint8Array(length) : into.subarray(0, length);
  out.set(plain, headroom);
  return out;
}

/** The same memory without Buffer's methods, some of which mean something else than Uint8Array's. */
function bare(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
