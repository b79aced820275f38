import type { RuleInfo } from "../../rule.js";

export const lsnGap: RuleInfo = {
  code: "lsn-gap",
  severity: "error",
  title: "no LSN is missing",
  doc: "PALM gives LSNs from 1 without gaps to records and checkpoints (page-log stores §3): a gap is something that was there and is gone.",
};
