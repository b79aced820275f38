/** From a plain image to the block that is stored: headers, compression, encryption, checksum. */
import {
  BLOCK_HEADER,
  blockFlags,
  blockMagics,
  combinedHeaderSizes,
  DELTA_HEADER,
  OLD_BLOCK_HEADER,
  readerVersions,
} from "../../../formats/block-header.js";
import { PAGE_HEADER, pageFlags, pageVersions } from "../../../formats/page-header.js";
import { pageLogFlags } from "../../../formats/page-log.js";
import { COMPRESS_SKIP } from "../../../formats/transforms.js";
import { crc32cWithZeroedField } from "../../codec/crc32c.js";
import { FormatError } from "../../codec/error.js";
import {
  type Compressor,
  compressorByName,
  deflateImage,
  type Encryptor,
} from "../../page/transform/index.js";
import type { WriteGeneration } from "../generation.js";

/** What an image is stored as, besides the generation. */
export interface BlockTransforms {
  readonly compressor?: Compressor | undefined;
  readonly encryptor?: Encryptor | undefined;
}

/** What the headers say of the payload. */
export interface BlockFacts {
  readonly delta: boolean;
  /** As in the page header. */
  readonly type: number;
  /** Flags of the page header but those of transformations. */
  readonly pageFlags: number;
  /** Cells; entries of a P0 delta. */
  readonly entries: number;
  readonly writeGen: bigint;
  /** Checksum of the page's record before; 0 for its first image. */
  readonly previousChecksum: number;
}

/** The block header a block is to have; `modified` only ever on replacements. */
export type BlockHeaderGeneration = WriteGeneration["blockHeader"] | "modified";

/** The original checksum of a replacement; undefined for any other block. */
export type OriginalChecksum = number | undefined;

/** A block as it is put into the page log. */
export interface SealedBlock {
  readonly data: Uint8Array;
  readonly checksum: number;
  /** Page-log flags: how the block is transformed. */
  readonly flags: number;
}

/** Whether deltas of the generation begin with the shorter delta header. */
const hasDeltaHeader = (generation: BlockHeaderGeneration, delta: boolean): boolean =>
  delta && generation === "D0";

/** Bytes in front of the payload. */
export function headerSize(generation: BlockHeaderGeneration, delta: boolean): number {
  if (hasDeltaHeader(generation, delta)) return combinedHeaderSizes.oldDelta;
  return generation === "extended" ? combinedHeaderSizes.extended : combinedHeaderSizes.base;
}

/** @throws FormatError `no-compressor` for a name without a plug-in. */
export function transformsOf(compressor: string, encryptor?: Encryptor): BlockTransforms {
  if (compressor === "" || compressor === "none") return { encryptor };
  const found = compressorByName(compressor);
  if (found !== undefined) return { compressor: found, encryptor };
  throw new FormatError({
    code: "no-compressor",
    message: `there is no compressor ${JSON.stringify(compressor)}`,
    actual: compressor,
  });
}

/**
 * Makes a block of `image`, a plain image with room for its headers, which are written into it. The result does not
 * share memory with the image, so that the image's may be used again.
 */
export function sealBlock(
  image: Uint8Array,
  facts: BlockFacts,
  generation: BlockHeaderGeneration,
  transforms: BlockTransforms = {},
  original?: OriginalChecksum,
): SealedBlock {
  const size = headerSize(generation, facts.delta);
  const old = hasDeltaHeader(generation, facts.delta);
  if (old) writeDeltaHeader(image, facts);
  else writePageHeader(image, facts);
  const { data, compressed, encrypted } = transformed(image, size, transforms);
  const flagBits =
    (compressed ? pageFlags.compressed : 0) | (encrypted ? pageFlags.encrypted : 0) | facts.pageFlags;
  data[old ? DELTA_HEADER.at.flags : PAGE_HEADER.at.flags] = flagBits;
  const at = old ? DELTA_HEADER.size : PAGE_HEADER.size;
  writeBlockHeader(data, at, facts, generation, { compressed, encrypted }, original);
  const field = at + BLOCK_HEADER.checksum;
  const checksum = crc32cWithZeroedField(data, 0, data.length, field);
  viewOf(data).setUint32(field, checksum, true);
  const flags = (compressed ? pageLogFlags.compressed : 0) | (encrypted ? pageLogFlags.encrypted : 0);
  return { data, checksum, flags };
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

function writePageHeader(image: Uint8Array, { writeGen, entries, type, delta }: BlockFacts): void {
  const view = viewOf(image);
  const { at } = PAGE_HEADER;
  view.setBigUint64(at.recno, 0n, true);
  view.setBigUint64(at.writeGen, writeGen, true);
  view.setUint32(at.memSize, image.length, true);
  view.setUint32(at.entries, entries, true);
  image[at.type] = type;
  image[at.version] = delta ? pageVersions.original : pageVersions.timeWindows;
}

function writeDeltaHeader(image: Uint8Array, { writeGen, entries, type }: BlockFacts): void {
  const view = viewOf(image);
  const { at } = DELTA_HEADER;
  view.setBigUint64(at.writeGen, writeGen, true);
  view.setUint32(at.memSize, image.length, true);
  view.setUint32(at.entries, entries, true);
  image[at.version] = pageVersions.original;
  image[at.type] = type;
}

interface Transformed {
  readonly data: Uint8Array;
  readonly compressed: boolean;
  readonly encrypted: boolean;
}

/** A block that compression does not make shorter is stored plain. */
function transformed(image: Uint8Array, size: number, transforms: BlockTransforms): Transformed {
  const { compressor, encryptor } = transforms;
  const shape = { combinedHeaderSize: size, encrypted: encryptor !== undefined };
  const encryption = encryptor === undefined ? {} : { encryptor };
  if (compressor !== undefined && image.length > COMPRESS_SKIP) {
    const packed = deflateImage(image, { ...shape, encrypted: false, compressed: true }, { compressor });
    if (packed.length < image.length) {
      const data = shape.encrypted
        ? deflateImage(packed, { ...shape, compressed: false }, encryption)
        : packed;
      return { data, compressed: true, encrypted: shape.encrypted };
    }
  }
  if (encryptor === undefined) return { data: image.slice(), compressed: false, encrypted: false };
  const data = deflateImage(image, { ...shape, compressed: false }, encryption);
  return { data, compressed: false, encrypted: true };
}

/** Versions written so far: the first, and the one that keeps other readers away from an original checksum. */
const FIRST_VERSION = 1;

function writeBlockHeader(
  block: Uint8Array,
  at: number,
  { delta, previousChecksum }: BlockFacts,
  generation: BlockHeaderGeneration,
  { compressed, encrypted }: Pick<Transformed, "compressed" | "encrypted">,
  original: OriginalChecksum,
): void {
  const view = viewOf(block);
  const extended = generation === "extended";
  const version = extended ? readerVersions.extended : FIRST_VERSION;
  block[at + BLOCK_HEADER.magic] = delta ? blockMagics.delta : blockMagics.base;
  block[at + BLOCK_HEADER.version] = version;
  block[at + BLOCK_HEADER.compatibleVersion] = version;
  block[at + BLOCK_HEADER.combinedHeaderSize] = headerSize(generation, delta);
  const previous = generation === "modified" ? (original ?? 0) : previousChecksum;
  view.setUint32(at + BLOCK_HEADER.previousChecksum, previous, true);
  let flags = blockFlags.dataChecksum | (encrypted ? blockFlags.encrypted : 0);
  if (compressed) flags |= blockFlags.compressed;
  if (generation === "modified") flags |= blockFlags.modified;
  if (extended && original !== undefined) {
    flags |= blockFlags.replacement;
    view.setUint32(at + BLOCK_HEADER.originalChecksum, original, true);
  }
  block[at + (generation === "D0" ? OLD_BLOCK_HEADER.flags : BLOCK_HEADER.flags)] = flags;
}
