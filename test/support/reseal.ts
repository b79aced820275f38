/** Blocks changed behind their checksum's back: it stays what it was, so nothing above them has to be changed. */
import { CLASSIC_BLOCK, DATA_CHECKSUM, PARTIAL_CHECKSUM_LENGTH } from "../../formats/block-header.js";
import { PAGE_HEADER } from "../../formats/page-header.js";
import { crc32cWithZeroedField } from "../../src/codec/index.js";

/** The low half of the write generation: nothing depends on it, so it takes up what the checksum needs. */
const FREE = PAGE_HEADER.at.writeGen;

function checksumOf(block: Uint8Array): number {
  const whole = (block[CLASSIC_BLOCK.flags] as number) & DATA_CHECKSUM;
  const end = whole ? block.length : Math.min(block.length, PARTIAL_CHECKSUM_LENGTH);
  return crc32cWithZeroedField(block, 0, end, CLASSIC_BLOCK.checksum) >>> 0;
}

/** Lets `edit` change the block at an offset of a file; the block's checksum then fits again, and is the old one. */
export function resealed(file: Uint8Array, offset: number, edit: (block: Uint8Array) => void): void {
  const view = new DataView(file.buffer, file.byteOffset);
  const size = view.getUint32(offset + CLASSIC_BLOCK.diskSize, true);
  const block = file.subarray(offset, offset + size);
  const wanted = view.getUint32(offset + CLASSIC_BLOCK.checksum, true);
  edit(block);
  const field = new DataView(block.buffer, block.byteOffset + FREE);
  field.setUint32(0, 0, true);
  const base = checksumOf(block);
  const columns = Array.from({ length: 32 }, (_, bit) => {
    field.setUint32(0, (1 << bit) >>> 0, true);
    return (checksumOf(block) ^ base) >>> 0;
  });
  field.setUint32(0, solve(columns, (wanted ^ base) >>> 0), true);
  if (checksumOf(block) !== wanted) throw new Error("the checksum cannot be kept");
}

/** The bits whose columns add up (without carry) to `target`. */
function solve(columns: readonly number[], target: number): number {
  const basis = new Array<{ column: number; bits: number } | undefined>(32).fill(undefined);
  for (const [bit, value] of columns.entries()) {
    let [column, bits] = [value, (1 << bit) >>> 0];
    for (let at = 31; at >= 0 && column !== 0; at--) {
      if (((column >>> at) & 1) === 0) continue;
      const known = basis[at];
      if (known === undefined) {
        basis[at] = { column, bits };
        break;
      }
      column = (column ^ known.column) >>> 0;
      bits = (bits ^ known.bits) >>> 0;
    }
  }
  let [rest, bits] = [target, 0];
  for (let at = 31; at >= 0; at--) {
    const known = basis[at];
    if (((rest >>> at) & 1) === 0 || known === undefined) continue;
    rest = (rest ^ known.column) >>> 0;
    bits = (bits ^ known.bits) >>> 0;
  }
  return bits;
}
