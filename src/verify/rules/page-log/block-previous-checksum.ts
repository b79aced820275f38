import { hex32 } from "../../hex.js";
import type { DisaggBlock } from "../../page-log/block.js";
import type { Rule } from "../../rule.js";

/** The chain by checksums. */
export const previousChecksum: Rule<DisaggBlock> = {
  code: "block-previous-checksum",
  severity: "error",
  title: "a block names the checksum of the page's record before it",
  doc: "A delta always, a full image unless it is the page's first one (0). Readers compare it along the chain (page and block headers §3, §3.2); on images no reader does, so there it is a warning.",
  check(block, found) {
    const { previous } = block.record;
    if (block.replacement || previous?.checksum === undefined) return;
    const actual = block.previousChecksum;
    const { checksum: expected } = previous;
    // What follows a replacement may name the checksum of what it replaced.
    if (actual === expected || actual === previous.addressChecksum || (!block.isDelta && actual === 0))
      return;
    found({
      severity: block.isDelta ? "error" : "warning",
      field: "previousChecksum",
      message: `the block follows one with another checksum than the record at LSN ${previous.lsn} has`,
      expected: hex32(expected),
      actual: hex32(actual),
      ...(block.isDelta
        ? { consequence: "a record of the chain is missing or was replaced: the page cannot be read" }
        : {}),
    });
  },
};
