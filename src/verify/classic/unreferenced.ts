/** What lies in space no checkpoint refers to: old blocks that are still sound. For information only. */
import { CLASSIC_BLOCK } from "../../../formats/block-header.js";
import { MAX_PAGE_TYPE } from "../../../formats/page-header.js";
import type { RandomAccess } from "../../store/types.js";
import { ClassicBlock } from "./block.js";
import type { UnitSet } from "./unit-set.js";

/** Bytes read at a time; a larger block that begins in them is looked at for itself. */
const WINDOW = 1024 * 1024;

export interface Unreferenced {
  blocks: number;
  bytes: number;
  /** Offset of the first one. */
  first: number | undefined;
}

/** Sound blocks in the units that are not `known`. */
export function findUnreferenced(file: RandomAccess, unit: number, known: UnitSet): Unreferenced {
  const found: Unreferenced = { blocks: 0, bytes: 0, first: undefined };
  const block = new ClassicBlock(file.path, undefined, unit);
  const buffer = new Uint8Array(Math.max(WINDOW, unit));
  const units = Math.floor(file.size / unit);
  for (let at = known.nextMissing(1, units); at < units; at = known.nextMissing(at, units)) {
    const end = known.next(at, Math.min(units, at + buffer.length / unit));
    const got = file.readInto(buffer.subarray(0, (end - at) * unit), at * unit);
    at = scan(buffer.subarray(0, got), at, end, unit, block, found);
  }
  return found;
}

/** Looks at the units `from..end`, which `bytes` are of; returns where to go on. */
function scan(
  bytes: Uint8Array,
  from: number,
  end: number,
  unit: number,
  block: ClassicBlock,
  found: Unreferenced,
): number {
  let at = from;
  while (at < end) {
    const start = (at - from) * unit;
    const size = soundBlock(bytes.subarray(start), unit, block);
    if (size > 0) {
      found.blocks++;
      found.bytes += size;
      found.first ??= at * unit;
    }
    at += Math.max(1, size / unit);
  }
  return at;
}

/** Bytes of the sound block at the beginning of `bytes`, 0 without one. */
function soundBlock(bytes: Uint8Array, unit: number, block: ClassicBlock): number {
  if (bytes.length < CLASSIC_BLOCK.payload) return 0;
  block.set(bytes, 0, bytes.length, 0, "leaf");
  const { diskSize: size, type, checksum } = block;
  if (type === 0 || type > MAX_PAGE_TYPE || size === 0 || size % unit !== 0 || size > bytes.length) return 0;
  return block.set(bytes.subarray(0, size), 0, size, checksum, "leaf").isSound() ? size : 0;
}
