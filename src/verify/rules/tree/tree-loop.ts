import type { RuleInfo } from "../../rule.js";

/** A tree is a tree. */
export const treeLoop: RuleInfo = {
  code: "tree-loop",
  severity: "error",
  title: "every block of a tree is reached once",
  doc: "A block that is reached twice belongs to two parents, or the tree bites its own tail.",
};
