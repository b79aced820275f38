/** What the writers do that die. */
import { type OpenWritableOptions, openWritablePageLog } from "../../src/store/open-writable.js";
import type { WritablePageLog } from "../../src/store/writable.js";
import type { Operation } from "../support/written-logs.js";

const record = (what: Operation["what"], tableId: bigint, pageId: bigint, size: number): Operation => ({
  what,
  tableId,
  pageId,
  size,
});
const complete = record("complete", 1n, 1n, 0);

/** Three checkpoints, one of them after one that was given up; two tables, so two shards. */
export const crashScript: readonly Operation[] = [
  record("image", 41n, 100n, 3000),
  record("image", 9n, 1n, 200),
  complete,
  record("delta", 41n, 100n, 100),
  record("image", 41n, 101n, 9000),
  record("begin", 1n, 1n, 0),
  record("delta", 41n, 100n, 150),
  record("delta", 41n, 100n, 50),
  complete,
  record("discard", 41n, 100n, 0),
  record("image", 9n, 1n, 70),
  complete,
];

export const crashStores = {
  "PALite, every put committed": { batchBytes: 0 },
  "PALite, puts in batches": {},
  "PALite P1": { layout: "P1", batchBytes: 0 },
  "JSON lines": { kind: "page-log-jsonl" },
} as const satisfies Readonly<Record<string, OpenWritableOptions>>;

export function openCrashStore(directory: string, options: OpenWritableOptions): WritablePageLog {
  const log = openWritablePageLog(directory, { ...options, create: true });
  log.beginCheckpoint();
  return log;
}
