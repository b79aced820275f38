import { pageLogFlags } from "../../../../formats/page-log.js";
import type { PageRecord } from "../../../store/types.js";
import { isKeyPage, isPlainPage } from "../../page-log/plain-pages.js";
import type { RecordSubject } from "../../page-log/record.js";
import type { Rule } from "../../rule.js";

const TRANSFORMED = pageLogFlags.compressed | pageLogFlags.encrypted;

const isTurtle = (record: PageRecord): boolean =>
  isPlainPage(record.tableId, record.pageId) && !isKeyPage(record);

/** Key and flags of one record. */
export const recordAttributes: Rule<RecordSubject> = {
  code: "record-attributes",
  severity: "error",
  title: "a record's key, flags and delta mark agree",
  doc: "Page id 0 is invalid; is_delta is set exactly when flags has DELTA; a discard marker has no bytes; the turtle page is never compressed or encrypted (page-log stores §2, §3).",
  check({ record }, found) {
    for (const issue of record.issues) {
      const { message, severity, expected, actual } = issue;
      found({ message, severity, field: issue.path, expected, actual });
    }
    if (record.pageId === 0n) found({ message: "page id 0 is never used", field: "pageId", actual: 0n });
    const flagged = (record.flags & pageLogFlags.delta) !== 0;
    if (flagged !== record.isDelta)
      found({
        message: "the delta mark and the flags disagree",
        field: "flags",
        expected: record.isDelta,
        actual: flagged,
      });
    if ((record.flags & TRANSFORMED) !== 0 && isTurtle(record))
      found({
        message: "a turtle page is never compressed or encrypted",
        field: "flags",
        expected: 0,
        actual: record.flags,
      });
    if (record.discarded && record.data.length > 0)
      found({
        message: "a discard marker carries bytes",
        field: "data",
        expected: 0,
        actual: record.data.length,
      });
  },
};
