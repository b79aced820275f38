/** A page log in memory, for tests that change its bytes. */
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

const byKey = (a: PageRecord, b: PageRecord): number =>
  Number(a.tableId - b.tableId || a.pageId - b.pageId || a.lsn - b.lsn);

/** The records are read anew on each call, so that a test can exchange their bytes. */
export function memoryPageLog(
  contents: readonly MemoryRecord[],
  checkpoints: ReadonlyArray<Omit<CheckpointRecord, "place">>,
): PageLog {
  const place = { file: "memory" };
  const recordOf = ({ baseLsn = 0n, backlinkLsn = 0n, flags = 0, ...content }: MemoryRecord): PageRecord => ({
    ...content,
    isDelta: baseLsn !== 0n,
    discarded: false,
    flags,
    backlinkLsn,
    baseLsn,
    place,
    issues: [],
  });
  const all = (): PageRecord[] => contents.map(recordOf).sort(byKey);
  const ofPage = (tableId: bigint, pageId: bigint): PageRecord[] =>
    all().filter((record) => record.tableId === tableId && record.pageId === pageId);
  return {
    kind: "page-service-jsonl",
    path: "memory",
    generation: "memory",
    size: contents.reduce((sum, { data }) => sum + data.length, 0),
    globals: {},
    issues: [],
    records: () => all().values(),
    chain(tableId, pageId, lsn) {
      const below = ofPage(tableId, pageId).filter((record) => record.lsn <= lsn);
      const start = below.findLastIndex(({ isDelta }) => !isDelta);
      return start === -1 ? [] : below.slice(start);
    },
    record: (tableId, pageId, lsn) => ofPage(tableId, pageId).find((record) => record.lsn === lsn),
    checkpoints: () => checkpoints.map((checkpoint) => ({ ...checkpoint, place })),
    close() {},
  };
}
