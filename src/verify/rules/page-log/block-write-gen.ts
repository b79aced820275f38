import type { DisaggBlock } from "../../page-log/block.js";
import type { Rule } from "../../rule.js";

/** Older bytes at a newer LSN. */
export const blockWriteGen: Rule<DisaggBlock> = {
  code: "block-write-gen",
  severity: "warning",
  title: "a page's write generation rises from record to record",
  doc: "write_gen grows per tree (page and block headers §1); one that does not rise is that of an older or foreign image. Readers do not look.",
  check(block, found) {
    const before = block.record.previous?.writeGen;
    if (before === undefined || block.replacement || block.writeGen > before) return;
    found({
      field: "writeGen",
      message: `the write generation is not above that of the record at LSN ${block.record.previous?.lsn}`,
      expected: `above ${before}`,
      actual: block.writeGen,
    });
  },
};
