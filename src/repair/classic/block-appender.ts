/** New blocks of a classic file, one behind the other from an offset on. Nothing is written here. */
import { CLASSIC_BLOCK, DATA_CHECKSUM, PARTIAL_CHECKSUM_LENGTH } from "../../../formats/block-header.js";
import type { BlockLocation } from "../../../formats/classic-cookie.js";
import { PAGE_HEADER, pageTypes } from "../../../formats/page-header.js";
import { crc32cWithZeroedField } from "../../codec/crc32c.js";

export type BlockRole = "leaf" | "internal" | "root" | "alloc list" | "discard list" | "avail list";

export interface NewBlock extends BlockLocation {
  readonly role: BlockRole;
  readonly writeGen: bigint;
  /** Cells; bytes of pairs in an extent list. */
  readonly entries: number;
  readonly bytes: Uint8Array;
}

export interface BlockContent {
  readonly role: BlockRole;
  readonly type: number;
  /** Flags and version of the page header. */
  readonly flags: number;
  readonly version: number;
  readonly entries: number;
  /** The checksum covers the whole block, not only its first 64 bytes. */
  readonly wholeChecksum: boolean;
  readonly payload: Uint8Array;
  /** Bytes of the payload the header counts (extent lists: the pairs); default all. */
  readonly counted?: number;
}

export class BlockAppender {
  readonly blocks: NewBlock[] = [];
  private end: number;

  constructor(
    private readonly unit: number,
    /** Where the first block begins, bytes. */
    readonly start: number,
    /** Write generation of the block written last. */
    private writeGenBefore: bigint,
  ) {
    this.end = start;
  }

  /** Bytes from the beginning of the file to the end of the last block. */
  get fileSize(): number {
    return this.end;
  }

  /** Highest write generation so far. */
  get writeGen(): bigint {
    return this.writeGenBefore;
  }

  /** Bytes a block with so much payload takes. */
  sizeFor(payload: number): number {
    return Math.ceil((CLASSIC_BLOCK.payload + payload) / this.unit) * this.unit;
  }

  add(content: BlockContent): BlockLocation {
    const { role, type, entries, payload, wholeChecksum } = content;
    const size = this.sizeFor(payload.length);
    // Lists are written behind the tree and have no write generation of their own.
    const writeGen = type === pageTypes.blockManager ? 0n : ++this.writeGenBefore;
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    const { at } = PAGE_HEADER;
    view.setBigUint64(at.writeGen, writeGen, true);
    view.setUint32(at.memSize, CLASSIC_BLOCK.payload + (content.counted ?? payload.length), true);
    view.setUint32(at.entries, entries, true);
    bytes[at.type] = type;
    bytes[at.flags] = content.flags;
    bytes[at.version] = content.version;
    view.setUint32(CLASSIC_BLOCK.diskSize, size, true);
    bytes[CLASSIC_BLOCK.flags] = wholeChecksum ? DATA_CHECKSUM : 0;
    bytes.set(payload, CLASSIC_BLOCK.payload);
    const covered = wholeChecksum ? size : PARTIAL_CHECKSUM_LENGTH;
    const checksum = crc32cWithZeroedField(bytes, 0, covered, CLASSIC_BLOCK.checksum);
    view.setUint32(CLASSIC_BLOCK.checksum, checksum, true);
    const block: NewBlock = { role, offset: this.end, size, checksum, writeGen, entries, bytes };
    this.blocks.push(block);
    this.end += size;
    return block;
  }

  /** Calls the block added last the root: only its parent could have told, and there is none. */
  markRoot(): void {
    const last = this.blocks.pop();
    if (last !== undefined) this.blocks.push({ ...last, role: "root" });
  }
}
