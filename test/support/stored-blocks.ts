/** Compressed and encrypted blocks of the corpus, found by their own headers and checksums. */
import { readFileSync } from "node:fs";
import {
  BLOCK_HEADER,
  blockFlags,
  CLASSIC_BLOCK,
  combinedHeaderSizes,
  DELTA_HEADER,
  OLD_BLOCK_HEADER,
} from "../../formats/block-header.js";
import { PAGE_HEADER, pageFlags } from "../../formats/page-header.js";
import { COMPRESS_SKIP } from "../../formats/transforms.js";
import { crc32cWithZeroedField } from "../../src/codec/index.js";
import type { BlockShape } from "../../src/page/transform/index.js";
import { blocksOf } from "./classic-files.js";
import { corpusPath } from "./corpus.js";

export interface StoredBlock {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly shape: BlockShape;
  /** What `block_compressor=` says. */
  readonly compressor?: string;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Every compressed block of the tables of classic-12.0/compressors. */
export function classicCompressedBlocks(): StoredBlock[] {
  const tables = { snappy: ["c_snappy", "c_snappy_ovfl", "c_incompressible"], zlib: ["c_zlib"] };
  const all = { ...tables, lz4: ["c_lz4"], zstd: ["c_zstd", "c_zstd_colvar"] };
  return Object.entries(all).flatMap(([compressor, files]) =>
    files.flatMap((file) => {
      const bytes = readFileSync(corpusPath("classic-12.0", "compressors", `${file}.wt`));
      return [...blocksOf(new Uint8Array(bytes))]
        .filter((block) => block.bytes[PAGE_HEADER.at.flags]! & pageFlags.compressed)
        .map((block) => ({
          name: `${file}.wt at ${block.offset}`,
          bytes: block.bytes,
          compressor,
          shape: {
            combinedHeaderSize: CLASSIC_BLOCK.payload,
            memSize: viewOf(block.bytes).getUint32(PAGE_HEADER.at.memSize, true),
            compressed: true,
            encrypted: false,
          },
        }));
    }),
  );
}

/** Sound blocks of the mid-2025 generation inside a page log's file, wherever they lie, whose length `lengthOf` knows. */
export function pageLogBlocks(
  store: string,
  lengthOf: (file: Uint8Array, start: number, shape: BlockShape) => number | undefined,
): StoredBlock[] {
  const file = new Uint8Array(readFileSync(corpusPath("palm", store, "kv_home", "data.mdb")));
  const view = viewOf(file);
  const found: StoredBlock[] = [];
  for (const delta of [false, true]) {
    const head = delta ? DELTA_HEADER : PAGE_HEADER;
    const size = delta ? combinedHeaderSizes.oldDelta : combinedHeaderSizes.base;
    for (let start = 0; start + COMPRESS_SKIP <= file.length; start++) {
      const at = start + head.size;
      if (file[at + BLOCK_HEADER.magic] !== (delta ? 0xdd : 0xdb)) continue;
      if (file[at + BLOCK_HEADER.combinedHeaderSize] !== size) continue;
      const flags = file[at + OLD_BLOCK_HEADER.flags]!;
      const shape = {
        combinedHeaderSize: size,
        memSize: view.getUint32(start + head.at.memSize, true),
        compressed: (flags & blockFlags.compressed) !== 0,
        encrypted: (flags & blockFlags.encrypted) !== 0,
      };
      const length = lengthOf(file, start, shape);
      if (length === undefined || start + length > file.length) continue;
      const checksum = at + OLD_BLOCK_HEADER.checksum;
      const actual = crc32cWithZeroedField(file, start, start + length, checksum);
      if (actual !== view.getUint32(checksum, true)) continue;
      const kind = delta ? "delta" : "image";
      found.push({
        name: `${store}: ${kind} at ${start}`,
        bytes: file.subarray(start, start + length),
        shape,
      });
    }
  }
  return found;
}
