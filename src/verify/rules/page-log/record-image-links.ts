import type { RecordSubject } from "../../page-log/record.js";
import type { Rule } from "../../rule.js";

/** Where a full image says the page came from. */
export const recordImageLinks: Rule<RecordSubject> = {
  code: "record-image-links",
  severity: "error",
  title: "a full image has no base and names the page's previous full image",
  doc: "base_lsn is 0; backlink_lsn is 0 for the first image, else the previous full image: deltas between are skipped (page-log stores §3). Later stores drop discarded predecessors, so there a backlink to nothing is no error, if it is below the image's own LSN.",
  check(subject, found) {
    const { record, image } = subject;
    if (record.isDelta || record.discarded || record.lacksLinks === true) return;
    if (record.baseLsn !== 0n)
      found({ field: "baseLsn", message: "a full image with a base", expected: 0n, actual: record.baseLsn });
    const expected = image === undefined || image.discarded ? 0n : image.lsn;
    // Turtle and key pages are put without links.
    if (record.backlinkLsn === expected || (record.backlinkLsn === 0n && record.pageId === 1n)) return;
    if (!subject.isPalm) {
      if (record.backlinkLsn >= record.lsn)
        found({
          field: "backlinkLsn",
          message: "the backlink does not lead to an earlier record",
          expected: `below ${record.lsn}`,
          actual: record.backlinkLsn,
        });
      return;
    }
    if (record.backlinkLsn > expected)
      found({
        lsn: record.backlinkLsn,
        field: "backlinkLsn",
        message: `the full image at LSN ${record.backlinkLsn} is missing; the image at LSN ${record.lsn} follows it`,
        expected: record.backlinkLsn,
        actual: image?.lsn,
        consequence: "older checkpoints cannot read the page; this one can",
      });
    else
      found({
        field: "backlinkLsn",
        message: "the backlink is not the previous full image",
        expected,
        actual: record.backlinkLsn,
      });
  },
};
