/** A block of a classic file as the rules see it. */
import { CLASSIC_BLOCK, DATA_CHECKSUM, PARTIAL_CHECKSUM_LENGTH } from "../../../formats/block-header.js";
import { PAGE_HEADER, pageVersions } from "../../../formats/page-header.js";
import { crc32cWithZeroedField } from "../../codec/crc32c.js";
import type { TableConfig } from "../../tree/table-config.js";
import type { FindingPlace, Subject } from "../rule.js";
import type { VerifyOptions } from "../types.js";
import { lostText, type PageRange } from "./lost-rows.js";

/** What the address that led here says the block is. */
export type BlockRole = "root" | "internal" | "leaf" | "overflow" | "extent list";

export interface BlockAddress {
  readonly offset: number;
  readonly size: number;
  readonly checksum: number;
}

/** An address before its block is read. The place is that of the structure that holds the address. */
export interface PlacedAddress extends Subject {
  readonly address: BlockAddress;
  readonly allocationSize: number;
  readonly fileSize: number;
  /** What is out of reach when the address leads nowhere. */
  readonly lost?: string;
}

/** What findings say of a file's keys. */
export const keysOf = (
  { keyFormat }: Pick<TableConfig, "keyFormat">,
  { showKeys = false }: Pick<VerifyOptions, "showKeys">,
): Pick<PageRange, "records" | "showKeys"> => ({
  records: keyFormat === "" ? undefined : keyFormat === "r",
  showKeys,
});

/**
 * One block and the address it was read from. One instance serves all blocks of a file, so a rule must not keep it.
 * Fields are read where they lie.
 */
export class ClassicBlock implements Subject {
  bytes: Uint8Array = new Uint8Array();
  private view = new DataView(this.bytes.buffer);
  offset = 0;
  size = 0;
  /** The checksum the address asks for. */
  addressChecksum = 0;
  role: BlockRole = "leaf";
  checkpoint: string | undefined;
  /** The keys its parent gives it. */
  low: Uint8Array | undefined;
  high: Uint8Array | undefined;
  /** The file's configuration is known and names no compressor. */
  neverCompressed = false;

  constructor(
    readonly path: string,
    readonly table: string | undefined,
    readonly allocationSize: number,
    /** What is known of the file's keys. */
    private readonly keys: Pick<PageRange, "records" | "showKeys"> = { records: undefined, showKeys: false },
  ) {}

  set(bytes: Uint8Array, offset: number, size: number, checksum: number, role: BlockRole): this {
    this.bytes = bytes;
    if (bytes.buffer !== this.view.buffer) this.view = new DataView(bytes.buffer);
    this.offset = offset;
    this.size = size;
    this.addressChecksum = checksum;
    this.role = role;
    this.low = this.high = undefined;
    return this;
  }

  get range(): PageRange {
    const { low, high, keys } = this;
    return { low, high, ...keys };
  }

  /** What it means for the data when the block cannot be read. */
  get lost(): string {
    return lostText(this);
  }

  private u32(at: number): number {
    return this.view.getUint32(this.bytes.byteOffset + at, true);
  }

  get diskSize(): number {
    return this.u32(CLASSIC_BLOCK.diskSize);
  }
  get checksum(): number {
    return this.u32(CLASSIC_BLOCK.checksum);
  }
  get blockFlags(): number {
    return this.bytes[CLASSIC_BLOCK.flags] as number;
  }
  get memSize(): number {
    return this.u32(PAGE_HEADER.at.memSize);
  }
  get entries(): number {
    return this.u32(PAGE_HEADER.at.entries);
  }
  get type(): number {
    return this.bytes[PAGE_HEADER.at.type] as number;
  }
  get flags(): number {
    return this.bytes[PAGE_HEADER.at.flags] as number;
  }
  /** Releases before time windows wrote pages of another version. */
  get mayHaveWindows(): boolean {
    return (this.bytes[PAGE_HEADER.at.version] as number) >= pageVersions.timeWindows;
  }
  get writeGen(): bigint {
    return this.view.getBigUint64(this.bytes.byteOffset + PAGE_HEADER.at.writeGen, true);
  }
  get recno(): bigint {
    return this.view.getBigUint64(this.bytes.byteOffset + PAGE_HEADER.at.recno, true);
  }

  /** The checksum the bytes give. */
  computeChecksum(): number {
    const { bytes } = this;
    const whole = (this.blockFlags & DATA_CHECKSUM) !== 0;
    const end = whole ? bytes.length : Math.min(bytes.length, PARTIAL_CHECKSUM_LENGTH);
    return crc32cWithZeroedField(bytes, 0, end, CLASSIC_BLOCK.checksum);
  }

  /** Bytes that the checksum is not of. */
  get uncovered(): number {
    const whole = (this.blockFlags & DATA_CHECKSUM) !== 0;
    return whole ? 0 : Math.max(0, this.bytes.length - PARTIAL_CHECKSUM_LENGTH);
  }

  /** The block is the one its address means, and undamaged. */
  isSound(): boolean {
    return (
      this.checksum === this.addressChecksum &&
      this.diskSize === this.size &&
      this.computeChecksum() === this.checksum
    );
  }

  place(): FindingPlace {
    const { path, offset, table, checkpoint } = this;
    return {
      path,
      offset,
      ...(table === undefined ? {} : { table }),
      ...(checkpoint === undefined ? {} : { checkpoint }),
    };
  }
}
