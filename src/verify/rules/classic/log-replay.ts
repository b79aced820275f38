import type { RuleInfo } from "../../rule.js";

/** What an engine does with the log when it opens the home. */
export const logReplay: RuleInfo = {
  code: "log-replay",
  severity: "info",
  title: "the log holds no committed records behind the last checkpoint",
  doc: "From the LSN in the last checkpoint record on, a home that was closed has only file sync and checkpoint records; commit records there are replayed when it is opened (repair writes §4).",
};
