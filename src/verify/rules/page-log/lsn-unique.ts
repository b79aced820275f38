import type { RuleInfo } from "../../rule.js";

export const lsnUnique: RuleInfo = {
  code: "lsn-unique",
  severity: "error",
  title: "every LSN is given once",
  doc: "Records and checkpoints of all tables share one LSN counter (page-log stores §3).",
};
