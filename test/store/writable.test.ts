import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { PaliteLayout } from "../../formats/palite.js";
import { MemoryPageLog } from "../../src/store/memory-page-log.js";
import { openPageLog } from "../../src/store/open.js";
import { openWritablePageLog } from "../../src/store/open-writable.js";
import { PageLogError, type PageLogErrorCode } from "../../src/store/page-log-error.js";
import type { PageRecord } from "../../src/store/types.js";
import type { PagePut, WritablePageLog, WritablePageLogOptions } from "../../src/store/writable.js";
import { corpusPath } from "../support/corpus.js";
import { inTemporaryFolder } from "../support/directories.js";

const test = suite("page logs that are written");
const FIRST = 1n << 32n;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const image = (pageId: bigint, backlinkLsn = 0n, data = bytes("image")): PagePut => ({
  tableId: 41n,
  pageId,
  isDelta: false,
  backlinkLsn,
  baseLsn: 0n,
  data,
});
const delta = (pageId: bigint, backlinkLsn: bigint, baseLsn: bigint, data = bytes("delta")): PagePut => ({
  ...image(pageId, backlinkLsn, data),
  isDelta: true,
  baseLsn,
});
const lsns = (records: Iterable<PageRecord>): bigint[] => [...records].map(({ lsn }) => lsn);

function refusal(action: () => unknown): PageLogError {
  try {
    action();
  } catch (error) {
    assert.instance(error, PageLogError);
    return error as PageLogError;
  }
  return assert.unreachable("it was not refused") as never;
}

type Use = (log: WritablePageLog) => void;
const inMemory = (use: Use, options: WritablePageLogOptions = {}): void => use(new MemoryPageLog(options));
const inPalite =
  (layout: PaliteLayout) =>
  (use: Use, options: WritablePageLogOptions = {}): void =>
    inTemporaryFolder((folder) => {
      const log = openWritablePageLog(folder, { ...options, create: true, layout });
      use(log);
      log.close();
    });
const stores = {
  memory: inMemory,
  P0: inPalite("P0"),
  P1: inPalite("P1"),
  P2: inPalite("P2"),
  P3: inPalite("P3"),
  P4: inPalite("P4"),
};

for (const [name, withLog] of Object.entries(stores)) {
  test(`${name}: images, deltas, discards, checkpoints`, () =>
    withLog((log) => {
      assert.is(log.lastLsn, 0n);
      assert.is(log.beginCheckpoint(), 1n);
      const data = bytes("image");
      assert.is(log.put(image(100n, 0n, data)), FIRST);
      data.fill(0);
      assert.is(log.put(delta(100n, FIRST, FIRST)), FIRST + 1n);
      assert.is(log.put(delta(100n, FIRST + 1n, FIRST)), FIRST + 2n);
      assert.is(log.put(image(7n)), FIRST + 3n);
      assert.equal(lsns(log.records()), [FIRST + 3n, FIRST, FIRST + 1n, FIRST + 2n]);
      assert.equal(lsns(log.chain(41n, 100n, FIRST + 1n)), [FIRST, FIRST + 1n]);
      assert.equal(log.record(41n, 100n, FIRST)?.data, bytes("image"), "the log keeps its own copy");
      assert.is(log.completeCheckpoint({ metadata: bytes("a"), timestamp: 9n }), FIRST + 4n);
      assert.is(log.beginCheckpoint(), 2n);
      assert.is(log.put(image(100n, FIRST)), FIRST + 5n);
      assert.is(
        log.discard({ tableId: 41n, pageId: 100n, backlinkLsn: FIRST + 5n, baseLsn: FIRST + 5n }),
        FIRST + 6n,
      );
      const freed = log.record(41n, 100n, FIRST + 6n);
      assert.is(freed?.discarded, true);
      assert.is(freed?.flags, 0x10002);
      assert.is(log.put(image(100n)), FIRST + 7n);
      assert.equal(
        log.checkpoints().map(({ lsn, timestamp, metadata }) => [lsn, timestamp, metadata]),
        [[FIRST + 4n, 9n, bytes("a")]],
      );
      assert.is(log.globals.lsnCounter, FIRST + (log.globals.lsnCounterIs === "last" ? 7n : 8n));
    }));

  test(`${name}: what an unfinished checkpoint left goes when the next one begins; its LSNs do not come back`, () =>
    withLog(
      (log) => {
        log.beginCheckpoint();
        log.put(image(100n));
        log.completeCheckpoint({ metadata: bytes("a"), timestamp: 0n });
        log.beginCheckpoint();
        log.put(delta(100n, 1n, 1n));
        log.put(image(101n));
        assert.equal(lsns(log.records()), [1n, 3n, 4n]);
        assert.is(log.beginCheckpoint(), 2n, "the id was not used up");
        assert.equal(lsns(log.records()), [1n]);
        assert.is(log.put(delta(100n, 1n, 1n)), 5n);
      },
      { firstLsn: 1n },
    ));
}

test("checkpoint ids, where they are kept, are those of the linked records", () => {
  const log = new MemoryPageLog({ checkpointIds: true, firstLsn: 1n });
  log.beginCheckpoint();
  log.put(image(100n));
  log.completeCheckpoint({ metadata: bytes("a"), timestamp: 0n });
  log.beginCheckpoint();
  log.put(delta(100n, 1n, 1n));
  log.put({ ...delta(100n, 3n, 1n), backlinkCheckpointId: 2n, baseCheckpointId: 1n });
  log.put(image(100n, 1n));
  assert.equal(
    [...log.records()].map((r) => [r.lsn, r.checkpointId, r.backlinkCheckpointId, r.baseCheckpointId]),
    [
      [1n, 1n, 0n, 0n],
      [3n, 2n, 1n, 1n],
      [4n, 2n, 2n, 1n],
      [5n, 2n, 1n, 0n],
    ],
  );
  const wrong = { ...delta(100n, 5n, 5n), backlinkCheckpointId: 1n };
  assert.is(refusal(() => log.put(wrong)).code, "checkpoint-id");
  assert.equal(log.globals, {
    lsnCounter: 6n,
    lsnCounterIs: "next",
    checkpointCompleted: 1n,
    checkpointStarted: 2n,
  });
});

const wrongPuts: ReadonlyArray<readonly [string, PageLogErrorCode, PagePut]> = [
  ["table 0", "table-id", { ...image(100n), tableId: 0n }],
  ["a table id of 64 bits", "table-id", { ...image(100n), tableId: 1n << 63n }],
  ["page 0", "page-id", image(0n)],
  ["a page id of 64 bits", "page-id", image(1n << 63n)],
  ["a flag the log sets itself", "flags", { ...image(1n), flags: 2 }],
  ["a discard as a put", "flags", { ...image(1n), flags: 0x10000 }],
  ["flags of 33 bits", "flags", { ...image(1n), flags: 2 ** 32 }],
  ["no bytes", "data-size", image(1n, 0n, new Uint8Array(0))],
  ["too many bytes", "data-size", image(1n, 0n, new Uint8Array(24 * 1024 * 1024 + 1))],
  ["a delta without an image", "no-image", delta(7n, FIRST, FIRST)],
  ["a delta of a freed page", "no-image", delta(102n, FIRST + 3n, FIRST + 2n)],
  ["a delta on an image that is not there", "base", delta(101n, FIRST + 1n, FIRST)],
  ["a delta that skips another one", "backlink", delta(100n, FIRST, FIRST)],
  ["an image with a base", "base", { ...image(100n), baseLsn: FIRST }],
  ["an image behind a delta", "backlink", image(100n, FIRST + 4n)],
  ["an image behind nothing", "backlink", image(7n, FIRST)],
];

/** Page 100: image, delta; 101: image; 102: image, discard. */
function fill(log: WritablePageLog): void {
  log.beginCheckpoint();
  for (const pageId of [100n, 101n, 102n]) log.put(image(pageId));
  log.discard({ tableId: 41n, pageId: 102n, backlinkLsn: FIRST + 2n, baseLsn: FIRST + 2n });
  log.put(delta(100n, FIRST, FIRST));
}

for (const [store, withLog] of Object.entries(stores)) {
  test(`${store}: refused puts leave nothing behind and use no LSN up`, () =>
    withLog((log) => {
      fill(log);
      const before = [...log.records()];
      for (const [name, code, put] of wrongPuts) {
        const error = refusal(() => log.put(put));
        assert.is(error.code, code, name);
        if (code !== "table-id") assert.is(error.place.tableId, put.tableId);
        assert.equal([...log.records()], before);
      }
      assert.is(log.put(image(9n)), FIRST + 5n);
    }));

  test(`${store}: refused discards, publications and materialised LSNs`, () =>
    withLog((log) => {
      fill(log);
      const page = { tableId: 41n, pageId: 100n, backlinkLsn: FIRST + 4n, baseLsn: FIRST };
      assert.is(refusal(() => log.discard({ ...page, pageId: 7n })).code, "no-page");
      assert.is(refusal(() => log.discard({ ...page, pageId: 102n })).code, "no-page");
      assert.is(refusal(() => log.discard({ ...page, baseLsn: FIRST + 4n })).code, "base");
      assert.is(refusal(() => log.discard({ ...page, backlinkLsn: 1n })).code, "backlink");
      const completion = { metadata: bytes("x"), timestamp: 0n };
      assert.is(
        refusal(() => log.completeCheckpoint({ ...completion, timestamp: 1n << 64n })).code,
        "timestamp",
      );
      assert.is(
        refusal(() => log.completeCheckpoint({ ...completion, metadata: bytes("") })).code,
        "metadata",
      );
      assert.is(refusal(() => log.setMaterializedLsn(FIRST + 99n)).code, "lsn");
      log.setMaterializedLsn(FIRST + 1n);
      assert.is(refusal(() => log.setMaterializedLsn(FIRST)).code, "lsn");
      log.completeCheckpoint(completion);
      assert.is(refusal(() => log.completeCheckpoint(completion)).code, "no-checkpoint");
      assert.is(refusal(() => log.put(image(9n))).code, "no-checkpoint");
      log.close();
      assert.is(refusal(() => log.put(image(9n))).code, "closed");
      assert.is(refusal(() => log.beginCheckpoint()).code, "closed");
    }));
}

test("refused: no first LSN", () => {
  assert.is(refusal(() => new MemoryPageLog({ firstLsn: 0n })).code, "lsn");
});

test("the last LSN there is can be given, and none after it", () => {
  const last = (1n << 63n) - 1n;
  const log = new MemoryPageLog({ checkpointIds: true, firstLsn: last });
  log.beginCheckpoint();
  assert.is(log.put(image(100n)), last);
  assert.is(log.globals.lsnCounter, last + 1n);
  assert.is(refusal(() => log.put(image(101n))).code, "lsn");
  assert.is(refusal(() => log.completeCheckpoint({ metadata: bytes("a"), timestamp: 0n })).code, "lsn");
  assert.is(log.checkpoints().length, 0);
});

test("a real log is taken over as it is, and goes on without a gap behind its newest checkpoint", () => {
  const real = openPageLog(corpusPath("palm", "g_crash"));
  const log = MemoryPageLog.of(real);
  assert.equal(lsns(log.records()), lsns(real.records()));
  assert.equal(log.globals, real.globals);
  assert.is(log.lastLsn, 100n);
  assert.is(log.materializedLsn, 70n);
  assert.is(log.beginCheckpoint(), 3n);
  assert.is(log.record(41n, 100n, 71n), undefined, "records above the newest checkpoint are gone");
  assert.is(log.put(delta(100n, 36n, 1n)), 71n);
  assert.is(log.record(41n, 100n, 71n)?.baseCheckpointId, 1n);
  real.close();
});

test.run();
