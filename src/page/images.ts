/** Plain images of stored blocks: which compressor and encryptor, remembered per table. */

import { combinedHeaderSizes } from "../../formats/block-header.js";
import { PAGE_HEADER } from "../../formats/page-header.js";
import { COMPRESS_SKIP } from "../../formats/transforms.js";
import { FormatError } from "../codec/error.js";
import {
  type BlockShape,
  type Compressor,
  compressorByName,
  decryptBlock,
  detectCompressor,
  detectRotnKeyIds,
  type Encryptor,
  encryptedPart,
  encryptorByName,
  inflateImage,
  looksLikeRotn,
  rotnEncryptor,
} from "./transform/index.js";
import { PageWalker } from "./walk.js";
import { pageForms } from "./walk-types.js";

/** What the caller knows better than the metadata. */
export interface TransformOptions {
  /** Compressor of all tables, e.g. `snappy`. */
  readonly compressor?: string | undefined;
  /** Key id of the rotn test encryptor; detected by evidence when absent. */
  readonly rotnKeyId?: number | undefined;
  /** Encryptor of blocks whose table names none; detected by evidence when absent. */
  readonly encryptor?: Encryptor | undefined;
}

/** What was used. */
export interface DetectedTransforms {
  readonly compressors: Set<string>;
  readonly encryptors: Set<string>;
}

/** What the metadata says of a table; empty text = nothing. */
export interface TransformHint {
  readonly compressor: string;
  readonly encryptor: string;
}

/** An encrypted block, as evidence of the key it was encrypted under. */
export interface EncryptedSample {
  readonly bytes: Uint8Array;
  readonly shape: BlockShape;
}

/** One block may be readable under several keys; this many more are looked at to settle it. */
const MAX_SAMPLES = 200;

export class PageImages {
  private readonly compressors = new Map<string, Compressor>();
  private encryptor: Encryptor | undefined;
  /** Key ids of rotn that every block so far allows. */
  private keyIds: number[] | undefined;

  constructor(
    private readonly options: TransformOptions,
    private readonly detected: DetectedTransforms,
    private readonly samples: () => Iterable<EncryptedSample> = () => [],
  ) {
    if (options.rotnKeyId !== undefined) this.keyIds = [options.rotnKeyId];
    this.encryptor = options.encryptor;
  }

  /** Of blocks whose table names none; undefined until such a block was opened. */
  get databaseEncryptor(): Encryptor | undefined {
    return this.encryptor;
  }

  /**
   * The plain image of a block; a view of the block when it is stored plain.
   * @throws FormatError as `inflateImage` does; `no-encryptor` when there is no plug-in for it.
   */
  open(
    block: Uint8Array,
    shape: BlockShape,
    hint: TransformHint | undefined,
    /** Memory the image may be put into: it is the caller's to use again. */
    into?: Uint8Array,
  ): Uint8Array {
    if (!shape.compressed && !shape.encrypted) return inflateImage(block, shape);
    const plain = shape.encrypted ? this.decrypt(block, shape, hint) : block;
    if (!shape.compressed) return inflateImage(plain, { ...shape, encrypted: false });
    return inflateImage(
      plain,
      { ...shape, encrypted: false },
      { compressor: this.compressorOf(plain, shape, hint), ...(into === undefined ? {} : { into }) },
    );
  }

  private compressorOf(plain: Uint8Array, shape: BlockShape, hint: TransformHint | undefined): Compressor {
    const name = this.options.compressor ?? hint?.compressor ?? "";
    const known = this.compressors.get(name) ?? compressorByName(name);
    if (known !== undefined) return this.remember(name, known);
    const [found, ...others] = detectCompressor(plain.subarray(COMPRESS_SKIP), shape.memSize - COMPRESS_SKIP);
    const compressor = found === undefined || others.length > 0 ? undefined : compressorByName(found);
    if (compressor !== undefined)
      return name === "" ? this.remember(found as string, compressor) : compressor;
    throw new FormatError({
      code: "no-compressor",
      message: `the block is compressed${name === "" ? "" : ` by ${name}`} and no known compressor fits`,
      offset: COMPRESS_SKIP,
    });
  }

  private remember(name: string, compressor: Compressor): Compressor {
    this.detected.compressors.add(compressor.name);
    this.compressors.set(name, compressor);
    return compressor;
  }

  private decrypt(block: Uint8Array, shape: BlockShape, hint: TransformHint | undefined): Uint8Array {
    const named = hint === undefined || hint.encryptor === "" ? undefined : encryptorByName(hint.encryptor);
    const encryptor = named ?? this.encryptor ?? this.detectEncryptor(block, shape, hint);
    this.detected.encryptors.add(encryptor.name);
    return decryptBlock(block, shape.combinedHeaderSize, { encryptor });
  }

  private detectEncryptor(block: Uint8Array, shape: BlockShape, hint: TransformHint | undefined): Encryptor {
    if (!looksLikeRotn(encryptedPart(block, shape.combinedHeaderSize)))
      throw new FormatError({
        code: "no-encryptor",
        message: "the block is encrypted and no encryptor plug-in knows it",
      });
    // A copy: looking at samples may reuse the store's buffer.
    this.narrow(block.slice(), shape, hint);
    let looked = 0;
    for (const sample of this.keyIds?.length === 1 ? [] : this.samples()) {
      this.narrow(sample.bytes, sample.shape, undefined);
      if (this.keyIds?.length === 1 || ++looked >= MAX_SAMPLES) break;
    }
    const keyId = this.keyIds?.[0];
    if (keyId === undefined)
      throw new FormatError({ code: "no-encryptor", message: "no rotn key id makes sense of the block" });
    this.encryptor = rotnEncryptor(keyId);
    return this.encryptor;
  }

  /** Drops the key ids under which the block makes no sense; a block that fits none is damaged and drops none. */
  private narrow(block: Uint8Array, shape: BlockShape, hint: TransformHint | undefined): void {
    const fitting = detectRotnKeyIds(block, shape.combinedHeaderSize, (plain) =>
      this.readable(plain, shape, hint),
    );
    const both = this.keyIds === undefined ? fitting : this.keyIds.filter((keyId) => fitting.includes(keyId));
    if (both.length > 0) this.keyIds = both;
  }

  private readable(plain: Uint8Array, shape: BlockShape, hint: TransformHint | undefined): boolean {
    try {
      const opened = { ...shape, encrypted: false };
      const options = shape.compressed && hint?.compressor ? { compressor: hint.compressor } : {};
      return readsAsPage(inflateImage(plain, opened, options), opened);
    } catch (error) {
      if (error instanceof FormatError) return false;
      throw error;
    }
  }
}

/** Whether a decrypted image reads as a page; for telling keys apart. */
function readsAsPage(image: Uint8Array, { combinedHeaderSize: payload }: BlockShape): boolean {
  // A delta of the oldest page logs has other headers: it is no evidence.
  if (payload === combinedHeaderSizes.oldDelta) return true;
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  return new PageWalker().walk(image, {
    type: image[PAGE_HEADER.at.type] as number,
    flags: image[PAGE_HEADER.at.flags] as number,
    entries: view.getUint32(PAGE_HEADER.at.entries, true),
    memSize: image.length,
    payload,
    recno: view.getBigUint64(PAGE_HEADER.at.recno, true),
    form: pageForms.image,
  });
}
