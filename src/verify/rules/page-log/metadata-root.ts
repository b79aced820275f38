import type { RuleInfo } from "../../rule.js";

export const metadataRoot: RuleInfo = {
  code: "metadata-root",
  severity: "error",
  title: "the root of the shared metadata is in the log",
  doc: "The turtle page's addr names page and LSN of the root (turtle and disagg metadata §1).",
};
