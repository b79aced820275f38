/** Images in place of chains: the same rows everywhere, sound in both encodings, and what is wrong with them is found. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BLOCK_HEADER, blockFlags } from "../../formats/block-header.js";
import { PAGE_HEADER } from "../../formats/page-header.js";
import { crc32cWithZeroedField } from "../../src/codec/index.js";
import { readBlockHeaders } from "../../src/page/block-headers.js";
import { MemoryPageLog, type PageLogContents } from "../../src/store/memory-page-log.js";
import { openPageLog } from "../../src/store/open.js";
import type { PageRecord } from "../../src/store/types.js";
import { SoundImages } from "../../src/tree/image-check.js";
import { openDatabase } from "../../src/tree/open.js";
import { PageLogDatabase } from "../../src/tree/page-log/database.js";
import { candidateOf, PageLogSource } from "../../src/tree/page-log/source.js";
import type { Database } from "../../src/tree/types.js";
import { verifyPageLog } from "../../src/verify/page-log/verify.js";
import { Detected, Run } from "../../src/verify/run.js";
import { newestGeneration, writeGenerations } from "../../src/write/generation.js";
import { type ReplaceSelection, replacePages } from "../../src/write/replace/replace-pages.js";
import { ReplaceError, replaceStore } from "../../src/write/replace/replace-store.js";
import type { ReplacementEncoding } from "../../src/write/replace/replacement.js";
import { DatabaseNode } from "../../src/write/roles/node.js";
import { corpusPath } from "../support/corpus.js";
import { ROTN_KEY_ID } from "../support/corpus-blocks.js";

const ENCODINGS: readonly ReplacementEncoding[] = ["modified", "extended"];
/** All real stores, every table at every checkpoint and timestamp, in both encodings: takes minutes. */
const isWhole = process.env.PUGMARK_ALL_STORES === "1";
const EVERY_DAY: Readonly<Record<string, readonly ReplacementEncoding[]>> = {
  a_small: ENCODINGS,
  c_compress: ["modified"],
  d_encrypt_rotn: ["extended"],
  e_ts: ENCODINGS,
  f_switch: ["modified"],
  g_crash: ["extended"],
  trees: ["extended"],
};
const STORES = isWhole
  ? Object.fromEntries(readdirSync(corpusPath("palm")).map((store) => [store, ENCODINGS]))
  : EVERY_DAY;
/** Newest checkpoints that are read. */
const CHECKPOINTS = isWhole ? Number.POSITIVE_INFINITY : 2;
const PLAIN = { compressor: "", encryptor: "", collator: "" };
const ALL: ReplaceSelection = { minDeltas: 1 };

const rotn = (store: string) => (store.includes("rotn") ? { rotnKeyId: ROTN_KEY_ID } : {});

function replaced(
  store: string,
  encoding: ReplacementEncoding,
  selection: ReplaceSelection = ALL,
): { log: MemoryPageLog; chains: number } {
  const log = openPageLog(corpusPath("palm", store));
  const database = openDatabase(corpusPath("palm", store), rotn(store));
  const tables = new Map(database.tables().map(({ id = 0n, ...table }) => [id, table]));
  database.close();
  let chains = 0;
  const contents = replacePages(log, {
    encoding,
    selection,
    tables,
    ...rotn(store),
    onReplaced: () => void chains++,
    onFault: (fault) => {
      throw fault;
    },
  });
  const copy = MemoryPageLog.of(contents);
  log.close();
  return { log: copy, chains };
}

/** Rows of every table at the checkpoints and at the timestamps that mean something there. */
function* dump(database: Database): Generator<string> {
  const checkpoints = database.checkpoints();
  const timestamps = new Set(checkpoints.map(({ timestamp = 0n }) => timestamp).filter((one) => one > 0n));
  for (const { lsn, timestamp = 0n } of checkpoints.slice(-CHECKPOINTS)) {
    const checkpoint = `lsn:${lsn}`;
    const known = [...timestamps]
      .filter((one) => one <= timestamp)
      .flatMap((one) => [one, one - 1n, one + 1n]);
    const some = timestamp === 0n ? [] : [timestamp, timestamp / 2n];
    for (const { uri } of database.tables(checkpoint)) {
      const table = database.table(uri, checkpoint);
      for (const at of [undefined, ...(isWhole ? known : some)])
        for (const { key, value } of table.rows({ timestamp: at }))
          yield `${lsn} ${uri} ${at} ${Buffer.from(key as Uint8Array).toString("hex")} ${Buffer.from(value).toString("base64")}`;
    }
  }
}

function assertSameRows(one: Database, other: Database): number {
  const expected = dump(one);
  let rows = 0;
  for (const row of dump(other)) {
    if (row !== expected.next().value) assert.unreachable(`another row: ${row}`);
    rows++;
  }
  assert.ok(expected.next().done);
  return rows;
}

function findingsOf(log: MemoryPageLog, store: string) {
  const run = new Run(rotn(store), log.size);
  const detected = new Detected(log.path, log.kind);
  run.addInput(detected);
  verifyPageLog(log, run, detected);
  return run.report();
}

for (const [store, encodings] of Object.entries(STORES))
  for (const encoding of encodings)
    test(`${store}, ${encoding}: identical rows, and sound`, () => {
      const { log, chains } = replaced(store, encoding);
      const before = openDatabase(corpusPath("palm", store), rotn(store));
      const after = new PageLogDatabase(log, store, rotn(store));
      const rows = assertSameRows(before, after);
      if (isWhole) console.log(`  ${store}, ${encoding}: ${chains} chains, ${rows} rows compared`);
      assert.ok((isWhole || chains > 0) && rows > 1000);
      before.close();
      const { errors, warnings } = findingsOf(log, store).summary;
      assert.equal({ errors, warnings }, { errors: 0, warnings: 0 });
    });

const isReplacement = ({ data, tableId }: PageRecord): boolean =>
  tableId !== 1n && readBlockHeaders(data).replacement;

test("a replacement of a replacement keeps the first original checksum", () => {
  for (const first of ENCODINGS)
    for (const second of ENCODINGS) {
      const { log } = replaced("a_small", first);
      const [one] = [...log.records()].filter(isReplacement) as [PageRecord];
      const { tableId, pageId, lsn } = one;
      const again = MemoryPageLog.of(
        replacePages(log, { encoding: second, selection: { tableId, pageId, lsn }, tables: new Map() }),
      );
      const two = again.record(tableId, pageId, lsn) as PageRecord;
      const { originalChecksum, generation } = readBlockHeaders(two.data);
      assert.is(generation, second);
      assert.is(originalChecksum, readBlockHeaders(one.data).originalChecksum);
      assert.is(two.backlinkLsn, one.backlinkLsn);
      assert.is(findingsOf(again, "a_small").summary.errors, 0);
    }
});

/** The store with one record changed, its checksum made right again. */
function changed(log: MemoryPageLog, which: PageRecord, change: (block: Uint8Array) => void): MemoryPageLog {
  const contents: PageLogContents = {
    *records() {
      for (const record of log.records()) {
        if (record.lsn !== which.lsn) yield record;
        else {
          const data = record.data.slice();
          change(data);
          const field = PAGE_HEADER.size + BLOCK_HEADER.checksum;
          const view = new DataView(data.buffer);
          view.setUint32(field, crc32cWithZeroedField(data, 0, data.length, field), true);
          yield { ...record, data };
        }
      }
    },
    checkpoints: () => log.checkpoints(),
    globals: log.globals,
  };
  return MemoryPageLog.of(contents);
}

const codes = (log: MemoryPageLog): Set<string> =>
  new Set(
    findingsOf(log, "a_small")
      .findings.filter(({ severity }) => severity === "error")
      .map(({ code }) => code),
  );
const flip = (at: number) => (block: Uint8Array) => {
  block[at] = (block[at] as number) ^ 1;
};

test("a wrong original checksum is found, and read by nobody", () => {
  for (const [encoding, field] of [
    ["modified", BLOCK_HEADER.previousChecksum],
    ["extended", BLOCK_HEADER.originalChecksum],
  ] as const) {
    const { log } = replaced("a_small", encoding);
    const one = [...log.records()].filter(isReplacement).at(-1) as PageRecord;
    const bad = changed(log, one, flip(PAGE_HEADER.size + field));
    assert.ok(codes(bad).has("address-agreement"));
    assert.throws(() => [...dump(new PageLogDatabase(bad, "a_small", {}))], /another checksum/);
  }
});

test("a replacement flag without an original checksum, and the other way round, is found", () => {
  const { log } = replaced("a_small", "extended");
  const one = [...log.records()].filter(isReplacement).at(-1) as PageRecord;
  const at = PAGE_HEADER.size;
  const noChecksum = changed(log, one, (block) =>
    block.fill(0, at + BLOCK_HEADER.originalChecksum, at + BLOCK_HEADER.extendedSize),
  );
  assert.ok(codes(noChecksum).has("address-agreement"));
  const noFlag = changed(log, one, (block) => {
    block[at + BLOCK_HEADER.flags] = (block[at + BLOCK_HEADER.flags] as number) & ~blockFlags.replacement;
  });
  assert.ok(codes(noFlag).size > 0);
  const { log: modified } = replaced("a_small", "modified");
  const plain = changed(
    modified,
    [...modified.records()].filter(isReplacement).at(-1) as PageRecord,
    (block) => {
      block[at + BLOCK_HEADER.flags] = (block[at + BLOCK_HEADER.flags] as number) & ~blockFlags.modified;
    },
  );
  assert.ok(codes(plain).has("address-agreement"));
});

/** A database with chains of deltas, all of them replaced, and then a leader's deltas on top. */
function deltasOnTop(encoding: ReplacementEncoding): {
  log: MemoryPageLog;
  delta: PageRecord;
  below: PageRecord;
} {
  const generation = encoding === "extended" ? writeGenerations.extended : newestGeneration;
  const text = (value: string) => Buffer.from(`${value}\0`);
  const edits = (step: number) =>
    Array.from({ length: 60 }, (_, n) => n)
      .filter((n) => n % step === 0)
      .map((n) => ({ key: text(`key${100 + n}`), value: text(`value ${n} of ${step} `.repeat(3)) }));
  const first = new MemoryPageLog();
  const leader = DatabaseNode.open(first, { generation });
  leader.createTable("t", { keyFormat: "S", valueFormat: "S" }).load(edits(1));
  for (const step of [30, 20]) {
    leader.checkpoint();
    leader.table("t").edit(edits(step));
  }
  leader.checkpoint();
  const log = MemoryPageLog.of(
    replacePages(first, { encoding, selection: { minDeltas: 1 }, tables: new Map() }),
  );
  const { summary, findings } = findingsOf(log, "t");
  assert.is(summary.errors + summary.warnings, 0);
  assert.equal(findings, [], "database_size is what it was, and is right");
  const next = DatabaseNode.open(log, { generation });
  next.table("t").edit(edits(30));
  next.checkpoint();
  assert.equal(findingsOf(log, "t").findings, []);
  const records = [...log.records()];
  const at = records.findIndex(
    ({ isDelta }, index) => isDelta && isReplacement(records[index - 1] as PageRecord),
  );
  assert.ok(at > 0, "a delta follows a replacement");
  return { log, delta: records[at] as PageRecord, below: records[at - 1] as PageRecord };
}

test("a delta chained to the wrong checksum behind a replacement is found, and read by nobody", () => {
  for (const encoding of ENCODINGS) {
    const { log, delta, below } = deltasOnTop(encoding);
    const { checksum, originalChecksum } = readBlockHeaders(below.data);
    const field = PAGE_HEADER.size + BLOCK_HEADER.previousChecksum;
    const chainedTo = (previous: number): MemoryPageLog =>
      changed(log, delta, (block) => new DataView(block.buffer).setUint32(field, previous, true));
    const isBroken = (previous: number): boolean => {
      const bad = chainedTo(previous);
      // The address is told the delta's new checksum by nobody: that is another finding.
      const found = codes(bad).has("block-previous-checksum");
      const source = new PageLogSource(bad, { ...PLAIN, tableId: delta.tableId }, new SoundImages({}));
      const address = candidateOf(bad.record(delta.tableId, delta.pageId, delta.lsn) as PageRecord);
      if (found) assert.throws(() => source.page(address?.cookie as Uint8Array), /does not follow/);
      else source.page(address?.cookie as Uint8Array);
      return found;
    };
    assert.is(isBroken(originalChecksum), false, encoding);
    assert.is(isBroken(originalChecksum ^ 1), true, encoding);
    assert.is(isBroken(0), true, encoding);
    // Only where the header has both may it be the image's own.
    assert.is(isBroken(checksum.stored), encoding === "modified", encoding);
  }
});

test("the command's library writes a store of its own, or nothing", () => {
  const folder = mkdtempSync(join(tmpdir(), "pugmark-replace-"));
  const source = corpusPath("palm", "a_small");
  try {
    for (const outputKind of ["page-log-jsonl", "palite"] as const) {
      const output = join(folder, outputKind);
      const report = replaceStore(source, output, {
        encoding: "modified",
        wanted: { minDeltas: 3 },
        outputKind,
      });
      assert.is(report.kept.length, 0);
      assert.ok(report.chains.length > 0 && report.chains.every(({ records }) => records > 3));
      assert.ok(report.chains.every(({ bytesAfter, bytesBefore }) => bytesAfter < bytesBefore));
      const [before, after] = [openDatabase(source), openDatabase(output)];
      assert.ok(assertSameRows(before, after) > 1000);
      before.close();
      after.close();
    }
    const output = join(folder, "none");
    const one = (wanted: { pageId: bigint; lsn?: bigint; table?: string }) => () =>
      replaceStore(source, output, { encoding: "modified", wanted: { table: "41", ...wanted } });
    assert.throws(one({ pageId: 7777n }), (error: unknown) => error instanceof ReplaceError);
    assert.throws(one({ pageId: 101n, lsn: 22n }), /not the last record of a chain/);
    assert.throws(one({ pageId: 101n, table: "nope" }), /no table nope/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
