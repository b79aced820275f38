import { readBlockHeaders } from "../../../page/block-headers.js";
import { hex32 } from "../../hex.js";
import type { DisaggBlock } from "../../page-log/block.js";
import type { Rule } from "../../rule.js";

/** The chain by checksums. */
export const previousChecksum: Rule<DisaggBlock> = {
  code: "block-previous-checksum",
  severity: "error",
  title: "a block names the checksum of the page's record before it",
  doc: "A delta always, a full image unless it is the page's first one (0). Readers compare it along the chain (page and block headers §3, §3.2); on images no reader does, so there it is a warning. Behind a replacement it is the original checksum, under which readers know it (§3.4); where the header has both checksums (extended) it may be its own.",
  check(block, found) {
    const { previous } = block.record;
    if (block.replacement || previous?.checksum === undefined) return;
    const actual = block.previousChecksum;
    const expected = previous.addressChecksum ?? previous.checksum;
    if (actual === expected || (!block.isDelta && (actual === 0 || actual === previous.checksum))) return;
    if (actual === previous.checksum && hasBothChecksums(block, previous.lsn)) return;
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

/** Asked for deltas behind a replacement only: of the record before. */
function hasBothChecksums({ record: { record, store } }: DisaggBlock, lsn: bigint): boolean {
  const before = store.record(record.tableId, record.pageId, lsn);
  return before !== undefined && readBlockHeaders(before.data).generation === "extended";
}
