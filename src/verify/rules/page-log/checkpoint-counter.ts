import type { RuleInfo } from "../../rule.js";

export const checkpointCounter: RuleInfo = {
  code: "checkpoint-counter",
  severity: "error",
  title: "the store's last completed checkpoint is the newest there is",
  doc: "PALM keeps the id of the last completed checkpoint, 0 before the first (page-log stores §3).",
};
