import type { RuleInfo } from "../../rule.js";

/** Bytes that are no block at all. */
export const blockUnreadable: RuleInfo = {
  code: "block-unreadable",
  severity: "error",
  title: "every record of a table is a block",
  doc: "A page header and a block header with the magic of an image or a delta (page and block headers §3).",
};
