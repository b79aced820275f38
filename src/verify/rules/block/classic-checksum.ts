import type { ClassicBlock } from "../../classic/block.js";
import { hex32 } from "../../hex.js";
import type { Rule } from "../../rule.js";

/** The bytes of a block are those that were written, and they are those its address means. */
export const classicChecksum: Rule<ClassicBlock> = {
  code: "block-checksum",
  severity: "error",
  title: "a classic block's checksum is that of its bytes and that in its address",
  doc: "Classic files: CRC32C over the block, its own field as zero; over the first 64 bytes only where the flag is clear. The address holds the same checksum (classic file format §2).",
  check(block, found) {
    const { checksum, addressChecksum, role } = block;
    const computed = block.computeChecksum();
    if (computed === checksum && checksum === addressChecksum) return;
    const consequence = block.lost;
    if (computed === checksum)
      found({
        message: `the ${role} block is sound, but not the one its address means: another block was written here, or the address is damaged`,
        field: "checksum",
        expected: hex32(addressChecksum),
        actual: hex32(checksum),
        consequence,
      });
    else if (computed === addressChecksum)
      found({
        message: `the checksum field of the ${role} block is damaged: bytes and address agree`,
        field: "checksum",
        expected: hex32(computed),
        actual: hex32(checksum),
        consequence,
        hint: "the rest of the block is intact",
      });
    else
      found({
        message: `the bytes of the ${role} block do not fit its checksum`,
        expected: hex32(addressChecksum),
        actual: hex32(computed),
        consequence,
      });
  },
};
