/** Every implementation of every compressor, by name: the built-in one first. */
import {
  type Compressor,
  lz4Compressor,
  snappyCompressor,
  zlibCompressor,
  zstdCompressor,
} from "../../src/page/transform/index.js";
import { loadNodeSnappy, nodeZlib } from "../../src/platform/node-compressors.js";
import { loadWasmSnappy } from "../../src/platform/node-snappy.js";
import { loadNodeZstd } from "../../src/platform/node-zstd.js";

export const implementations: Record<string, Compressor[]> = {
  snappy: [
    snappyCompressor(),
    snappyCompressor(loadNodeSnappy()),
    snappyCompressor(loadWasmSnappy(loadNodeSnappy())),
  ],
  zlib: [zlibCompressor(), zlibCompressor(nodeZlib)],
  zstd: [zstdCompressor(), zstdCompressor(loadNodeZstd())],
  lz4: [lz4Compressor()],
};

export const everyCompressor: Compressor[] = Object.values(implementations).flat();

export const labelOf = ({ name, implementation }: Compressor): string => `${name} (${implementation})`;
