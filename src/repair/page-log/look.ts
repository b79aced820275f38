/** A page log as verify and its turtle pages show it. */
import { specialTables } from "../../../formats/disagg-tables.js";
import type { CheckpointRecord, PageLog } from "../../store/types.js";
import { followCheckpoint } from "../../tree/page-log/checkpoint.js";
import { verifyPageLog } from "../../verify/page-log/verify.js";
import { Detected, Run } from "../../verify/run.js";
import type { VerifyReport } from "../../verify/types.js";

export function verifiedLog(log: PageLog): VerifyReport {
  const run = new Run({}, log.size);
  const detected = new Detected(log.path, log.kind);
  run.addInput(detected);
  verifyPageLog(log, run, detected);
  return run.report();
}

/** The turtle page a checkpoint leads to. */
export function findTurtlePage(log: PageLog, checkpoint: CheckpointRecord): Uint8Array | undefined {
  const { turtleLsn = 0n } = followCheckpoint(log, checkpoint);
  for (const id of specialTables.turtle.ids) {
    const record = log.record(id, specialTables.turtle.page, turtleLsn);
    if (record !== undefined) return record.data;
  }
  return undefined;
}
