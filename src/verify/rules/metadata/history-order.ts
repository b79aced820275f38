import type { RuleInfo } from "../../rule.js";

export const historyOrder: RuleInfo = {
  code: "history-order",
  severity: "error",
  title: "a version ends after it began",
  doc: "Start timestamp in the key, durable start and durable stop in the value of a history record (history and log §1).",
};
