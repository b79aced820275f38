/** Plain images that were found sound: inflated, and walked cell by cell. */
import { FormatError } from "../codec/error.js";
import {
  type EncryptedSample,
  PageImages,
  type TransformHint,
  type TransformOptions,
} from "../page/images.js";
import type { BlockShape, Encryptor } from "../page/transform/index.js";
import { PageWalker } from "../page/walk.js";
import type { PageLayout } from "../page/walk-types.js";
import { PageFault } from "./problem.js";
import type { PagePlace } from "./types.js";

const UNREADABLE: ReadonlySet<string> = new Set(["no-compressor", "no-encryptor"]);

/** One serves all tables of a database: keys and compressors are found once. */
export class SoundImages {
  private readonly images: PageImages;
  private readonly walker = new PageWalker({ maxDefects: 1 });
  /** For tables whose keys are in an order of their own. */
  private readonly unordered = new PageWalker({ maxDefects: 1, anyKeyOrder: true });

  constructor(options: TransformOptions, samples?: () => Iterable<EncryptedSample>) {
    const detected = { compressors: new Set<string>(), encryptors: new Set<string>() };
    this.images = new PageImages(options, detected, samples);
  }

  /** Of blocks whose table names none; undefined until such a block was opened. */
  get databaseEncryptor(): Encryptor | undefined {
    return this.images.databaseEncryptor;
  }

  /** @throws PageFault `page-unreadable`, `page-damaged` */
  open(block: Uint8Array, shape: BlockShape, hint: TransformHint, place: PagePlace): Uint8Array {
    try {
      return this.images.open(block, shape, hint);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      const code = UNREADABLE.has(error.code) ? "page-unreadable" : "page-damaged";
      throw new PageFault(code, `${error.message} (${error.code})`, place);
    }
  }

  /** @throws PageFault `page-damaged` for cells that cannot be what was written. */
  check(image: Uint8Array, layout: PageLayout, anyKeyOrder: boolean, place: PagePlace): void {
    const walker = anyKeyOrder ? this.unordered : this.walker;
    if (walker.walk(image, layout)) return;
    const [defect] = walker.defects;
    throw new PageFault(
      "page-damaged",
      `${defect?.detail} (${defect?.code}, byte ${defect?.offset} of the image)`,
      place,
    );
  }
}
