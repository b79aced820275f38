/** A page log in memory, for tests that change its bytes. */
import { MemoryPageLog } from "../../src/store/memory-page-log.js";
import type { CheckpointRecord, PageLog, PageRecord } from "../../src/store/types.js";

export interface MemoryRecord {
  readonly tableId: bigint;
  readonly pageId: bigint;
  readonly lsn: bigint;
  /** Deltas name the record before them, and their full image. */
  readonly backlinkLsn?: bigint;
  readonly baseLsn?: bigint;
  readonly flags?: number;
  data: Uint8Array;
}

/** The bytes are read anew whenever a record is asked for them, so that a test can exchange them. */
export function memoryPageLog(
  contents: readonly MemoryRecord[],
  checkpoints: ReadonlyArray<Omit<CheckpointRecord, "place">>,
): PageLog {
  const records = contents.map(
    (content): PageRecord => ({
      tableId: content.tableId,
      pageId: content.pageId,
      lsn: content.lsn,
      isDelta: (content.baseLsn ?? 0n) !== 0n,
      discarded: false,
      flags: content.flags ?? 0,
      backlinkLsn: content.backlinkLsn ?? 0n,
      baseLsn: content.baseLsn ?? 0n,
      get data() {
        return content.data;
      },
      place: { file: "memory" },
      issues: [],
    }),
  );
  return new MemoryPageLog({}, { records: () => records, checkpoints: () => checkpoints });
}
