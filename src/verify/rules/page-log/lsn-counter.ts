import type { RuleInfo } from "../../rule.js";

export const lsnCounter: RuleInfo = {
  code: "lsn-counter",
  severity: "error",
  title: "no LSN is above the store's counter",
  doc: "The store keeps the next LSN (PALM) or the last one (PALite) it gives (page-log stores §2, §3).",
};
