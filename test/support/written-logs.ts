/** The same things done to several page logs that can be written, the first of which is held to be right. */
import { createHash } from "node:crypto";
import * as assert from "uvu/assert";
import type { MemoryPageLog } from "../../src/store/memory-page-log.js";
import type { PageLog, PageRecord } from "../../src/store/types.js";
import type { PagePut, WritablePageLog } from "../../src/store/writable.js";

const LAST = (1n << 63n) - 1n;
/** The turtle page's table until 2026, whose records have no flags. */
const TURTLE = 1n;

/** One record a line, its bytes as a hash, so that a difference can be read; without places and times. */
export const recordLines = (log: Pick<PageLog, "records">): string[] => Array.from(log.records(), recordLine);

export function recordLine(record: PageRecord): string {
  const { place: _, issues, data, timestampMaterializedUs: _time, ...fields } = record;
  assert.equal(issues, []);
  const hash = createHash("md5").update(data).digest("hex");
  const values = Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${values.map(([key, value]) => `${key}=${value}`).join(" ")} data=${data.length}/${hash}`;
}

export const checkpointLines = (log: Pick<PageLog, "checkpoints">): string[] =>
  log
    .checkpoints()
    .map(
      ({ lsn, checkpointId, timestamp, metadata }) =>
        `${lsn} ${checkpointId} ${timestamp} ${Buffer.from(metadata)}`,
    );

export const operations = ["image", "delta", "discard", "complete", "begin"] as const;
export interface Operation {
  readonly what: (typeof operations)[number];
  readonly tableId: bigint;
  readonly pageId: bigint;
  readonly size: number;
}

/** What is done depends on the model alone; a delta or discard without an image below is an image. */
export function perform(operation: Operation, model: MemoryPageLog, logs: readonly WritablePageLog[]): void {
  const all = [model, ...logs];
  const { what } = operation;
  let action: (log: WritablePageLog) => bigint;
  if (what === "begin") action = (log) => log.beginCheckpoint();
  else if (what === "complete") {
    const metadata = new TextEncoder().encode(`metadata_lsn=${model.lastLsn}`);
    const timestamp = BigInt(model.checkpoints().length);
    action = (log) => {
      const lsn = log.completeCheckpoint({ metadata, timestamp });
      log.beginCheckpoint();
      return lsn;
    };
  } else action = recordAction(operation, model);
  const [expected, ...others] = all.map(action);
  for (const other of others) assert.is(other, expected);
}

function recordAction(
  { what, tableId, pageId, size }: Operation,
  model: MemoryPageLog,
): (log: WritablePageLog) => bigint {
  const chain = model.chain(tableId, pageId, LAST);
  const newest = chain.at(-1);
  const baseLsn = newest === undefined || newest.discarded ? 0n : (chain[0]?.lsn ?? 0n);
  const page = { tableId, pageId, baseLsn };
  if (what === "discard" && newest !== undefined && baseLsn !== 0n)
    return (log) => log.discard({ ...page, backlinkLsn: newest.lsn });
  const data = Uint8Array.from(
    { length: size + 1 },
    (_, i) => (i * 7 + Number(model.lastLsn & 0xffffn)) & 0xff,
  );
  const isDelta = what === "delta" && newest !== undefined && baseLsn !== 0n;
  const put: PagePut = isDelta
    ? { ...page, isDelta, backlinkLsn: newest.lsn, data }
    : { ...page, isDelta: false, backlinkLsn: baseLsn, baseLsn: 0n, data, flags: tableId === TURTLE ? 0 : 1 };
  return (log) => log.put(put);
}
