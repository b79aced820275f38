import type { RuleInfo } from "../../rule.js";

/** Too many of one kind. */
export const findingsSuppressed: RuleInfo = {
  code: "findings-suppressed",
  severity: "info",
  title: "every finding is listed",
  doc: "More findings of one code than the limit; the rest are counted only.",
};
