/** Nodes and their roles, what they refuse, and stores that go on from real ones. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { MAX_TIMESTAMP, MAX_TRANSACTION, type TimeWindow } from "../../formats/time-window.js";
import { copyRecord } from "../../src/store/chain.js";
import { exportPageLog } from "../../src/store/jsonl-writer.js";
import { MemoryPageLog } from "../../src/store/memory-page-log.js";
import { openPageLog } from "../../src/store/open.js";
import { openWritablePageLog } from "../../src/store/open-writable.js";
import { openDatabase } from "../../src/tree/open.js";
import type { TreeRow } from "../../src/tree/types.js";
import { fileRow, layeredRow, storedRow, withCheckpoint } from "../../src/write/checkpoint/metadata-rows.js";
import { pickUp } from "../../src/write/checkpoint/pick-up.js";
import { turtlePage } from "../../src/write/checkpoint/turtle-page.js";
import { writeGenerations } from "../../src/write/generation.js";
import { DatabaseNode } from "../../src/write/roles/node.js";
import { ScriptedKeys } from "../../src/write/scenarios/scripted-keys.js";
import { keyBytes, valueBytes } from "../../src/write/scenarios/workload.js";
import { corpusPath } from "../support/corpus.js";
import { inTemporaryFolder } from "../support/directories.js";
import { assertHolds, assertSound, contentOf, play } from "../support/scenario-check.js";

const test = suite("nodes");
const mid2025 = writeGenerations["2025-06"];
const row = (n: number, value = `value ${n}`) => ({ key: keyBytes(n), value: valueBytes(value) });
const rows = (...numbers: number[]) => numbers.map((n) => row(n));

function codeOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
  return undefined;
}

const leader = (log = new MemoryPageLog()): DatabaseNode =>
  DatabaseNode.open(log, { keyProvider: new ScriptedKeys(1, () => 1) });

test("a follower refuses every write, and says why", () => {
  const log = new MemoryPageLog();
  leader(log).checkpoint();
  const follower = DatabaseNode.open(log, { role: "follower" });
  const table = leader(log).createTable("t");
  const writes: Array<() => unknown> = [
    () => follower.createTable("t"),
    () => follower.table("t"),
    () => follower.checkpoint(),
    () => follower.setStableTimestamp(1n),
    () => follower.setOldestTimestamp(1n),
    () => follower.setKey(new Uint8Array(1), 1n),
    () => follower.stepDown(),
  ];
  for (const write of writes) {
    assert.is(codeOf(write), "follower");
    assert.throws(write, /the node is a follower, which only reads; step up first/);
  }
  assert.ok(table);
  assert.is(
    codeOf(() => DatabaseNode.open(openPageLog(corpusPath("palm/a_small")), { role: "leader" })),
    "read-only",
  );
});

test("a leader's tables do not outlive its role", () => {
  const node = leader();
  const table = node.createTable("t").load(rows(1));
  node.checkpoint();
  table.edit(rows(2));
  node.stepDown();
  assert.is(
    codeOf(() => table.edit(rows(3))),
    "follower",
  );
  node.stepUp();
  assert.is(
    codeOf(() => node.stepUp()),
    "leader",
  );
  assert.is(
    codeOf(() => node.pickUp()),
    "leader",
  );
  node.checkpoint();
  assert.is([...node.reader().table("t").rows()].length, 1, "what was given before is dropped");
});

test("a follower opens the checkpoint it is given, and picks up another", () => {
  const log = new MemoryPageLog();
  const node = leader(log);
  node.createTable("t").load(rows(1, 2));
  const first = node.checkpoint();
  node.table("t").edit([{ key: keyBytes(1) }]);
  const second = node.checkpoint();
  const text = (lsn: bigint) => log.checkpoints().find((one) => one.lsn === lsn)?.metadata as Uint8Array;
  const follower = DatabaseNode.open(log, { role: "follower", checkpoint: text(first.lsn) });
  assert.is(follower.checkpointed?.lsn, first.lsn);
  assert.is(follower.pickUp(new TextDecoder().decode(text(second.lsn)))?.lsn, second.lsn);
  assert.is(
    codeOf(() => follower.pickUp("metadata_lsn=1,metadata_checksum=0")),
    "no-checkpoint",
  );
  assert.is(
    codeOf(() => follower.pickUp("nonsense(")),
    "no-checkpoint",
  );
  assert.is(follower.checkpointed?.lsn, second.lsn, "a failed pick-up leaves the follower where it is");
});

test("bad input is refused, and the next checkpoint works", () => {
  const log = new MemoryPageLog();
  const node = leader(log);
  const table = node.createTable("t");
  assert.is(
    codeOf(() => table.load(rows(2, 1))),
    "unsorted-rows",
  );
  assert.is(
    codeOf(() => table.load(rows(1, 1))),
    "unsorted-rows",
  );
  table.load(rows(1, 2, 3));
  assert.is(
    codeOf(() => table.load(rows(4))),
    "table-loaded",
  );
  assert.is(
    codeOf(() => table.edit(rows(2, 1))),
    "unsorted-rows",
  );
  assert.is(
    codeOf(() => node.createTable("t")),
    "table-exists",
  );
  assert.is(
    codeOf(() => node.createTable("a,b=(")),
    "table-name",
  );
  assert.is(
    codeOf(() => node.table("none")),
    "no-table",
  );
  node.setStableTimestamp(10n);
  assert.is(
    codeOf(() => node.setStableTimestamp(9n)),
    "timestamp",
  );
  assert.is(
    codeOf(() => node.setOldestTimestamp(11n)),
    "timestamp",
  );
  assert.is(
    codeOf(() => table.edit([{ ...row(5), window: committed(10n) }])),
    "timestamp",
  );
  table.edit([{ ...row(5), window: committed(11n) }]);
  node.checkpoint();
  assertSound(log, "after bad input");
  assert.is([...node.reader().table("t").rows()].length, 4);
  const lazy = node.createTable("lazy").load({
    *[Symbol.iterator]() {
      yield* rows(1, 2, 2);
    },
  });
  assert.is(
    codeOf(() => node.checkpoint()),
    "unsorted-rows",
  );
  assert.is(log.checkpoints().length, 1);
  assert.ok(lazy);
});

test("values that would be read as escaped ones are refused where they are", () => {
  const value = Uint8Array.of(0x14, 0x14, 1);
  for (const [generation, kind, code] of [
    [writeGenerations["2026-05"], "layered", "escaped-value"],
    [writeGenerations["2026-05"], "file", undefined],
    [writeGenerations["2026-07"], "layered", undefined],
  ] as const) {
    const node = DatabaseNode.open(new MemoryPageLog(), { generation });
    const table = node.createTable("t", { kind });
    const edits = [
      { key: keyBytes(1), value: value.subarray(0, 1) },
      { key: keyBytes(2), value },
    ];
    assert.is(
      codeOf(() => table.edit(edits)),
      code,
    );
    assert.is(
      codeOf(() => node.createTable("u", { kind }).load(edits)),
      code,
    );
  }
});

const committed = (timestamp: bigint): TimeWindow => ({
  startTs: timestamp,
  startTxn: 1n,
  durableStartTs: timestamp,
  stopTs: MAX_TIMESTAMP,
  stopTxn: MAX_TRANSACTION,
  durableStopTs: 0n,
  prepare: false,
});

test("later edits of a key replace earlier ones; a table without changes keeps its checkpoint", () => {
  const log = new MemoryPageLog();
  const node = leader(log);
  node
    .createTable("t")
    .edit(rows(1, 3))
    .edit([row(2), row(3, "new"), { key: keyBytes(4) }]);
  node.createTable("u", { kind: "file" }).load(rows(9));
  node.checkpoint();
  const before = pickUp(log, log.checkpoints()[0]!).tables.get("file:u");
  assert.equal(
    contentOf(node.reader(), ["t"]).get("t"),
    new Map([
      [1, "value 1"],
      [2, "value 2"],
      [3, "new"],
    ]),
  );
  const records = [...log.records()].length;
  node.table("t").edit([{ key: keyBytes(77) }]);
  node.setStableTimestamp(5n);
  node.checkpoint();
  assert.is([...log.records()].length, records + 1, "nothing changed: a turtle page is all that is put");
  node.table("t").edit(rows(7));
  node.checkpoint();
  const after = pickUp(log, log.checkpoints()[2]!).tables.get("file:u");
  assert.equal(after?.row.config.checkpoint, before?.row.config.checkpoint);
});

test("a second leader is locked out, in memory and on disk", () => {
  const log = new MemoryPageLog();
  const [one, two] = [leader(log), leader(log)];
  one.checkpoint();
  assert.is(
    codeOf(() => two.checkpoint()),
    "another-leader",
  );
  assert.is(log.checkpoints().length, 1);
  inTemporaryFolder((folder) => {
    const first = openWritablePageLog(folder, { create: true });
    assert.is(
      codeOf(() => openWritablePageLog(folder)),
      "locked",
    );
    first.close();
    openWritablePageLog(folder).close();
  });
});

test("a store is not continued in another generation", () => {
  const log = new MemoryPageLog();
  const node = leader(log);
  node.createTable("t").load(rows(1));
  node.checkpoint();
  assert.is(DatabaseNode.open(log).generation, writeGenerations["2026-07"]);
  assert.is(
    codeOf(() => DatabaseNode.open(log, { generation: mid2025 })),
    "generation",
  );
  assert.is(
    codeOf(() => DatabaseNode.open(log, { generation: writeGenerations.extended })),
    "generation",
  );
});

test("every turtle and record generation is read back", () => {
  const combinations = [
    { turtle: "L0", record: "R0" },
    { turtle: "L1", record: "R1" },
    { turtle: "V1", record: "R2" },
    { turtle: "V2", record: "R3" },
    { turtle: "V2+", record: "R3" },
    { turtle: "V2++", record: "R3" },
  ] as const;
  for (const layouts of combinations) {
    const generation = { ...writeGenerations["2026-07"], ...layouts };
    const log = new MemoryPageLog();
    const node = DatabaseNode.open(log, { generation });
    node.createTable("t").load(rows(1, 2));
    node.setStableTimestamp(0x1fn);
    node.checkpoint();
    const again = DatabaseNode.open(log, { generation });
    again.table("t").edit(rows(3));
    again.checkpoint();
    assert.is([...again.reader().table("t").rows()].length, 3, layouts.turtle);
    assertSound(log, layouts.turtle);
  }
});

/** Rows of the shared metadata of every checkpoint of a real store. */
function* realRows(store: string): Generator<TreeRow> {
  const database = openDatabase(corpusPath("palm", store));
  for (const { lsn } of database.checkpoints())
    yield* database.table("file:WiredTigerShared.wt_stable", `lsn:${lsn}`).rows();
  database.close();
}

const STORES = ["a_small", "e_ts", "f_switch", "g_crash", "c_compress"];

test("metadata rows are those of the engine, byte for byte", () => {
  let count = 0;
  for (const store of STORES) {
    const log = openPageLog(corpusPath("palm", store));
    const { tables, layered } = pickUp(log, log.checkpoints().at(-1)!);
    const stored = new Map(Array.from(realRows(store), ({ key, value }) => [String(key), value]));
    for (const { row: real } of tables.values()) {
      const { config } = real;
      // The history store, and tables with overflow settings: neither is made here.
      if (real.uri.includes("SharedHS") || config.leafKeyMax !== 0) continue;
      const made = fileRow(mid2025, real.uri, BigInt(config.id ?? 0), {
        ...(config.keyFormat === undefined ? {} : { keyFormat: config.keyFormat }),
        ...(config.valueFormat === undefined ? {} : { valueFormat: config.valueFormat }),
        compressor: config.blockCompressor ?? "",
        blockManager: config.blockManager === "disagg" ? "disagg" : "default",
        ...config.disaggregated,
        leafPageMax: config.leafPageMax ?? 0,
      });
      const { key, value } = storedRow(withCheckpoint(made, config.checkpoint!.at(-1)!));
      assert.is(Buffer.from(value).toString(), Buffer.from(stored.get(String(key)) ?? []).toString());
      count++;
    }
    for (const { uri, config } of layered.values()) {
      const { keyFormat = "", valueFormat = "", disaggregated = {} } = config;
      const { deltaPct, maxConsecutiveDelta } = disaggregated as {
        deltaPct?: number;
        maxConsecutiveDelta?: number;
      };
      const options = {
        keyFormat,
        valueFormat,
        ...(deltaPct === undefined ? {} : { deltaPct }),
        ...(maxConsecutiveDelta === undefined ? {} : { maxConsecutiveDelta }),
      };
      const { key, value } = storedRow(layeredRow(mid2025, uri.slice("layered:".length), options));
      assert.is(Buffer.from(value).toString(), Buffer.from(stored.get(String(key)) ?? []).toString());
      count++;
    }
    log.close();
  }
  assert.ok(count > 10);
});

test("turtle pages are those of the engine, up to a leading zero of the timestamp", () => {
  for (const store of STORES) {
    const log = openPageLog(corpusPath("palm", store));
    for (const checkpoint of log.checkpoints()) {
      const state = pickUp(log, checkpoint);
      const real = log.record(1n, 1n, checkpoint.lsn - 1n)?.data as Uint8Array;
      const made = turtlePage(mid2025, { ...state, metadata: state.metadata.entry! });
      const text = Buffer.from(real).toString().replace("timestamp=0a", "timestamp=a");
      assert.is(Buffer.from(made).toString(), text);
    }
    log.close();
  }
});

test("a real store is gone on with, and everything it held is still there", () => {
  for (const [store, table] of [
    ["a_small", "small"],
    ["f_switch", "sw"],
    ["g_crash", "g"],
  ] as const) {
    const real = openPageLog(corpusPath("palm", store));
    const log = MemoryPageLog.of({
      records: () => Array.from(real.records(), copyRecord),
      checkpoints: () => real.checkpoints(),
      globals: real.globals,
    });
    const node = DatabaseNode.open(log);
    assert.is(node.generation, mid2025);
    const before = [...node.reader().table(table).rows()].map(({ key, value }) => `${key}=${value}`);
    node.table(table).edit([{ key: Buffer.from("zzz\0"), value: Buffer.from("new\0") }]);
    node.checkpoint();
    const after = [...node.reader().table(table).rows()].map(({ key, value }) => `${key}=${value}`);
    assert.equal(after.slice(0, -1), before);
    assert.is(after.length, before.length + 1);
    real.close();
  }
});

test("a store of mid-2025 reads back equal from an export in PALM's layout", () => {
  for (const scenario of [
    "fresh-start",
    "no-change",
    "rotation-checkpoint",
    "delta-chains",
    "timestamps",
    "step-up",
  ] as const) {
    const { log, stage } = play(scenario, { generation: mid2025 });
    inTemporaryFolder((folder) => {
      exportPageLog(log, folder);
      const read = openPageLog(folder);
      assert.is(read.kind, "page-log-jsonl");
      assert.equal(Array.from(read.records(), bare), Array.from(log.records(), bare));
      assertSound(read, scenario);
      assertHolds(read, stage.published, mid2025, scenario);
      read.close();
    });
  }
});

const bare = (record: ReturnType<typeof copyRecord>) => {
  const { place: _, issues: __, timestampMaterializedUs: ___, data, ...rest } = record;
  return { ...rest, data: Buffer.from(data).toString("hex") };
};

test.run();
