import { MAX_DELTA_CHAIN } from "../../../../formats/page-log.js";
import type { RecordSubject } from "../../page-log/record.js";
import type { Rule } from "../../rule.js";

/** How many deltas a reader takes. */
export const recordChainLength: Rule<RecordSubject> = {
  code: "record-chain-length",
  severity: "error",
  title: "a chain has at most 32 deltas",
  doc: "Readers refuse longer chains (page and block headers §3.2).",
  check({ record, deltas }, found) {
    if (!record.isDelta || record.discarded || deltas !== MAX_DELTA_CHAIN) return;
    found({
      message: `the chain has more than ${MAX_DELTA_CHAIN} deltas`,
      expected: MAX_DELTA_CHAIN,
      actual: deltas + 1,
      consequence: "the engine refuses to read the page from this LSN on",
    });
  },
};
