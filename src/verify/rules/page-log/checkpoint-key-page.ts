import type { CheckpointSubject } from "../../page-log/checkpoint.js";
import type { Rule } from "../../rule.js";

/** The key page a turtle page names. */
export const checkpointKeyPage: Rule<CheckpointSubject> = {
  code: "checkpoint-key-page",
  severity: "error",
  title: "the key page a turtle page names is there",
  doc: "key_provider=(page.1=(page_id=1,lsn=N)) is the LSN of the current key page (crypt header and key provider).",
  check({ turtle, turtleValue, keyPage }, found) {
    if (turtle === undefined || turtleValue === undefined || turtleValue.generation === "L0") return;
    const lsn = turtleValue.keyProvider?.lsn;
    if (lsn === undefined || keyPage !== undefined) return;
    found({
      lsn,
      field: "keyProvider.lsn",
      message: `there is no key page at LSN ${lsn}`,
      expected: lsn,
      consequence: "the key cannot be loaded: encrypted data of this checkpoint is out of reach",
    });
  },
};
