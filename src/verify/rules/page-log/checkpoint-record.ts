import type { RuleInfo } from "../../rule.js";

/** The text that completes a checkpoint. */
export const checkpointRecordFormat: RuleInfo = {
  code: "checkpoint-record",
  severity: "error",
  title: "checkpoint records can be read",
  doc: "Configuration text with the LSN of the turtle page and, in newer stores, its checksum (turtle and disagg metadata §2).",
};
