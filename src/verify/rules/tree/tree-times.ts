import type { RuleInfo } from "../../rule.js";

/** Time aggregates of parents. */
export const treeTimes: RuleInfo = {
  code: "tree-times",
  severity: "warning",
  title: "the timestamps in an address cell cover those of the values below it",
  doc: "Oldest start, newest durable start, newest stop and newest durable stop (cells and deltas §3). Transaction ids are not compared: restarts clear them. Neither are pages with deltas: engines of mid-2025 do not carry a delta's times up into its parent.",
};
