import type { RuleInfo } from "../../rule.js";

export const orphanRecords: RuleInfo = {
  code: "record-orphans",
  severity: "info",
  title: "every record belongs to a completed checkpoint",
  doc: "Records above the newest checkpoint were written for one that never completed; nothing refers to them (page-log stores §3).",
};
