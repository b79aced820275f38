import type { RuleInfo } from "../../rule.js";

/** Deltas in a log without the image they belong to. */
export const dumpChainBase: RuleInfo = {
  code: "dump-chain-base",
  severity: "error",
  title: "the deltas dumped into a server log end in a full image",
  doc: "Without the image at its lower end a chain cannot be read (page-log stores §5). Where the log ends with the delta it may have been cut off: that is a warning, and the report is not complete.",
};
