/** The block of a page-log record as the rules see it. Fields are read where they lie. */
import {
  BLOCK_HEADER,
  type BlockHeaderValue,
  blockFlags,
  blockMagics,
  combinedHeaderSizes,
  DATA_CHECKSUM,
  DELTA_HEADER,
  likelyBlockHeader,
  OLD_BLOCK_HEADER,
  PARTIAL_CHECKSUM_LENGTH,
  readerVersions,
} from "../../../formats/block-header.js";
import { PAGE_HEADER } from "../../../formats/page-header.js";
import { crc32cWithZeroedField } from "../../codec/crc32c.js";
import type { FindingPlace, Subject } from "../rule.js";
import type { RecordSubject } from "./record.js";

export type BlockGeneration = BlockHeaderValue["generation"];

/** One instance serves all records: a rule must not keep it. */
export class DisaggBlock implements Subject {
  record!: RecordSubject;
  bytes: Uint8Array = new Uint8Array();
  private view = new DataView(this.bytes.buffer);
  generation: BlockGeneration = "D1";
  /** A delta of the oldest generation has a shorter header in place of the page header. */
  oldDelta = false;
  /** Where the block header begins. */
  private at = 0;
  computedChecksum = 0;

  /** `forced`: the generation that is not to be detected. */
  constructor(private readonly forced?: BlockGeneration) {}

  /** False when the bytes are too short for, or do not look like, any block. */
  set(record: RecordSubject): boolean {
    this.record = record;
    this.bytes = record.record.data;
    const { bytes } = this;
    if (bytes.buffer !== this.view.buffer) this.view = new DataView(bytes.buffer);
    if (!this.locate()) return false;
    const covered = bytes.length - this.uncovered;
    this.computedChecksum = crc32cWithZeroedField(bytes, 0, covered, this.at + BLOCK_HEADER.checksum);
    return true;
  }

  /** Bytes that the checksum is not of. */
  get uncovered(): number {
    const whole = (this.flags & DATA_CHECKSUM) !== 0;
    return whole ? 0 : Math.max(0, this.bytes.length - PARTIAL_CHECKSUM_LENGTH);
  }

  private locate(): boolean {
    const { bytes } = this;
    this.oldDelta =
      (this.forced ?? "D0") === "D0" &&
      bytes.length >= combinedHeaderSizes.oldDelta &&
      bytes[DELTA_HEADER.size] === blockMagics.delta &&
      bytes[DELTA_HEADER.size + BLOCK_HEADER.combinedHeaderSize] === combinedHeaderSizes.oldDelta;
    this.at = this.oldDelta ? DELTA_HEADER.size : PAGE_HEADER.size;
    if (!this.oldDelta && bytes.length < combinedHeaderSizes.base) return false;
    this.generation = this.oldDelta ? "D0" : (this.forced ?? likelyBlockHeader(bytes, this.at));
    if (this.generation === "extended" && bytes.length < combinedHeaderSizes.extended) return false;
    const magic = bytes[this.at];
    return magic === blockMagics.base || magic === blockMagics.delta;
  }

  private u32(offset: number): number {
    return this.view.getUint32(this.bytes.byteOffset + offset, true);
  }
  private u8(offset: number): number {
    return this.bytes[offset] as number;
  }

  get magic(): number {
    return this.u8(this.at + BLOCK_HEADER.magic);
  }
  get isDelta(): boolean {
    return this.magic === blockMagics.delta;
  }
  get version(): number {
    return this.u8(this.at + BLOCK_HEADER.version);
  }
  get compatibleVersion(): number {
    return this.u8(this.at + BLOCK_HEADER.compatibleVersion);
  }
  /** Newest version of this generation that can be read. */
  get readerVersion(): number {
    return this.generation === "extended" ? readerVersions.extended : readerVersions.current;
  }
  /** Sound, and written for newer readers only. */
  get tooNew(): boolean {
    return this.compatibleVersion > this.readerVersion && this.checksum === this.computedChecksum;
  }
  get combinedHeaderSize(): number {
    return this.u8(this.at + BLOCK_HEADER.combinedHeaderSize);
  }
  get checksum(): number {
    return this.u32(this.at + BLOCK_HEADER.checksum);
  }
  get previousChecksum(): number {
    return this.u32(this.at + BLOCK_HEADER.previousChecksum);
  }
  get flags(): number {
    return this.u8(this.at + (this.generation === "D0" ? OLD_BLOCK_HEADER.flags : BLOCK_HEADER.flags));
  }
  get compressed(): boolean {
    return (this.flags & blockFlags.compressed) !== 0;
  }
  get encrypted(): boolean {
    return (this.flags & blockFlags.encrypted) !== 0;
  }
  /** The image stands in place of an image and its deltas. */
  get replacement(): boolean {
    return (
      this.generation === "modified" ||
      (this.generation === "extended" && (this.flags & blockFlags.replacement) !== 0)
    );
  }
  /** For a replacement: the checksum the parent's cookie holds; 0 otherwise. */
  get originalChecksum(): number {
    if (!this.replacement) return 0;
    return this.generation === "modified"
      ? this.previousChecksum
      : this.u32(this.at + BLOCK_HEADER.originalChecksum);
  }
  /** Reserved bytes at the end of the header that are not zero. */
  get hasReserved(): boolean {
    const unused = this.generation === "D0" ? OLD_BLOCK_HEADER.unused : BLOCK_HEADER.unused;
    for (let at = this.at + unused; at < this.at + BLOCK_HEADER.size; at++)
      if (this.bytes[at] !== 0) return true;
    return false;
  }

  get memSize(): number {
    return this.u32(this.oldDelta ? DELTA_HEADER.at.memSize : PAGE_HEADER.at.memSize);
  }
  get entries(): number {
    return this.u32(this.oldDelta ? DELTA_HEADER.at.entries : PAGE_HEADER.at.entries);
  }
  get type(): number {
    return this.u8(this.oldDelta ? DELTA_HEADER.at.type : PAGE_HEADER.at.type);
  }
  get pageFlags(): number {
    return this.u8(this.oldDelta ? DELTA_HEADER.at.flags : PAGE_HEADER.at.flags);
  }
  get pageVersion(): number {
    return this.u8(this.oldDelta ? DELTA_HEADER.at.version : PAGE_HEADER.at.version);
  }
  get pageReserved(): number {
    return this.u8(this.oldDelta ? DELTA_HEADER.at.reserved : PAGE_HEADER.at.reserved);
  }
  get writeGen(): bigint {
    const offset = this.oldDelta ? DELTA_HEADER.at.writeGen : PAGE_HEADER.at.writeGen;
    return this.view.getBigUint64(this.bytes.byteOffset + offset, true);
  }

  place(): FindingPlace {
    return this.record.place();
  }
}
