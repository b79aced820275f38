import type { RuleInfo } from "../../rule.js";

export const orphanRecords: RuleInfo = {
  code: "record-orphans",
  severity: "info",
  title: "every record belongs to a completed checkpoint",
  doc: "Records above the newest checkpoint were written for one that never completed; nothing refers to them (page-log stores §3). A warning when they end with a turtle page and the counter says that the LSN behind it was given, as a checkpoint record takes it: the record may be lost.",
};
