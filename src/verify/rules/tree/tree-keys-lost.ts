import type { RuleInfo } from "../../rule.js";

/** The consequence of damage, for the rows of a table. */
export const treeKeysLost: RuleInfo = {
  code: "tree-keys-lost",
  severity: "error",
  title: "every page of a tree can be read",
  doc: "A page is read as its newest full image and all deltas up to the LSN its parent names; one damaged or missing record of these and its keys are out of reach (page-log stores §1). What is wrong with the record is said by another finding.",
};
