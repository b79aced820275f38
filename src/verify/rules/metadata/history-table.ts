import type { RuleInfo } from "../../rule.js";

export const historyTable: RuleInfo = {
  code: "history-table",
  severity: "info",
  title: "older versions belong to tables of the metadata",
  doc: "The first part of a history-store key is a btree id (history and log §1). Versions of a dropped table stay until they are obsolete.",
};
