import type { CheckpointSubject } from "../../page-log/checkpoint.js";
import type { Rule } from "../../rule.js";

/** What a checkpoint record and its turtle page both say. */
export const checkpointAgreement: Rule<CheckpointSubject> = {
  code: "checkpoint-agreement",
  severity: "error",
  title: "a checkpoint record agrees with its own key and with its turtle page",
  doc: "Timestamps are the same; in PALM stores the record takes the LSN after its turtle page and its key repeats the checkpoint id (page-log stores §3).",
  check({ record, value, turtleValue, isPalm }, found) {
    if (value === undefined) return;
    if (isPalm && value.metadataLsn !== undefined && record.lsn !== value.metadataLsn + 1n)
      found({
        field: "lsn",
        message: "the record's LSN is not the one after its turtle page",
        expected: value.metadataLsn + 1n,
        actual: record.lsn,
      });
    if (record.checkpointId !== undefined && value.id !== undefined && record.checkpointId !== value.id)
      found({
        field: "id",
        message: "the record's key and its text name two checkpoint ids",
        expected: record.checkpointId,
        actual: value.id,
      });
    const timestamp =
      turtleValue === undefined || turtleValue.generation === "L0" ? undefined : turtleValue.timestamp;
    if (timestamp !== undefined && timestamp !== record.timestamp)
      found({
        field: "timestamp",
        message: "the record and its turtle page name two timestamps",
        expected: timestamp,
        actual: record.timestamp,
      });
  },
};
