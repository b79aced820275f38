import type { RuleInfo } from "../../rule.js";

export const unreachableRecords: RuleInfo = {
  code: "record-unreachable",
  severity: "info",
  title: "some checkpoint leads to every record",
  doc: "With --all-checkpoints: records no tree of any complete checkpoint leads to, such as images written twice for one checkpoint. They take space and are otherwise harmless.",
};
