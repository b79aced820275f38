import type { RecordSubject } from "../../page-log/record.js";
import type { Rule } from "../../rule.js";

/** Where a delta says its chain goes. */
export const recordDeltaLinks: Rule<RecordSubject> = {
  code: "record-delta-links",
  severity: "error",
  title: "a delta names the record before it and the image it is based on",
  doc: "backlink_lsn is the page's record right before the delta, base_lsn its newest full image (page-log stores §3). A link to a record that is not there means that record is missing.",
  check({ record, previous, image }, found) {
    if (!record.isDelta || record.discarded || record.lacksLinks === true) return;
    // Links to records that are not there: `MissingRecords`.
    if (image !== undefined && record.baseLsn < image.lsn)
      found({
        field: "baseLsn",
        message: "the base is not the newest full image",
        expected: image.lsn,
        actual: record.baseLsn,
      });
    if (previous !== undefined && record.backlinkLsn < previous.lsn)
      found({
        field: "backlinkLsn",
        message: "the backlink skips a record",
        expected: previous.lsn,
        actual: record.backlinkLsn,
      });
  },
};
