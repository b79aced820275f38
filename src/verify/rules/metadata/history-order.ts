import type { RuleInfo } from "../../rule.js";

export const historyOrder: RuleInfo = {
  code: "history-order",
  severity: "error",
  title: "a version ends after it began, and before the next one of its row begins",
  doc: "Start timestamp in the key, durable start and durable stop in the value of a history record (history and log §1). Of two versions of a row on one page, or on neighbouring pages of a classic file, the earlier one ends no later than the next one begins (otherwise a warning); one without a stop was followed by a prepared update.",
};
