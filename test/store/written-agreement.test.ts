/**
 * Random puts, discards, checkpoints, given up ones and reopened stores: memory, PALite and JSON lines hold the same,
 * and so does what is exported and copied. Verification has nothing to say of how records, links and counters are kept.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { copyPageLog } from "../../src/store/copy.js";
import { exportPageLog } from "../../src/store/jsonl-writer.js";
import { MemoryPageLog } from "../../src/store/memory-page-log.js";
import { openPageLog } from "../../src/store/open.js";
import { openWritablePageLog } from "../../src/store/open-writable.js";
import type { PageLog } from "../../src/store/types.js";
import type { WritablePageLog } from "../../src/store/writable.js";
import { verify } from "../../src/verify/index.js";
import {
  checkpointLines,
  type Operation,
  perform,
  recordLine,
  recordLines,
} from "../support/written-logs.js";

const test = suite("written page logs agree");
const LAST = (1n << 64n) - 1n;

type Step = Operation | "reopen";
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      what: fc.constantFrom("image", "delta", "delta", "delta", "discard"),
      tableId: fc.constantFrom(1n, 9n, 18n, 41n),
      pageId: fc.constantFrom(1n, 100n, 101n, 1n << 62n),
      size: fc.constantFrom(0, 20, 300, 5000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constantFrom("complete", "complete", "begin"),
      tableId: fc.constant(1n),
      pageId: fc.constant(1n),
      size: fc.nat(99),
    }),
  },
  { weight: 1, arbitrary: fc.constant("reopen" as const) },
);

const paths = ["palite", "single", "lines"] as const;
const open = (folder: string): WritablePageLog[] => [
  openWritablePageLog(join(folder, "palite"), { create: true, batchBytes: 2000 }),
  openWritablePageLog(join(folder, "single"), { create: true, layout: "P1" }),
  openWritablePageLog(join(folder, "lines"), { create: true, kind: "page-log-jsonl" }),
];

function same(log: PageLog, model: MemoryPageLog): void {
  assert.equal(recordLines(log), recordLines(model));
  assert.equal(checkpointLines(log), checkpointLines(model));
  for (const { tableId, pageId, lsn } of model.records()) {
    assert.equal(
      log.chain(tableId, pageId, lsn).map(recordLine),
      model.chain(tableId, pageId, lsn).map(recordLine),
    );
    const found = log.record(tableId, pageId, lsn);
    assert.is(found && recordLine(found), recordLine(model.record(tableId, pageId, lsn)!));
  }
  assert.equal(log.chain(41n, 7n, LAST), []);
  assert.is(log.record(41n, 7n, LAST), undefined);
  assert.equal(log.issues, []);
}

/** What is wrong with the way records are kept; that these bytes are no pages, turtle pages least, is their own fault. */
const ofTheLog = /^(record-(?!orphans|unreachable|chain-length)|lsn-|store-|checkpoint-counter)/;

async function checkAll(folder: string, model: MemoryPageLog): Promise<void> {
  exportPageLog(model, join(folder, "export"));
  copyPageLog(model, join(folder, "copy"), { layout: "P3" });
  for (const name of [...paths, "export", "copy"] as const) {
    const path = join(folder, name);
    const log = openPageLog(path);
    same(log, model);
    log.close();
    const { findings } = await verify([path]);
    assert.equal(
      findings.filter(({ code }) => ofTheLog.test(code)),
      [],
    );
  }
}

function play(steps: readonly Step[], folder: string, model: MemoryPageLog): void {
  let logs = open(folder);
  const begin: Operation = { what: "begin", tableId: 1n, pageId: 1n, size: 0 };
  perform(begin, model, logs);
  for (const next of steps)
    if (next === "reopen") {
      for (const log of logs) log.close();
      logs = open(folder);
      for (const log of logs) assert.is(log.lastLsn, model.lastLsn);
      for (const log of logs) same(log, model);
      perform(begin, model, logs);
    } else perform(next, model, logs);
  for (const log of logs) same(log, model);
  for (const log of logs) log.close();
}

test("memory, PALite and JSON lines", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
      const folder = mkdtempSync(join(tmpdir(), "pugmark-test-"));
      try {
        const model = new MemoryPageLog();
        play(steps, folder, model);
        if (!model.records().next().done) await checkAll(folder, model);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }),
    { numRuns: 4, includeErrorInReport: true },
  );
});

test.run();
