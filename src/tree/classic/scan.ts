/** Blocks of a classic file found without addresses: by their headers and checksums. */
import { CLASSIC_BLOCK } from "../../../formats/block-header.js";
import {
  type BlockLocation,
  blockOf,
  type ClassicCheckpointCookie,
} from "../../../formats/classic-cookie.js";
import { extentList } from "../../../formats/extent-list.js";
import { PAGE_HEADER, pageTypes } from "../../../formats/page-header.js";
import type { RandomAccess } from "../../store/types.js";
import { PageFault } from "../problem.js";
import { classicHeaders, computeClassicChecksum, readClassicBlock } from "./block.js";

const WINDOW = 4 * 1024 * 1024;
const leafTypes: ReadonlySet<number> = new Set([
  pageTypes.rowLeaf,
  pageTypes.columnVariable,
  pageTypes.columnFixed,
]);

export interface FoundLeaf extends BlockLocation {
  readonly writeGen: bigint;
}

/** Every leaf whose checksum is right, in the order of offsets. */
export function* soundLeaves(file: RandomAccess, unit: number): Generator<FoundLeaf> {
  const buffer = new Uint8Array(Math.max(WINDOW, unit));
  let from = unit;
  let got = file.readInto(buffer, from);
  for (let offset = unit; offset + unit <= file.size; ) {
    if (offset + unit > from + got) {
      from = offset;
      got = file.readInto(buffer, from);
      if (got < unit) return;
    }
    const leaf = leafAt(file, buffer.subarray(offset - from, got), offset, unit);
    if (leaf !== undefined) yield leaf;
    offset += leaf?.size ?? unit;
  }
}

function leafAt(file: RandomAccess, window: Uint8Array, offset: number, unit: number): FoundLeaf | undefined {
  const headers = classicHeaders(window);
  const { diskSize: size, layout, checksum } = headers;
  if (!leafTypes.has(layout.type) || size < CLASSIC_BLOCK.payload || size % unit !== 0) return undefined;
  if (offset + size > file.size) return undefined;
  const block = size <= window.length ? window.subarray(0, size) : new Uint8Array(size);
  if (size > window.length) file.readInto(block, offset);
  if (computeClassicChecksum(block, headers) !== checksum) return undefined;
  const view = new DataView(block.buffer, block.byteOffset);
  return { offset, size, checksum, writeGen: view.getBigUint64(PAGE_HEADER.at.writeGen, true) };
}

/** Whether a block lies in the free space of a checkpoint; no space is free where its list cannot be read. */
export function freeSpace(
  file: RandomAccess,
  path: string,
  unit: number,
  { avail }: Pick<ClassicCheckpointCookie, "avail">,
): (offset: number) => boolean {
  const location = blockOf(avail, unit);
  if (location === undefined) return () => false;
  try {
    const { bytes } = readClassicBlock(file, path, unit, location);
    const list = extentList.read(bytes.subarray(CLASSIC_BLOCK.payload), { params: { allocationSize: unit } });
    const extents = list.ok ? list.value.extents : [];
    return (offset) =>
      extents.some(
        (extent) => offset >= Number(extent.offset) && offset < Number(extent.offset + extent.size),
      );
  } catch (error) {
    if (!(error instanceof PageFault)) throw error;
    return () => false;
  }
}
