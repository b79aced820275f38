import type { CheckpointSubject } from "../../page-log/checkpoint.js";
import type { Detail, Rule } from "../../rule.js";

const TAKEN_FOR = "readers take the checkpoint with the highest LSN for the newest";

/** The record's own LSN beside the turtle pages; in PALM the one after its own turtle page is the only right one. */
function lsnOf({ record, turtleLsn, after, isPalm }: CheckpointSubject): Detail | undefined {
  if (turtleLsn === undefined || isPalm) return undefined;
  const next = after?.turtleLsn;
  const wrong = { field: "lsn", actual: record.lsn, consequence: TAKEN_FOR };
  if (record.lsn < turtleLsn)
    return {
      ...wrong,
      message: "the checkpoint's LSN is below that of its own turtle page",
      expected: `at least ${turtleLsn}`,
    };
  if (next === undefined || next === turtleLsn || record.lsn < next) return undefined;
  return {
    ...wrong,
    message: "the checkpoint's LSN is above the turtle page of a later checkpoint",
    expected: `below ${next}`,
  };
}

/** Checkpoints come one after the other. */
export const checkpointOrder: Rule<CheckpointSubject> = {
  code: "checkpoint-order",
  severity: "error",
  title: "checkpoints ascend by LSN, id and timestamp",
  doc: "In the order of their turtle pages checkpoints ascend: each has an LSN from its own turtle page's on and below the next one's, a higher id and no older timestamp (page-log stores §3).",
  check(subject, found) {
    const { record, before } = subject;
    const lsn = lsnOf(subject);
    if (lsn !== undefined) found(lsn);
    if (before === undefined) return;
    const earlier = before.record;
    if (
      record.checkpointId !== undefined &&
      earlier.checkpointId !== undefined &&
      record.checkpointId <= earlier.checkpointId
    )
      found({
        field: "checkpointId",
        message: "the checkpoint id does not rise",
        expected: `above ${earlier.checkpointId}`,
        actual: record.checkpointId,
      });
    if (record.timestamp < earlier.timestamp)
      found({
        field: "timestamp",
        severity: "warning",
        message: "the timestamp falls",
        expected: `at least ${earlier.timestamp}`,
        actual: record.timestamp,
      });
  },
};
