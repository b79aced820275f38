import { checkpointRecord } from "../../../../formats/checkpoint-record.js";
import type { CheckpointSubject } from "../../page-log/checkpoint.js";
import type { Rule } from "../../rule.js";

/** Checkpoints come one after the other. */
export const checkpointOrder: Rule<CheckpointSubject> = {
  code: "checkpoint-order",
  severity: "error",
  title: "checkpoints ascend by LSN, id and timestamp",
  doc: "A later checkpoint has a later LSN and turtle page, a higher id and no older timestamp (page-log stores §3).",
  check({ record, value, before }, found) {
    if (before === undefined) return;
    if (
      record.checkpointId !== undefined &&
      before.checkpointId !== undefined &&
      record.checkpointId <= before.checkpointId
    )
      found({
        field: "checkpointId",
        message: "the checkpoint id does not rise",
        expected: `above ${before.checkpointId}`,
        actual: record.checkpointId,
      });
    const previous = checkpointRecord.read(before.metadata);
    const turtle = value?.metadataLsn;
    const earlier = previous.ok ? previous.value.metadataLsn : undefined;
    if (turtle !== undefined && earlier !== undefined && turtle < earlier)
      found({
        field: "metadataLsn",
        message: "the checkpoint names an older turtle page than the one before it",
        expected: `above ${earlier}`,
        actual: turtle,
      });
    if (record.timestamp < before.timestamp)
      found({
        field: "timestamp",
        severity: "warning",
        message: "the timestamp falls",
        expected: `at least ${before.timestamp}`,
        actual: record.timestamp,
      });
  },
};
