/** The inside of pages, whatever store they come from: inflated where needed, then walked cell by cell. */
import { CLASSIC_BLOCK, combinedHeaderSizes } from "../../formats/block-header.js";
import { PAGE_HEADER, pageFlags, pageTypes } from "../../formats/page-header.js";
import { FormatError } from "../codec/error.js";
import type { BlockShape } from "../page/transform/index.js";
import { type PageShape, PageWalker, type WalkSink } from "./cells/walk.js";
import type { ClassicBlock } from "./classic/block.js";
import { type EncryptedSample, PageImages, type TransformHint } from "./images.js";
import type { DisaggBlock } from "./page-log/block.js";
import type { FindingPlace } from "./rule.js";
import { pageInflate } from "./rules/block/page-inflate.js";
import { pageCells } from "./rules/page/page-cells.js";
import type { Detected, Run } from "./run.js";

export type AddressSink = NonNullable<WalkSink["address"]>;

/** What the metadata of a table says that its pages do not. */
export interface PageRules {
  readonly ordered: boolean;
  /** Bits of a fixed-length record. */
  readonly bits?: number;
}
const plainRules: PageRules = { ordered: true };

export class PageVerifier {
  private readonly walker = new PageWalker();
  private readonly images: PageImages;
  private uncheckable = new Set<string>();

  constructor(
    private readonly run: Run,
    detected: Detected,
    samples?: () => Iterable<EncryptedSample>,
  ) {
    this.images = new PageImages(
      run.options,
      detected,
      (image, shape) => this.isSound(image, shape),
      samples,
    );
  }

  /** The plain image of a block of a page log, or undefined when it cannot be had (which has been reported). */
  disaggImage(block: DisaggBlock, hint: TransformHint | undefined): Uint8Array | undefined {
    const { combinedHeaderSize, memSize, compressed, encrypted } = block;
    return this.open(block.bytes, { combinedHeaderSize, memSize, compressed, encrypted }, hint, () =>
      block.place(),
    );
  }

  verifyDisagg(block: DisaggBlock, hint: TransformHint | undefined): void {
    const image = this.disaggImage(block, hint);
    if (image === undefined) return;
    this.walk(image, disaggShape(block), () => block.place(), undefined);
  }

  /** The plain image of a block of a classic file. */
  classicImage(block: ClassicBlock, hint: TransformHint | undefined): Uint8Array | undefined {
    const { bytes, memSize, flags } = block;
    const compressed = (flags & pageFlags.compressed) !== 0;
    const encrypted = (flags & pageFlags.encrypted) !== 0;
    const shape = { combinedHeaderSize: CLASSIC_BLOCK.payload, memSize, compressed, encrypted };
    return this.open(bytes, shape, hint, () => block.place());
  }

  verifyClassic(
    block: ClassicBlock,
    hint: TransformHint | undefined,
    rules: PageRules,
    address: AddressSink,
  ): void {
    const image = this.classicImage(block, hint);
    if (image === undefined) return;
    const { type, flags, entries } = block;
    const recno = type === pageTypes.columnInternal || type === pageTypes.columnVariable ? block.recno : 0n;
    this.walk(
      image,
      { type, flags, entries, payload: CLASSIC_BLOCK.payload, recno, ...rules },
      () => block.place(),
      address,
    );
  }

  private open(
    bytes: Uint8Array,
    shape: BlockShape,
    hint: TransformHint | undefined,
    place: () => FindingPlace,
  ): Uint8Array | undefined {
    try {
      return this.images.open(bytes, shape, hint);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      if (error.code === "no-compressor" || error.code === "no-encryptor")
        this.reportUnchecked(error, place());
      else this.reportInflate(error, place());
      return undefined;
    }
  }

  private reportInflate(error: FormatError, place: FindingPlace): void {
    this.run.findings.add(pageInflate, place, {
      message: `${error.message} (${error.code})`,
      ...(error.expected === undefined ? {} : { expected: error.expected }),
      ...(error.actual === undefined ? {} : { actual: error.actual }),
      consequence: "the rows on this page are lost",
    });
  }

  /** Said once a table: every block of it would say the same. */
  private reportUnchecked(error: FormatError, place: FindingPlace): void {
    const key = `${place.table ?? place.tableId ?? place.path} ${error.code}`;
    if (this.uncheckable.has(key)) return;
    this.uncheckable.add(key);
    this.run.unchecked(place, `the cells of such blocks are not checked: ${error.message}`);
  }

  private walk(
    image: Uint8Array,
    shape: PageShape,
    place: () => FindingPlace,
    address: AddressSink | undefined,
  ): void {
    this.walker.walk(image, shape, {
      defect: (code, offset, detail) =>
        this.run.findings.add(pageCells, place(), {
          field: `image[${offset}]`,
          message: `${detail} (${code}, byte ${offset} of the image)`,
        }),
      ...(address === undefined ? {} : { address }),
    });
  }

  /** Whether a decrypted image reads as a page; for telling keys apart. */
  private isSound(image: Uint8Array, shape: BlockShape): boolean {
    let sound = true;
    const view = new DataView(image.buffer, image.byteOffset, image.length);
    // A delta of the oldest page logs has other headers: it is no evidence.
    if (shape.combinedHeaderSize === combinedHeaderSizes.oldDelta) return true;
    this.walker.walk(
      image,
      {
        type: image[PAGE_HEADER.at.type] as number,
        flags: image[PAGE_HEADER.at.flags] as number,
        entries: view.getUint32(PAGE_HEADER.at.entries, true),
        payload: shape.combinedHeaderSize,
        recno: view.getBigUint64(PAGE_HEADER.at.recno, true),
        ordered: true,
      },
      {
        defect: () => {
          sound = false;
        },
      },
    );
    return sound;
  }
}

export function disaggShape(block: DisaggBlock): PageShape {
  const { type, pageFlags: flags, entries, combinedHeaderSize: payload } = block;
  const shape = { type, flags, entries, payload, recno: 0n, ...plainRules };
  if (!block.isDelta) return shape;
  return { ...shape, delta: block.oldDelta ? "entries" : "unknown" };
}
