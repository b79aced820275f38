import type { RecordSubject } from "../../page-log/record.js";
import type { Rule } from "../../rule.js";

/** What a discard marker says was freed. */
export const recordDiscardLinks: Rule<RecordSubject> = {
  code: "record-discard-links",
  severity: "error",
  title: "a discard marker names a record of its page",
  doc: "backlink_lsn and base_lsn of a tombstone are those of the page's last record and image (page-log stores §4). Stores may have dropped every record before it; then there is nothing to compare.",
  check({ record, previous, image }, found) {
    if (!record.discarded) return;
    const known = (lsn: bigint): boolean =>
      lsn === 0n || (previous === undefined ? lsn < record.lsn : lsn === previous.lsn || lsn === image?.lsn);
    for (const field of ["backlinkLsn", "baseLsn"] as const) {
      const lsn = record[field];
      if (known(lsn)) continue;
      found({
        field,
        message: `the page was freed at LSN ${record.lsn} on top of a record at LSN ${lsn} that is not there`,
        expected: previous?.lsn ?? `below ${record.lsn}`,
        actual: lsn,
        consequence: "nothing, if the page is not needed any more: older checkpoints may lack a record",
      });
    }
  },
};
