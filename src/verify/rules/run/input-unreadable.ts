import type { RuleInfo } from "../../rule.js";

/** An input, or a file of one, that the system does not give us. */
export const inputUnreadable: RuleInfo = {
  code: "input-unreadable",
  severity: "warning",
  title: "every input and every file of it can be read",
  doc: "Missing, empty, no regular file, or refused by the system. The others are verified, the report is not complete, and without errors the exit code is 2.",
};
