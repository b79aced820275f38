import type { RuleInfo } from "../../rule.js";

export const turtleFileMissing: RuleInfo = {
  code: "turtle-file-missing",
  severity: "error",
  title: "a home has a turtle file",
  doc: "WiredTiger.turtle leads to the metadata. Without it engines rename WiredTiger.wt and start empty (repair writes §2).",
};
