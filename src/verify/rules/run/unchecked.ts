import type { RuleInfo } from "../../rule.js";

/** Something that should have been checked could not be. */
export const unchecked: RuleInfo = {
  code: "unchecked",
  severity: "warning",
  title: "everything in the input can be checked",
  doc: "The verdict is not complete: the message says what was not checked, and why.",
};
