import type { RuleInfo } from "../../rule.js";

/** Payload of address cells in classic files. */
export const treeAddress: RuleInfo = {
  code: "tree-address",
  severity: "error",
  title: "every address cell holds an address",
  doc: "Three packed integers: offset and size in allocation units, checksum (address and checkpoint cookies §3).",
};
