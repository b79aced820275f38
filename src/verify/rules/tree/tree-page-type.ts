import type { RuleInfo } from "../../rule.js";

/** Kind of a child. */
export const treePageType: RuleInfo = {
  code: "tree-page-type",
  severity: "error",
  title: "a child is the kind of page its parent's cell says",
  doc: "ADDR_INT leads to an internal page, ADDR_LEAF and ADDR_LEAF_NO to a leaf (cells and deltas §2).",
};
