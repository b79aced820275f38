/** A disk that is full for a while: what fails is undone and said, and the log goes on when there is space again. */
import { spawnSync } from "node:child_process";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { MemoryPageLog } from "../../src/store/memory-page-log.js";
import { openPageLog } from "../../src/store/open.js";
import { PageLogError } from "../../src/store/page-log-error.js";
import type { WritablePageLog } from "../../src/store/writable.js";
import { inTemporaryFolder } from "../support/directories.js";
import { watchingFiles } from "../support/file-faults.js";
import { checkpointLines, recordLines } from "../support/written-logs.js";
import { crashStores, openCrashStore } from "./crash-script.js";

const test = suite("page logs on a full disk");
const child = fileURLToPath(new URL(`./full-disk-child${extname(import.meta.url)}`, import.meta.url));
const noSpace = (): Error =>
  Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC", syscall: "write" });

/** A checkpoint of one image with deltas; all LSNs of what it put. */
function checkpoint(log: WritablePageLog, pageId: bigint): bigint[] {
  const page = { tableId: 41n, pageId };
  const data = Uint8Array.from({ length: 6000 }, (_, i) => i & 0xff);
  const image = log.put({ ...page, isDelta: false, backlinkLsn: 0n, baseLsn: 0n, data });
  // Small: it waits in memory until something is read or committed.
  const small = data.subarray(0, 300);
  const first = log.put({ ...page, isDelta: true, backlinkLsn: image, baseLsn: image, data: small });
  const second = log.put({ ...page, isDelta: true, backlinkLsn: first, baseLsn: image, data });
  const end = log.completeCheckpoint({ metadata: Uint8Array.of(65), timestamp: 0n });
  return [image, first, second, end];
}

function failure(action: () => unknown): PageLogError | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    assert.instance(error, PageLogError, String(error));
    return error as PageLogError;
  }
}

/** The disk is full from the given write on, until the checkpoint has failed. False: it did not need that many. */
function fullFrom(write: number, log: WritablePageLog, given: Set<bigint>): boolean {
  let writes = 0;
  const error = watchingFiles(
    (change) => {
      if (change === "writeSync" && ++writes >= write) throw noSpace();
    },
    () => failure(() => checkpoint(log, 200n)),
  );
  if (error === undefined) return false;
  assert.is(error.code, "io", error.message);
  assert.is(log.checkpoints().length, 1, "nothing is published");
  assert.is(log.beginCheckpoint(), 2n);
  assert.equal(log.chain(41n, 200n, 1n << 62n), [], "what was put for it is gone");
  for (const lsn of checkpoint(log, 201n)) {
    assert.not(given.has(lsn));
    given.add(lsn);
  }
  return true;
}

for (const [name, options] of Object.entries(crashStores))
  test(`${name}: full at every write of a checkpoint`, () => {
    let write = 1;
    for (let isFull = true; isFull; write += 3)
      inTemporaryFolder((folder) => {
        const directory = join(folder, "store");
        const log = openCrashStore(directory, options);
        const given = new Set(checkpoint(log, 100n));
        log.beginCheckpoint();
        isFull = fullFrom(write, log, given);
        const expected = MemoryPageLog.of(log);
        log.close();
        const read = openPageLog(directory);
        assert.equal(recordLines(read), recordLines(expected));
        assert.equal(checkpointLines(read), checkpointLines(expected));
        assert.equal(read.issues, []);
        read.close();
      });
    assert.ok(write > 4, `full ${write} times`);
  });

test("a limit of the system on the size of files", () => {
  inTemporaryFolder((folder) => {
    const command = `ulimit -f 200; exec "$@"`;
    const run = spawnSync(
      "bash",
      ["-c", command, "bash", process.execPath, ...process.execArgv, child, join(folder, "store")],
      { encoding: "utf8" },
    );
    assert.is(run.stdout, "io\n2 checkpoints\n", run.stderr);
  });
});

test.run();
