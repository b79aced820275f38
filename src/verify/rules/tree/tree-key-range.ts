import type { RuleInfo } from "../../rule.js";

/** Keys of page logs against the separators above them. */
export const treeKeyRange: RuleInfo = {
  code: "tree-key-range",
  severity: "error",
  title: "the keys of a page lie in the range its parent gives it",
  doc: "A separator is at or below every key of its child and above all keys before it; an internal page's first key does not count (cells and deltas §4).",
};
