import type { RuleInfo } from "../../rule.js";

export const checkpointSize: RuleInfo = {
  code: "checkpoint-size",
  severity: "info",
  title: "a checkpoint's database_size is the sum of its live pages",
  doc: "Bytes of all live pages, optional, since February 2026 (turtle and disagg metadata §2). A replacement counts for the image and deltas it replaced, as its address says: later checkpoints subtract that. No real store with it has been seen yet, hence information only.",
};
