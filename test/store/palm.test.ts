import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openJsonlExport } from "../../src/store/jsonl.js";
import { openPageLog } from "../../src/store/open.js";
import { openPalm } from "../../src/store/palm.js";
import type { PageLog, PageRecord } from "../../src/store/types.js";
import { corpusPath } from "../support/corpus.js";
import { snapshot } from "../support/directories.js";

const test = suite("PALM page logs");
const STORES = [
  "a_chain",
  "a_noreopen",
  "a_small",
  "c_compress",
  "d_encrypt_rotn",
  "e_ts",
  "f_switch",
  "g_crash",
  "trees",
];
const dataOf = (store: string): string => corpusPath("palm", store, "kv_home", "data.mdb");

interface Stats {
  records: number;
  tables: Record<
    string,
    { base: number; delta: number; bytes_base: number; bytes_delta: number; distinct_pages: number }
  >;
}

/** What `stats.json` says of a store, counted from its records. */
function countRecords(log: PageLog): Stats {
  const tables: Stats["tables"] = {};
  const pages = new Set<string>();
  let records = 0;
  for (const { tableId, pageId, isDelta, data, issues } of log.records()) {
    assert.equal(issues, []);
    records++;
    const key = tableId.toString();
    tables[key] ??= { base: 0, delta: 0, bytes_base: 0, bytes_delta: 0, distinct_pages: 0 };
    const table = tables[key];
    table[isDelta ? "delta" : "base"]++;
    table[isDelta ? "bytes_delta" : "bytes_base"] += data.length;
    if (!pages.has(`${tableId} ${pageId}`)) table.distinct_pages++;
    pages.add(`${tableId} ${pageId}`);
  }
  return { records, tables };
}

for (const store of STORES)
  test(`${store}: every record, counter and checkpoint`, () => {
    const log = openPalm(dataOf(store));
    const stats = JSON.parse(readFileSync(corpusPath("palm", store, "stats.json"), "utf8")) as Stats;
    const counted = countRecords(log);
    assert.is(counted.records, stats.records);
    for (const [table, expected] of Object.entries(stats.tables))
      for (const [name, value] of Object.entries(counted.tables[table] ?? {}))
        assert.is(value, expected[name as keyof typeof expected], `table ${table} ${name}`);
    assert.equal(Object.keys(counted.tables).sort(), Object.keys(stats.tables).sort());
    assert.equal(log.issues, []);
    assert.is(log.generation, "PALM 88-byte keys");
    checkCheckpoints(log, readFileSync(corpusPath("palm", store, "config.txt"), "utf8"));
    log.close();
  });

/** `config.txt` has a line a checkpoint: `checkpoint() -> lsn=20 id=1 ts=0 meta=id=1,metadata_lsn=19`. */
function checkCheckpoints(log: PageLog, config: string): void {
  const expected = [...config.matchAll(/-> lsn=(\d+) id=(\d+) ts=(\d+) meta=(\S+)/g)].map(
    ([, lsn, id, , text]) => `${lsn} ${id} ${text}`,
  );
  const found = log
    .checkpoints()
    .map(({ lsn, checkpointId, metadata }) => `${lsn} ${checkpointId} ${Buffer.from(metadata).toString()}`);
  assert.equal(found, [...new Set(expected)]);
  const last = log.checkpoints().at(-1);
  assert.is(log.globals.checkpointCompleted, last?.checkpointId);
  assert.is(log.globals.lsnCounterIs, "next");
}

const comparable = ({ place: _place, data, issues, ...record }: PageRecord) => ({
  ...record,
  issues: issues.length,
  data: Buffer.from(data).toString("hex"),
});

test("a_small: every record and attribute is that of the export", () => {
  const [store, dump] = [
    openPalm(dataOf("a_small")),
    openJsonlExport(corpusPath("palm", "a_small", "export")),
  ];
  const expected = [];
  for (const record of dump.records()) expected.push(comparable(record));
  assert.is(expected.length, 160);
  let at = 0;
  for (const record of store.records()) assert.equal(comparable(record), expected[at++]);
  assert.is(at, expected.length);
  assert.equal(store.globals, dump.globals);
  const checkpoints = (log: PageLog) =>
    log
      .checkpoints()
      .map(({ place: _place, ...rest }) => ({ ...rest, metadata: Buffer.from(rest.metadata) }));
  assert.equal(checkpoints(store), checkpoints(dump));
  assert.equal(dump.issues, []);
});

test("chains and single records are those a walk over all records gives", () => {
  for (const store of ["a_chain", "g_crash"]) {
    const log = openPalm(dataOf(store));
    const all: { tableId: bigint; pageId: bigint; lsn: bigint; isDelta: boolean; hex: string }[] = [];
    for (const { tableId, pageId, lsn, isDelta, data } of log.records())
      all.push({ tableId, pageId, lsn, isDelta, hex: Buffer.from(data).toString("hex") });
    const kept: Array<readonly [PageRecord, string | undefined]> = [];
    all.forEach(({ tableId, pageId, lsn }, at) => {
      const from = all.findLastIndex((other, index) => index <= at && !other.isDelta);
      const chain = log.chain(tableId, pageId, lsn);
      assert.equal(
        chain.map((record) => [record.lsn, Buffer.from(record.data).toString("hex")]),
        all.slice(from, at + 1).map((record) => [record.lsn, record.hex]),
      );
      const record = log.record(tableId, pageId, lsn) as PageRecord;
      kept.push([record, all[at]?.hex]);
    });
    // Behind all other reads: the bytes of a single record stay what they were.
    for (const [{ data }, hex] of kept) assert.is(Buffer.from(data).toString("hex"), hex);
    const [first] = all as [(typeof all)[number]];
    assert.equal(log.chain(first.tableId, first.pageId, 0n), []);
    assert.is(log.record(first.tableId, first.pageId, 0n), undefined);
    assert.equal(log.chain(77n, 1n, (1n << 64n) - 1n), []);
    log.close();
  }
});

test("a chain above the limit is cut to its newest records, and said so", () => {
  const log = openPalm(dataOf("a_chain"));
  let longest: PageRecord | undefined;
  for (const record of log.records())
    if (longest === undefined || log.chain(record.tableId, record.pageId, record.lsn).length > 30)
      longest = { ...record };
  const { tableId, pageId, lsn } = longest as PageRecord;
  const whole = log.chain(tableId, pageId, lsn);
  assert.ok(whole.length > 30);
  const cut = log.chain(tableId, pageId, lsn, 10);
  assert.equal(
    cut.map((record) => record.lsn),
    whole.slice(-10).map((record) => record.lsn),
  );
  assert.equal(
    log.issues.map(({ code }) => code),
    ["chain-length"],
  );
});

test("the directory, its kv_home and the file itself open the same store; nothing beside them changes", () => {
  const folder = corpusPath("palm", "f_switch");
  const before = snapshot(folder);
  for (const path of [folder, corpusPath("palm", "f_switch", "kv_home"), dataOf("f_switch")]) {
    const log = openPageLog(path);
    assert.is(countRecords(log).records, 103);
    log.close();
  }
  assert.equal(snapshot(folder), before);
});

test.run();
