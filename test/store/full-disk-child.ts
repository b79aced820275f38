/** Puts until the system refuses to make a file larger, then completes a smaller checkpoint. */
import { writeSync } from "node:fs";
import { openWritablePageLog } from "../../src/store/open-writable.js";
import { PageLogError } from "../../src/store/page-log-error.js";
import type { PagePut } from "../../src/store/writable.js";

const log = openWritablePageLog(process.argv[2] as string, { create: true, batchBytes: 30_000 });
const data = new Uint8Array(5000).fill(7);
const image = (pageId: bigint): PagePut => ({
  tableId: 41n,
  pageId,
  isDelta: false,
  backlinkLsn: 0n,
  baseLsn: 0n,
  data,
});
const completion = { metadata: Uint8Array.of(65), timestamp: 0n };
log.beginCheckpoint();
log.put(image(1n));
log.completeCheckpoint(completion);
log.beginCheckpoint();
try {
  for (let pageId = 2n; pageId < 1000n; pageId++) log.put(image(pageId));
} catch (error) {
  if (!(error instanceof PageLogError)) throw error;
  writeSync(1, `${error.code}\n`);
}
log.beginCheckpoint();
log.put(image(2n));
log.completeCheckpoint(completion);
writeSync(1, `${log.checkpoints().length} checkpoints\n`);
log.close();
