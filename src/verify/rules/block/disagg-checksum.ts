import { hex32 } from "../../hex.js";
import type { DisaggBlock } from "../../page-log/block.js";
import type { Rule } from "../../rule.js";

/** The bytes of a record are those that were written. */
export const disaggChecksum: Rule<DisaggBlock> = {
  code: "block-checksum",
  severity: "error",
  title: "the checksum of a page log's block is that of its bytes",
  doc: "Page logs: CRC32C over the block, its own field as zero; over at most 64 bytes where the flag is clear (page and block headers §3.3).",
  check(block, found) {
    const { checksum, computedChecksum } = block;
    if (checksum === computedChecksum) return;
    found({
      message: `the bytes of the ${block.isDelta ? "delta" : "full image"} do not fit its checksum`,
      expected: hex32(checksum),
      actual: hex32(computedChecksum),
      consequence: "the page cannot be read at this LSN, nor above it until its next full image",
    });
  },
};
