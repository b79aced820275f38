/** Page logs copied and exported: what is read back is what was there. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { copyPageLog } from "../../src/store/copy.js";
import { exportPageLog } from "../../src/store/jsonl-writer.js";
import { MemoryPageLog } from "../../src/store/memory-page-log.js";
import { openPageLog } from "../../src/store/open.js";
import { openWritablePageLog } from "../../src/store/open-writable.js";
import { PageLogError } from "../../src/store/page-log-error.js";
import type { PageLog } from "../../src/store/types.js";
import { corpusPath } from "../support/corpus.js";
import { inTemporaryFolder } from "../support/directories.js";

const test = suite("page logs copied");
const stores = readdirSync(corpusPath("palm"));

/** One line a record: its bytes as a hash, so that what differs can be read. */
const recordsOf = (log: PageLog): string[] =>
  Array.from(log.records(), ({ place: _, data, ...record }) => {
    const hash = createHash("md5").update(data).digest("hex");
    return lineOf({ ...record, data: `${data.length} ${hash}` });
  });
const checkpointsOf = (log: PageLog): string[] =>
  log
    .checkpoints()
    .map(({ place: _, metadata, ...rest }) =>
      lineOf({ ...rest, metadata: Buffer.from(metadata).toString() }),
    );
const lineOf = (fields: object): string =>
  Object.keys(fields)
    .sort()
    .map((key) => `${key}=${fields[key as keyof typeof fields]}`)
    .join(" ");
const withoutIds = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(/(backlinkC|baseC|c)heckpointId=\d+ /g, ""));

for (const store of stores)
  test(`${store}: as JSON lines, and from those into memory, nothing is lost`, () => {
    inTemporaryFolder((folder) => {
      const real = openPageLog(corpusPath("palm", store));
      exportPageLog(real, join(folder, "export"));
      const exported = openPageLog(join(folder, "export"));
      const expected = recordsOf(real);
      assert.equal(recordsOf(exported), expected);
      assert.equal(checkpointsOf(exported), checkpointsOf(real));
      assert.equal(exported.globals, real.globals);
      assert.equal(exported.issues, []);
      const memory = MemoryPageLog.of(real);
      assert.equal(recordsOf(memory), expected);
      assert.equal(memory.globals, real.globals);
      for (const log of [real, exported]) log.close();
    });
  });

test("the pages of an export of the corpus are written as they are there, byte for byte", () => {
  inTemporaryFolder((folder) => {
    const real = openPageLog(corpusPath("palm", "a_small"));
    exportPageLog(real, folder);
    real.close();
    const [ours, theirs] = [folder, corpusPath("palm", "a_small", "export")].map((path) =>
      readFileSync(join(path, "pages.jsonl"), "latin1"),
    );
    assert.ok(ours === theirs);
  });
});

for (const layout of ["P0", "P1", "P2", "P3", "P4"] as const)
  test(`${layout}: a real log as a PALite store, which can be written on`, () => {
    inTemporaryFolder((folder) => {
      const real = openPageLog(corpusPath("palm", "g_crash"));
      copyPageLog(real, folder, { layout });
      assert.equal(readdirSync(folder), ["kv_home"]);
      const copy = openPageLog(folder);
      assert.is(copy.generation, `PALite ${layout}`);
      assert.equal(recordsOf(copy), withoutIds(recordsOf(real)));
      assert.equal(checkpointsOf(copy), withoutIds(checkpointsOf(real)));
      assert.equal(copy.issues, []);
      const isOld = layout === "P0" || layout === "P1";
      assert.is(copy.globals.lsnCounter, isOld ? 101n : 100n);
      copy.close();
      const log = openWritablePageLog(folder);
      assert.is(log.beginCheckpoint(), 3n);
      assert.is(
        log.record(41n, 100n, 71n),
        undefined,
        "the records of the checkpoint that was not completed",
      );
      const put = { tableId: 41n, pageId: 100n, isDelta: true, backlinkLsn: 36n, baseLsn: 1n };
      assert.is(log.put({ ...put, data: Uint8Array.of(1) }), 101n);
      log.close();
      assert.throws(
        () => copyPageLog(real, folder),
        (error: unknown) => error instanceof PageLogError && error.code === "unsupported",
      );
      assert.throws(
        () => copyPageLog({ ...real, records: () => failing(), checkpoints: () => [] }, join(folder, "half")),
        /no more/,
      );
      assert.equal(readdirSync(join(folder, "half")), []);
      real.close();
    });
  });

function failing(): Iterable<never> {
  throw new Error("no more");
}

test("an export does not overwrite another one", () => {
  inTemporaryFolder((folder) => {
    const log = new MemoryPageLog();
    exportPageLog(log, folder);
    assert.throws(
      () => exportPageLog(log, folder),
      (error: unknown) => error instanceof PageLogError && error.code === "unsupported",
    );
  });
});

test.run();
