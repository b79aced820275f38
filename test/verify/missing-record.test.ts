/** A page log from which one thing is taken: whichever record or checkpoint it is, the verifier says so. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { copyRecord } from "../../src/store/chain.js";
import { openPageLog } from "../../src/store/open.js";
import type { CheckpointRecord, PageLog, PageRecord } from "../../src/store/types.js";
import { verifyPageLog } from "../../src/verify/page-log/verify.js";
import { Detected, Run } from "../../src/verify/run.js";
import { corpusPath } from "../support/corpus.js";

interface Contents {
  readonly log: PageLog;
  readonly records: readonly PageRecord[];
  readonly checkpoints: readonly CheckpointRecord[];
}

function load(store: string): Contents {
  const log = openPageLog(corpusPath("palm", store));
  const records = Array.from(log.records(), copyRecord);
  return { log, records, checkpoints: log.checkpoints() };
}

/** The same log without some of its contents. */
function logOf({ log, records, checkpoints }: Contents): PageLog {
  const ofPage = (tableId: bigint, pageId: bigint): PageRecord[] =>
    records.filter((record) => record.tableId === tableId && record.pageId === pageId);
  const { kind, path, generation, size, globals } = log;
  return {
    kind,
    path,
    generation,
    size,
    globals,
    issues: [],
    records: () => records.values(),
    chain(tableId, pageId, lsn) {
      const below = ofPage(tableId, pageId).filter((record) => record.lsn <= lsn);
      const start = below.findLastIndex(({ isDelta }) => !isDelta);
      return start === -1 ? [] : below.slice(start);
    },
    record: (tableId, pageId, lsn) => ofPage(tableId, pageId).find((record) => record.lsn === lsn),
    checkpoints: () => [...checkpoints],
    close() {},
  };
}

function errorsOf(contents: Contents): number {
  const run = new Run({}, 0);
  verifyPageLog(logOf(contents), run, new Detected("memory", "palm"));
  return run.report().summary.errors;
}

const without = <T>(list: readonly T[], index: number): T[] => list.filter((_, at) => at !== index);

const test = suite("one thing missing");

for (const store of ["a_small", "g_crash", "f_switch"])
  test(`${store}: every record and every checkpoint`, () => {
    const contents = load(store);
    assert.is(errorsOf(contents), 0, "the whole store is sound");
    const { records, checkpoints } = contents;
    records.forEach(({ tableId, pageId, lsn }, index) => {
      const errors = errorsOf({ ...contents, records: without(records, index) });
      assert.ok(errors > 0, `table ${tableId}, page ${pageId}, LSN ${lsn} is missed`);
    });
    checkpoints.forEach(({ lsn }, index) => {
      const errors = errorsOf({ ...contents, checkpoints: without(checkpoints, index) });
      assert.ok(errors > 0, `the checkpoint at LSN ${lsn} is missed`);
    });
    contents.log.close();
  });

test("two images of a page change places: the chain no longer fits", () => {
  const contents = load("a_small");
  const { records } = contents;
  const images = records.filter(
    ({ tableId, pageId, isDelta }) => tableId === 41n && pageId > 110n && !isDelta,
  );
  const [first, second] = images as [PageRecord, PageRecord];
  const swapped = records.map((record) => {
    if (record === first) return { ...record, data: second.data };
    return record === second ? { ...record, data: first.data } : record;
  });
  assert.ok(errorsOf({ ...contents, records: swapped }) > 0);
  contents.log.close();
});

test("an older record stands at a newer one's LSN", () => {
  const contents = load("a_small");
  const { records } = contents;
  const chain = records.filter(({ tableId, pageId }) => tableId === 41n && pageId === 101n);
  const [older, newer] = chain.slice(-2) as [PageRecord, PageRecord];
  const replayed = records.map((record) => (record === newer ? { ...record, data: older.data } : record));
  assert.ok(errorsOf({ ...contents, records: replayed }) > 0);
  contents.log.close();
});

test.run();
