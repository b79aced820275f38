/** Blocks of a classic file, read by address. Header fields are read where they lie. */
import { CLASSIC_BLOCK, DATA_CHECKSUM, PARTIAL_CHECKSUM_LENGTH } from "../../../formats/block-header.js";
import type { BlockLocation } from "../../../formats/classic-cookie.js";
import { PAGE_HEADER, pageFlags, pageTypes } from "../../../formats/page-header.js";
import { crc32cWithZeroedField } from "../../codec/crc32c.js";
import type { BlockShape } from "../../page/transform/index.js";
import { type PageLayout, pageForms } from "../../page/walk-types.js";
import type { RandomAccess } from "../../store/types.js";
import { PageFault } from "../problem.js";

const MAX_BLOCK = 512 * 1024 * 1024;
const { payload } = CLASSIC_BLOCK;

/** What the headers of a block say. */
export interface ClassicHeaders {
  readonly diskSize: number;
  readonly checksum: number;
  readonly wholeChecksum: boolean;
  readonly layout: PageLayout;
  readonly shape: BlockShape;
}

/** The headers of a block of at least 40 bytes. */
export function classicHeaders(block: Uint8Array): ClassicHeaders {
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  const { at } = PAGE_HEADER;
  const [type, flags] = [block[at.type] as number, block[at.flags] as number];
  const memSize = view.getUint32(at.memSize, true);
  const ofColumns =
    type === pageTypes.columnInternal || type === pageTypes.columnVariable || type === pageTypes.columnFixed;
  return {
    diskSize: view.getUint32(CLASSIC_BLOCK.diskSize, true),
    checksum: view.getUint32(CLASSIC_BLOCK.checksum, true),
    wholeChecksum: ((block[CLASSIC_BLOCK.flags] as number) & DATA_CHECKSUM) !== 0,
    layout: {
      type,
      flags,
      entries: view.getUint32(at.entries, true),
      memSize,
      payload,
      recno: ofColumns ? view.getBigUint64(at.recno, true) : 0n,
      form: pageForms.image,
    },
    shape: {
      combinedHeaderSize: payload,
      memSize,
      compressed: (flags & pageFlags.compressed) !== 0,
      encrypted: (flags & pageFlags.encrypted) !== 0,
    },
  };
}

export function computeClassicChecksum(block: Uint8Array, { wholeChecksum }: ClassicHeaders): number {
  const covered = wholeChecksum ? block.length : Math.min(block.length, PARTIAL_CHECKSUM_LENGTH);
  return crc32cWithZeroedField(block, 0, covered, CLASSIC_BLOCK.checksum);
}

export interface FoundBlock {
  readonly bytes: Uint8Array;
  readonly headers: ClassicHeaders;
}

/**
 * The block at an address, whole and as its address says.
 * @throws PageFault `address`, `page-damaged`
 */
export function readClassicBlock(
  file: RandomAccess,
  path: string,
  unit: number,
  { offset, size, checksum }: BlockLocation,
): FoundBlock {
  const place = { path, offset };
  const inFile =
    offset % unit === 0 && offset >= unit && size > 0 && size <= MAX_BLOCK && offset + size <= file.size;
  if (!inFile || size < payload)
    throw new PageFault("address", `no block can be at ${offset} with ${size} bytes`, { path });
  const bytes = new Uint8Array(size);
  const got = file.readInto(bytes, offset);
  if (got < size) throw new PageFault("page-missing", `the file ends ${size - got} bytes early`, place);
  const headers = classicHeaders(bytes);
  if (computeClassicChecksum(bytes, headers) !== headers.checksum)
    throw new PageFault("page-damaged", "the checksum does not fit the bytes", place);
  if (headers.checksum !== checksum)
    throw new PageFault(
      "page-damaged",
      "the block is not the one its address means: another checksum",
      place,
    );
  if (headers.diskSize !== size)
    throw new PageFault(
      "page-damaged",
      `the block says it has ${headers.diskSize} bytes, its address ${size}`,
      place,
    );
  return { bytes, headers };
}
