import type { DisaggBlock } from "../../page-log/block.js";
import type { Rule, RuleInfo } from "../../rule.js";

/** Something sound that a newer engine wrote. */
export const unsupportedVersion: RuleInfo = {
  code: "unsupported-version",
  severity: "warning",
  title: "everything is of a generation this reader knows",
  doc: "A compatible version above the reader's is no damage, but what it is of cannot be judged: the rest is verified, the report is not complete, and without errors the exit code is 3.",
};

/** A block of a page log that needs a newer reader; with another checksum than its bytes have it would be damage. */
export const unsupportedBlock: Rule<DisaggBlock> = {
  ...unsupportedVersion,
  check(block, found) {
    if (!block.tooNew) return;
    found({
      field: "compatibleVersion",
      message: "the block needs a newer reader",
      expected: `at most ${block.readerVersion}`,
      actual: block.compatibleVersion,
      consequence: "its cells are not checked",
    });
  },
};
