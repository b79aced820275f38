import type { RuleInfo } from "../../rule.js";

/** Records of a log file. */
export const logRecords: RuleInfo = {
  code: "log-record",
  severity: "error",
  title: "every record of the write-ahead log is sound",
  doc: "Length, checksum, flags, record type and operations, with nothing left over (history and log §2).",
};
