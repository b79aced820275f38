/** Rows of WiredTiger.wt at its newest checkpoint. Blocks have been verified before: what cannot be read is skipped. */
import { CLASSIC_BLOCK } from "../../../formats/block-header.js";
import { cellTags } from "../../../formats/cell.js";
import { blockOf, classicAddressCookie } from "../../../formats/classic-cookie.js";
import { pageTypes } from "../../../formats/page-header.js";
import { hasStop } from "../../../formats/time-window.js";
import { decodeText } from "../../codec/text.js";
import { type Row, rowsOf } from "../../page/rows.js";
import type { MetadataRow } from "../metadata.js";
import { classicLayout, type PageVerifier } from "../page-verifier.js";
import type { FindingPlace } from "../rule.js";
import { type BlockAddress, ClassicBlock } from "./block.js";
import type { BlockReader } from "./block-reader.js";

const MAX_DEPTH = 64;

export class MetadataReader {
  private readonly block: ClassicBlock;
  private readonly seen = new Set<number>();
  readonly rows: MetadataRow[] = [];
  /** Pages that could not be read: rows are missing. */
  damaged = 0;

  constructor(
    private readonly path: string,
    private readonly allocationSize: number,
    private readonly reader: BlockReader,
    private readonly pages: PageVerifier,
  ) {
    this.block = new ClassicBlock(path, undefined, allocationSize);
  }

  readTree(address: BlockAddress, depth = 0): void {
    const image = depth > MAX_DEPTH ? undefined : this.image(address);
    if (image === undefined) {
      this.damaged++;
      return;
    }
    const layout = classicLayout(this.block);
    const place: FindingPlace = { path: this.path, offset: address.offset };
    for (const row of [...rowsOf(image, layout)])
      if (layout.type === pageTypes.rowInternal) this.readChild(row, depth);
      else this.addRow(row, place);
    // The engine's own rows are there from its first start on.
    if (depth === 0 && this.rows.length === 0 && this.damaged === 0) this.damaged++;
  }

  private readChild(row: Row, depth: number): void {
    const child = this.addressOf(row.data);
    if (child !== undefined && row.tag !== cellTags.addressDeleted) this.readTree(child, depth + 1);
  }

  private addRow(row: Row, place: FindingPlace): void {
    if (row.window !== undefined && hasStop(row.window)) return;
    const key = row.key ?? this.overflow(row.keyCookie as Uint8Array);
    const value = row.tag === cellTags.valueOverflow ? this.overflow(row.data) : row.data;
    if (key === undefined || value === undefined) this.damaged++;
    else {
      // The engine cannot parse such a row, and opens nothing.
      if (!isText(key) || !isText(value)) this.damaged++;
      const terminated = key.at(-1) === 0 && value.at(-1) === 0;
      this.rows.push({ uri: textOf(key), value: textOf(value), terminated, place });
    }
  }

  private overflow(cookie: Uint8Array): Uint8Array | undefined {
    const address = this.addressOf(cookie);
    const image = address === undefined ? undefined : this.image(address);
    return image?.subarray(CLASSIC_BLOCK.payload);
  }

  private addressOf(cookie: Uint8Array): BlockAddress | undefined {
    const reading = classicAddressCookie.read(cookie);
    return reading.ok ? blockOf(reading.value, this.allocationSize) : undefined;
  }

  /** A copy of the page's plain image; undefined for a block that is not the one meant. */
  private image({ offset, size, checksum }: BlockAddress): Uint8Array | undefined {
    if (this.seen.has(offset) || size > this.reader.fileSize || offset + size > this.reader.fileSize)
      return undefined;
    this.seen.add(offset);
    const bytes = this.reader.read(offset, size).slice();
    const { block } = this;
    if (bytes.length < CLASSIC_BLOCK.payload) return undefined;
    block.set(bytes, offset, size, checksum, "leaf");
    return block.isSound() ? this.pages.classicImage(block, undefined) : undefined;
  }
}

/** Metadata texts end with a NUL that is not part of them. */
const textOf = (bytes: Uint8Array): string => decodeText(bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes);

const strict = new TextDecoder("utf-8", { fatal: true });

function isText(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
