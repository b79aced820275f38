/** The inside of pages, whatever store they come from: inflated where needed, then walked cell by cell. */
import { CLASSIC_BLOCK } from "../../formats/block-header.js";
import { pageFlags, pageTypes } from "../../formats/page-header.js";
import { FormatError } from "../codec/error.js";
import { type EncryptedSample, PageImages, type TransformHint } from "../page/images.js";
import type { BlockShape } from "../page/transform/index.js";
import { PageWalker } from "../page/walk.js";
import { type PageLayout, type PageSink, pageForms } from "../page/walk-types.js";
import type { ClassicBlock } from "./classic/block.js";
import type { DisaggBlock } from "./page-log/block.js";
import type { FindingPlace, Subject } from "./rule.js";
import { pageInflate } from "./rules/block/page-inflate.js";
import { pageCells } from "./rules/page/page-cells.js";
import type { Detected, Run } from "./run.js";

/** What the metadata of a table says that its pages do not. */
export interface PageRules {
  /** Keys are in an order of the table's own collator. */
  readonly anyKeyOrder: boolean;
  /** Bits of a fixed-length record. */
  readonly bitsPerRecord?: number;
}

/** Larger images are rare, and get memory of their own. In bytes. */
const MAX_SCRATCH = 4 * 1024 * 1024;

export class PageVerifier {
  private readonly walker = new PageWalker();
  /** For tables whose keys are in an order of their own. */
  private readonly unordered = new PageWalker({ anyKeyOrder: true });
  /** The one that walked last. */
  private last = this.walker;
  private readonly images: PageImages;
  private scratch = new Uint8Array(64 * 1024);
  private uncheckable = new Set<string>();
  /** The image being walked: what offsets given to a sink are offsets in. */
  image: Uint8Array = new Uint8Array();
  /** How many images were walked so far: what is known of keys is of the last one. */
  walks = 0;

  constructor(
    private readonly run: Run,
    detected: Detected,
    samples?: () => Iterable<EncryptedSample>,
  ) {
    this.images = new PageImages(run.options, detected, samples);
  }

  /** The plain image of a block of a page log, or undefined when it cannot be had (which has been reported). */
  disaggImage(
    block: DisaggBlock,
    hint: TransformHint | undefined,
    into?: Uint8Array,
  ): Uint8Array | undefined {
    const { combinedHeaderSize, memSize, compressed, encrypted } = block;
    return this.open(
      block.bytes,
      { combinedHeaderSize, memSize, compressed, encrypted },
      hint,
      () => block.place(),
      into,
    );
  }

  /** False when the image cannot be had or has defects, which have been reported. */
  verifyDisagg(block: DisaggBlock, hint: TransformHint | undefined, anyKeyOrder = false): boolean {
    const image = this.disaggImage(block, hint, this.scratchFor(block.memSize));
    if (image === undefined) return false;
    const walker = anyKeyOrder ? this.unordered : this.walker;
    return this.walk(walker, image, disaggLayout(block), block) && this.isOfForcedForm(walker, block);
  }

  /** Whether a delta is of the form the caller says; reported when it is not. */
  private isOfForcedForm({ deltaForm }: PageWalker, block: DisaggBlock): boolean {
    const { delta } = this.run.forced;
    if (delta === undefined || deltaForm === undefined || delta === deltaForm) return true;
    this.run.findings.add(pageCells, block.place(), {
      message: "the delta's payload is not of the form that was asked for",
      expected: delta,
      actual: deltaForm,
    });
    return false;
  }

  /** What the walk over the last block of a page log found of its keys; views until the next. */
  keysOf(anyKeyOrder: boolean): {
    first: Uint8Array | undefined;
    last: Uint8Array | undefined;
    count: number;
    allPlain: boolean;
  } {
    const walker = anyKeyOrder ? this.unordered : this.walker;
    return {
      first: walker.firstKey(),
      last: walker.lastKey(),
      count: walker.keys,
      allPlain: walker.allPlain,
    };
  }

  /** The plain image of a block of a classic file, until the next is asked for; undefined, unsaid, without one. */
  classicImageIfAny(block: ClassicBlock, hint: TransformHint | undefined): Uint8Array | undefined {
    const { bytes, memSize } = block;
    const shape = { combinedHeaderSize: CLASSIC_BLOCK.payload, memSize, compressed: true, encrypted: false };
    try {
      return this.images.open(bytes, shape, hint, this.scratchFor(memSize));
    } catch (error) {
      if (error instanceof FormatError) return undefined;
      throw error;
    }
  }

  /** The plain image of a block of a classic file. */
  classicImage(
    block: ClassicBlock,
    hint: TransformHint | undefined,
    into?: Uint8Array,
  ): Uint8Array | undefined {
    const { bytes, memSize, flags } = block;
    const compressed = (flags & pageFlags.compressed) !== 0;
    const encrypted = (flags & pageFlags.encrypted) !== 0;
    const shape = { combinedHeaderSize: CLASSIC_BLOCK.payload, memSize, compressed, encrypted };
    return this.open(
      bytes,
      shape,
      hint,
      () => block.place(),
      into,
      () => block.lost,
    );
  }

  /** False when the image cannot be had or has defects, which have been reported. */
  verifyClassic(
    block: ClassicBlock,
    hint: TransformHint | undefined,
    { anyKeyOrder, bitsPerRecord }: PageRules,
    sink?: PageSink,
  ): boolean {
    const image = this.classicImage(block, hint, this.scratchFor(block.memSize));
    if (image === undefined) return false;
    const layout = { ...classicLayout(block), ...(bitsPerRecord === undefined ? {} : { bitsPerRecord }) };
    return this.walk(anyKeyOrder ? this.unordered : this.walker, image, layout, block, sink);
  }

  /** Every cell of the page of a classic file walked last is of a plain row. */
  get allPlain(): boolean {
    return this.last.allPlain;
  }

  /** Records of the variable-length column leaf walked last. */
  get records(): bigint {
    return this.walker.records;
  }

  /** Memory for an image that is done with before the next is asked for. */
  private scratchFor(memSize: number): Uint8Array | undefined {
    if (memSize > MAX_SCRATCH) return undefined;
    if (this.scratch.length < memSize) this.scratch = new Uint8Array(memSize * 2);
    return this.scratch;
  }

  private open(
    bytes: Uint8Array,
    shape: BlockShape,
    hint: TransformHint | undefined,
    place: () => FindingPlace,
    into: Uint8Array | undefined,
    lost: () => string = () => "the rows on this page are lost",
  ): Uint8Array | undefined {
    try {
      return this.images.open(bytes, shape, hint, into);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      if (error.code === "no-compressor" || error.code === "no-encryptor")
        this.reportUnchecked(error, place());
      else this.reportInflate(error, place(), lost());
      return undefined;
    }
  }

  private reportInflate(error: FormatError, place: FindingPlace, lost: string): void {
    this.run.findings.add(pageInflate, place, {
      message: `${error.message} (${error.code})`,
      ...(error.expected === undefined ? {} : { expected: error.expected }),
      ...(error.actual === undefined ? {} : { actual: error.actual }),
      consequence: lost,
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
    walker: PageWalker,
    image: Uint8Array,
    layout: PageLayout,
    subject: Subject,
    sink?: PageSink,
  ): boolean {
    this.image = image;
    this.walks++;
    this.last = walker;
    if (walker.walk(image, layout, sink)) return true;
    for (const { code, offset, detail } of walker.defects)
      this.run.findings.add(pageCells, subject.place(), {
        field: `image[${offset}]`,
        message: `${detail} (${code}, byte ${offset} of the image)`,
      });
    return false;
  }
}

/** What the headers of a classic block say of its payload. */
export function classicLayout(block: ClassicBlock): PageLayout {
  const { type, flags, entries, memSize } = block;
  const isRow = type === pageTypes.rowLeaf || type === pageTypes.rowInternal;
  const recno = isRow ? 0n : block.recno;
  return { type, flags, entries, memSize, payload: CLASSIC_BLOCK.payload, recno, form: pageForms.image };
}

/** What the headers of a block of a page log say of its payload. */
export function disaggLayout(block: DisaggBlock): PageLayout {
  const { type, pageFlags: flags, entries, memSize, combinedHeaderSize: payload, isDelta, oldDelta } = block;
  const form = isDelta ? (oldDelta ? pageForms.oldDelta : pageForms.anyDelta) : pageForms.image;
  return { type, flags, entries, memSize, payload, recno: 0n, form };
}
