import type { RuleInfo } from "../../rule.js";

/** Numbers of log files. */
export const logSequence: RuleInfo = {
  code: "log-sequence",
  severity: "warning",
  title: "log files are numbered without a gap, and reach the last position the metadata names",
  doc: "Log files are removed from the oldest on, and each goes on where the one before ended. `checkpoint_lsn` of a logged table names how far the log was (history and log §2).",
};
