import type { RuleInfo } from "../../rule.js";

/** One of several inputs that is nothing known. */
export const inputUnknown: RuleInfo = {
  code: "input-unknown",
  severity: "warning",
  title: "every input is of a kind this reader knows",
  doc: "Said where several inputs are given. The others are verified, the report is not complete, and without errors the exit code is 3.",
};
