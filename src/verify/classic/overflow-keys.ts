/** Keys on overflow pages, read where their order matters: few tables have any. */
import { FormatError } from "../../codec/error.js";
import { rowsOf } from "../../page/rows.js";
import type { RandomAccess } from "../../store/types.js";
import { ClassicSource } from "../../tree/classic/source.js";
import { SoundImages } from "../../tree/image-check.js";
import { compareKeys } from "../../tree/keys.js";
import { PageFault } from "../../tree/problem.js";
import type { TableConfig } from "../../tree/table-config.js";
import { classicLayout } from "../page-verifier.js";
import type { VerifyOptions } from "../types.js";
import type { ClassicBlock } from "./block.js";

/** The first and last key of a page; undefined = not known. */
export interface PageKeys {
  readonly first: Uint8Array | undefined;
  readonly last: Uint8Array | undefined;
}

export class OverflowKeys {
  private source: ClassicSource | undefined;

  constructor(
    private readonly file: RandomAccess,
    private readonly block: Pick<ClassicBlock, "path" | "allocationSize">,
    private readonly config: TableConfig,
    private readonly options: Pick<VerifyOptions, "compressor" | "rotnKeyId">,
  ) {}

  /** Undefined for a page that cannot be read: it is reported when it is checked itself. */
  read(cookie: Uint8Array): Uint8Array | undefined {
    this.source ??= this.open();
    try {
      return this.source.overflow(cookie);
    } catch (error) {
      if (error instanceof PageFault || error instanceof FormatError) return undefined;
      throw error;
    }
  }

  private open(): ClassicSource {
    const { path, allocationSize } = this.block;
    return new ClassicSource(
      this.file,
      path,
      allocationSize,
      this.config,
      new SoundImages(this.options),
      () => false,
    );
  }

  /**
   * Compares the overflow keys of a sound row leaf with their neighbours; `badOrder` is told of the offset of a key's
   * cell that is not above the key before it.
   */
  walkLeaf(image: Uint8Array, block: ClassicBlock, badOrder: (offset: number) => void): PageKeys {
    let first: Uint8Array | undefined;
    let before: Uint8Array | undefined;
    let wasOverflow = false;
    let index = 0;
    for (const { key: whole, keyCookie, offset } of rowsOf(image, classicLayout(block))) {
      const key = whole ?? this.read(keyCookie as Uint8Array);
      const beside = wasOverflow || keyCookie !== undefined;
      if (beside && before !== undefined && key !== undefined && compareKeys(before, key) >= 0)
        badOrder(offset);
      if (index++ === 0) first = key;
      before = key;
      wasOverflow = keyCookie !== undefined;
    }
    return { first, last: before };
  }
}
