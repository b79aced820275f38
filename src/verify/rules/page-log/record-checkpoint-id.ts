import type { RecordSubject } from "../../page-log/record.js";
import type { Rule } from "../../rule.js";

/** Checkpoint ids of stores that keep them. */
export const recordCheckpointId: Rule<RecordSubject> = {
  code: "record-checkpoint-id",
  severity: "error",
  title: "checkpoint ids follow the LSNs of a page and its links",
  doc: "checkpoint_id is the checkpoint being built when the record was written; the link ids are those of the linked records (page-log stores §3).",
  check({ record, previous, image }, found) {
    const { checkpointId, backlinkCheckpointId, baseCheckpointId } = record;
    if (checkpointId === undefined) return;
    if (previous?.checkpointId !== undefined && checkpointId < previous.checkpointId)
      found({
        field: "checkpointId",
        message: "the checkpoint id is below that of the page's record before",
        expected: `at least ${previous.checkpointId}`,
        actual: checkpointId,
      });
    const linked = record.isDelta ? previous : image;
    const backlink = record.backlinkLsn === 0n ? 0n : linked?.checkpointId;
    if (linked?.lsn === record.backlinkLsn && backlinkCheckpointId !== backlink)
      found({
        field: "backlinkCheckpointId",
        message: "not the linked record's checkpoint id",
        expected: backlink,
        actual: backlinkCheckpointId,
      });
    const base = record.isDelta ? image?.checkpointId : 0n;
    if ((!record.isDelta || image?.lsn === record.baseLsn) && baseCheckpointId !== base)
      found({
        field: "baseCheckpointId",
        message: "not the base's checkpoint id",
        expected: base,
        actual: baseCheckpointId,
      });
  },
};
