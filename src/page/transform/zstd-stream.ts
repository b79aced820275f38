import type { StreamCodec } from "./types.js";
import { decodeZstd } from "./zstd/decode.js";
import { encodeZstdStored } from "./zstd/stored.js";

/** Zstandard without a library. Encoding does not make anything smaller. */
export const zstdStream: StreamCodec = {
  implementation: "built-in",
  decode: decodeZstd,
  encode: encodeZstdStored,
};
