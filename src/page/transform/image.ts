import { COMPRESS_SKIP, ENCRYPTED_PREFIX, ROTN_KEY_IDS } from "../../../formats/transforms.js";
import { FormatError } from "../../codec/error.js";
import { viewOf } from "./copy.js";
import { withBase } from "./faults.js";
import { compressorByName, detectCompressor } from "./registry.js";
import { rotnEncryptor } from "./rotn.js";
import type { Compressor, EncryptionContext, Encryptor } from "./types.js";

/** From a stored block to its plain image and back. Formats: page and block headers §3.3. */

/** What has to be known of a block's headers to undo its transformations. */
export interface BlockShape {
  /** Bytes of page and block header together: they are never encrypted. */
  combinedHeaderSize: number;
  /** Bytes of the plain image, headers included. */
  memSize: number;
  compressed: boolean;
  encrypted: boolean;
}

export interface ImageOptions {
  /** Name as in `block_compressor=`, or the compressor itself. Without it every registered one is tried. */
  compressor?: string | Compressor;
  encryptor?: Encryptor;
  context?: EncryptionContext;
  /** Memory for the image, to be used again for the next; at least `memSize` bytes. */
  into?: Uint8Array;
  /** Larger images are refused before anything is allocated. In bytes. */
  maxImageLength?: number;
  /** Images that are more than this many times as long as their block are refused, too. */
  maxRatio?: number;
}

/** 512 MiB: no engine writes a page of that size. */
export const MAX_IMAGE_LENGTH = 512 * 2 ** 20;

/**
 * The plain image of `block`, exactly `memSize` bytes: headers and cells, transformation flags left as they are. A
 * block that was not transformed is not copied: the result is a view of it, without the padding.
 *
 * Throws `FormatError`: `image-length` (memSize is impossible or beyond the limits), `no-encryptor`,
 * `encrypted-length`, `encryption-envelope`, `no-compressor`, `truncated`, `compressed-length`, `compressed-stream`,
 * `inflated-length`. Offsets count from the start of the block (of the decrypted block, where it was encrypted).
 */
export function inflateImage(block: Uint8Array, shape: BlockShape, options: ImageOptions = {}): Uint8Array {
  checkMemSize(block, shape, options);
  const opened = shape.encrypted ? decryptBlock(block, shape.combinedHeaderSize, options) : block;
  if (shape.compressed) return decompressBlock(opened, shape.memSize, options);
  if (shape.memSize > opened.length)
    throw badMemSize(shape.memSize, opened.length, "more than the block holds");
  return opened.subarray(0, shape.memSize);
}

/**
 * The stored form of a plain image, unpadded: the bytes `inflateImage` takes. Flags, sizes and checksum in the headers
 * are the caller's to set.
 */
export function deflateImage(
  image: Uint8Array,
  shape: Pick<BlockShape, "combinedHeaderSize" | "compressed" | "encrypted">,
  options: ImageOptions = {},
): Uint8Array {
  const body = shape.compressed
    ? join(
        image.subarray(0, COMPRESS_SKIP),
        chosenCompressor(options).compress(image.subarray(COMPRESS_SKIP)),
      )
    : image;
  return shape.encrypted ? encryptBlock(body, shape.combinedHeaderSize, options) : body;
}

/** The encryptor's output within an encrypted block: what lies behind the header and the length field. */
export function encryptedPart(block: Uint8Array, combinedHeaderSize: number): Uint8Array {
  const start = combinedHeaderSize + ENCRYPTED_PREFIX.size;
  const total = block.length >= start ? viewOf(block).getUint32(combinedHeaderSize, true) : 0;
  if (total >= start && total <= block.length) return block.subarray(start, total);
  const message = `the encrypted length ${total} does not fit a block of ${block.length} bytes`;
  throw new FormatError({
    code: "encrypted-length",
    message,
    offset: Math.min(combinedHeaderSize, block.length),
    actual: total,
  });
}

/**
 * The rotn key ids under which an encrypted block makes sense. The key id is not stored, and the cipher has no
 * checksum: `fits` judges the decrypted block. Several may fit a block with few letters.
 */
export function detectRotnKeyIds(
  block: Uint8Array,
  combinedHeaderSize: number,
  fits: (plain: Uint8Array) => boolean,
): number[] {
  const keyIds = Array.from({ length: ROTN_KEY_IDS }, (_, keyId) => keyId);
  return keyIds.filter((keyId) =>
    fits(decryptBlock(block, combinedHeaderSize, { encryptor: rotnEncryptor(keyId) })),
  );
}

/** Undoes encryption alone: header and plain bytes, without length field and padding. */
export function decryptBlock(
  block: Uint8Array,
  combinedHeaderSize: number,
  { encryptor, context = {} }: ImageOptions,
): Uint8Array {
  const output = encryptedPart(block, combinedHeaderSize);
  if (!encryptor) {
    throw new FormatError({
      code: "no-encryptor",
      message: "the block is encrypted and no encryptor is known",
    });
  }
  const base = combinedHeaderSize + ENCRYPTED_PREFIX.size;
  return join(
    block.subarray(0, combinedHeaderSize),
    withBase(base, () => encryptor.decrypt(output, context)),
  );
}

function encryptBlock(body: Uint8Array, combinedHeaderSize: number, options: ImageOptions): Uint8Array {
  const { encryptor, context = {} } = options;
  if (!encryptor) throw new FormatError({ code: "no-encryptor", message: "no encryptor was given" });
  const output = encryptor.encrypt(body.subarray(combinedHeaderSize), context);
  const start = combinedHeaderSize + ENCRYPTED_PREFIX.size;
  const block = new Uint8Array(start + output.length);
  block.set(body.subarray(0, combinedHeaderSize));
  viewOf(block).setUint32(combinedHeaderSize, block.length, true);
  block.set(output, start);
  return block;
}

function decompressBlock(block: Uint8Array, memSize: number, options: ImageOptions): Uint8Array {
  const length = memSize - COMPRESS_SKIP;
  if (length <= 0) throw badMemSize(memSize, COMPRESS_SKIP, "too small for a compressed image");
  if (block.length < COMPRESS_SKIP) throw noRoom(block, COMPRESS_SKIP, "plain");
  const stored = block.subarray(COMPRESS_SKIP);
  const compressor = options.compressor === undefined ? detected(stored, length) : chosenCompressor(options);
  const image = withBase(COMPRESS_SKIP, () =>
    compressor.decompress(stored, length, COMPRESS_SKIP, options.into),
  );
  image.set(block.subarray(0, COMPRESS_SKIP));
  return image;
}

function detected(stored: Uint8Array, length: number): Compressor {
  const [name, ...others] = detectCompressor(stored, length);
  if (name !== undefined && others.length === 0) return compressorByName(name)!;
  const message =
    name === undefined ? "no known compressor fits" : `several fit: ${[name, ...others].join(", ")}`;
  throw new FormatError({
    code: "no-compressor",
    message: `the block is compressed and its compressor is not known: ${message}`,
    offset: COMPRESS_SKIP,
    hint: "name the compressor: the table's configuration has it as block_compressor=",
  });
}

function chosenCompressor({ compressor }: ImageOptions): Compressor {
  if (typeof compressor === "object") return compressor;
  const found = compressor === undefined ? undefined : compressorByName(compressor);
  if (found) return found;
  const message = `the block is compressed and there is no compressor ${JSON.stringify(compressor ?? "")}`;
  throw new FormatError({ code: "no-compressor", message, actual: compressor });
}

function checkMemSize(block: Uint8Array, shape: BlockShape, options: ImageOptions): void {
  const { memSize, combinedHeaderSize } = shape;
  const most = Math.min(
    options.maxImageLength ?? MAX_IMAGE_LENGTH,
    block.length * (options.maxRatio ?? Number.POSITIVE_INFINITY),
  );
  if (memSize < combinedHeaderSize)
    throw badMemSize(memSize, combinedHeaderSize, "less than the headers take");
  if (memSize > most) throw badMemSize(memSize, most, "more than the limit");
  if (block.length < combinedHeaderSize) throw noRoom(block, combinedHeaderSize, "header");
}

function noRoom({ length }: Uint8Array, needed: number, what: string): FormatError {
  const message = `a block of ${length} bytes has no room for ${needed} ${what} bytes`;
  return new FormatError({ code: "truncated", message, offset: length, expected: needed });
}

function badMemSize(memSize: number, bound: number, problem: string): FormatError {
  const message = `mem_size ${memSize} is ${problem} (${bound})`;
  return new FormatError({
    code: "image-length",
    message,
    path: "memSize",
    expected: bound,
    actual: memSize,
  });
}

function join(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
