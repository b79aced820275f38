import type { RecordSubject } from "../../page-log/record.js";
import type { Rule } from "../../rule.js";

/** Where a delta says its chain goes. */
export const recordDeltaLinks: Rule<RecordSubject> = {
  code: "record-delta-links",
  severity: "error",
  title: "a delta names the record before it and the image it is based on",
  doc: "backlink_lsn is the page's record right before the delta, base_lsn its newest full image (page-log stores §3). A link to a record that is not there means that record is missing.",
  check({ record, previous, image }, found) {
    if (!record.isDelta || record.discarded) return;
    const lost = "the page cannot be rebuilt at or above this LSN";
    if (image === undefined || record.baseLsn > image.lsn)
      found({
        lsn: record.baseLsn,
        field: "baseLsn",
        message: `the full image at LSN ${record.baseLsn} is missing; the delta at LSN ${record.lsn} is based on it`,
        expected: record.baseLsn,
        actual: image?.lsn,
        consequence: lost,
      });
    else if (record.baseLsn !== image.lsn)
      found({
        field: "baseLsn",
        message: "the base is not the newest full image",
        expected: image.lsn,
        actual: record.baseLsn,
      });
    if (previous === undefined || record.backlinkLsn > previous.lsn)
      found({
        lsn: record.backlinkLsn,
        field: "backlinkLsn",
        message: `the record at LSN ${record.backlinkLsn} is missing; the delta at LSN ${record.lsn} follows it`,
        expected: record.backlinkLsn,
        actual: previous?.lsn,
        consequence: lost,
      });
    else if (record.backlinkLsn !== previous.lsn)
      found({
        field: "backlinkLsn",
        message: "the backlink skips a record",
        expected: previous.lsn,
        actual: record.backlinkLsn,
      });
  },
};
