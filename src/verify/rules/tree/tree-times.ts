import type { RuleInfo } from "../../rule.js";

/** Time aggregates of parents. */
export const treeTimes: RuleInfo = {
  code: "tree-times",
  severity: "warning",
  title: "the timestamps in an address cell cover those of the values below it",
  doc: "Oldest start, newest durable start, newest stop and newest durable stop (cells and deltas §3), of leaves and of internal pages. Left out is what the engine itself writes otherwise: of leaves with deltas the durable timestamps (an address tells of the page without what was obsolete, the records below a delta still hold it), and of page logs transaction ids and the prepared state. In classic files the prepared state is compared, too, and transaction ids where parent and child were both written by the newest run of the engine: later runs clear the ids of earlier ones in parents they write. Of fixed-length column leaves only the records with windows count.",
};
