/** Databases of every generation are sound after every checkpoint, and so are they with images in place of chains. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { MAX_TIMESTAMP, MAX_TRANSACTION, type TimeWindow } from "../../formats/time-window.js";
import { type RandomSource, seededRandom } from "../../src/codec/index.js";
import { MemoryPageLog } from "../../src/store/memory-page-log.js";
import { PageLogDatabase } from "../../src/tree/page-log/database.js";
import { verifyPageLog } from "../../src/verify/page-log/verify.js";
import { Detected, Run } from "../../src/verify/run.js";
import { type WriteGeneration, writeGenerations } from "../../src/write/generation.js";
import { replacePages } from "../../src/write/replace/replace-pages.js";
import { DatabaseNode } from "../../src/write/roles/node.js";
import type { RowEdit, WriteRow } from "../../src/write/types.js";

const compressors = ["", "snappy", "zlib", "lz4"];
const TABLE = "t";

function windowAt(random: RandomSource, timestamp: bigint): TimeWindow | undefined {
  if (random.below(3) === 0) return undefined;
  const stopped = random.below(4) === 0;
  return {
    startTs: timestamp,
    startTxn: BigInt(random.below(100)),
    durableStartTs: timestamp,
    stopTs: stopped ? timestamp + 1n : MAX_TIMESTAMP,
    stopTxn: stopped ? 100n : MAX_TRANSACTION,
    durableStopTs: stopped ? timestamp + 1n : 0n,
    prepare: false,
  };
}

function edits(random: RandomSource, count: number, removals: number, timestamp: bigint): RowEdit[] {
  const found = new Map<number, RowEdit>();
  for (let i = 0; i < count; i++) {
    const number = random.below(3000);
    const key = Buffer.from(`key${String(number).padStart(6, "0")}`);
    const value = Buffer.alloc(random.below(80), 97 + random.below(26));
    const set = { key, value, window: windowAt(random, timestamp) };
    found.set(number, random.below(100) < removals ? { key } : set);
  }
  return [...found].sort(([a], [b]) => a - b).map(([, edit]) => edit);
}

function assertSound(log: MemoryPageLog, what: string): void {
  const run = new Run({}, log.size);
  const detected = new Detected(log.path, log.kind);
  run.addInput(detected);
  verifyPageLog(log, run, detected);
  const { summary, findings } = run.report();
  const { errors, warnings, complete } = summary;
  const first = findings.find(({ severity }) => severity !== "info");
  assert.equal(
    { errors, warnings, complete },
    { errors: 0, warnings: 0, complete: true },
    `${what}: ${first?.code} ${first?.message}`,
  );
}

/** Every row at every checkpoint, now and at the checkpoint's timestamp. */
function dump(log: MemoryPageLog): string[] {
  const database = new PageLogDatabase(log, log.path, {});
  return database
    .checkpoints()
    .flatMap(({ lsn, timestamp }) =>
      database
        .tables(`lsn:${lsn}`)
        .flatMap(({ uri }) =>
          [undefined, timestamp].flatMap((at) =>
            Array.from(
              database.table(uri, `lsn:${lsn}`).rows({ timestamp: at }),
              ({ key, value }) =>
                `${lsn} ${uri} ${at} ${Buffer.from(key as Uint8Array).toString("hex")} ${Buffer.from(value).toString("hex")}`,
            ),
          ),
        ),
    );
}

for (const generation of Object.values(writeGenerations) as WriteGeneration[])
  test(`${generation.name}: sound after every checkpoint`, () => {
    const random = seededRandom(generation.name.charCodeAt(6) * 7 + generation.cookie.length);
    const old = generation.cookie === "B";
    const log = new MemoryPageLog({ checkpointIds: old, ...(old && { firstLsn: 1n }) });
    const node = DatabaseNode.open(log, { generation, now: () => 1_750_000_000n });
    const table = node.createTable(TABLE, {
      leafPageMax: 1024,
      internalPageMax: 1024,
      deltaPct: 80,
      maxConsecutiveDelta: 8,
      compressor: compressors[random.below(compressors.length)] as string,
      prefixCompression: random.below(2) === 0,
    });
    table.load(edits(random, 600, 0, 5n) as WriteRow[]);
    node.setStableTimestamp(10n);
    node.checkpoint();
    assertSound(log, "first checkpoint");
    for (let round = 1n; round <= 4n; round++) {
      node.table(TABLE).edit(edits(random, random.below(120), 25, 10n * round + 1n));
      node.setStableTimestamp(10n * round + 10n);
      node.checkpoint();
      assertSound(log, `round ${round}`);
    }
    assert.ok([...log.records()].some(({ isDelta, discarded }) => isDelta && !discarded));
    if (generation.cookie !== "D'" || generation.delta !== "Bu") return;
    const rows = dump(log);
    for (const encoding of ["modified", "extended"] as const) {
      let chains = 0;
      const contents = replacePages(log, {
        encoding,
        selection: { minDeltas: 1 },
        tables: new Map(),
        onReplaced: () => void chains++,
        onFault: (fault) => {
          throw fault;
        },
      });
      const copy = MemoryPageLog.of(contents);
      assert.ok(chains > 0);
      assertSound(copy, `replaced, ${encoding}`);
      assert.equal(dump(copy), rows);
    }
  });

test("edits go on behind replacements, on deltas that name the original checksum", () => {
  const generation = writeGenerations["2026-07"];
  for (const encoding of ["modified", "extended"] as const) {
    const random = seededRandom(7);
    const log = new MemoryPageLog();
    const node = DatabaseNode.open(log, { generation });
    const options = { leafPageMax: 4096, internalPageMax: 1024, deltaPct: 80 };
    node.createTable(TABLE, options).load(edits(random, 600, 0, 5n) as WriteRow[]);
    node.setStableTimestamp(10n);
    node.checkpoint();
    node.table(TABLE).edit(edits(random, 30, 10, 11n));
    node.setStableTimestamp(20n);
    node.checkpoint();
    const copy = MemoryPageLog.of(
      replacePages(log, { encoding, selection: { minDeltas: 1 }, tables: new Map() }),
    );
    const next = edits(random, 30, 10, 21n);
    const after = [log, copy].map((each) => {
      const again = DatabaseNode.open(each, { generation });
      again.table(TABLE).edit(next);
      again.setStableTimestamp(30n);
      again.checkpoint();
      assertSound(each, encoding);
      return dump(each).filter((row) => row.startsWith(String(each.checkpoints().at(-1)?.lsn)));
    });
    assert.ok(after.every((rows) => rows.length > 500));
    const rest = (rows: readonly string[] = []): string[] =>
      rows.filter((row) => row.includes(`${TABLE}.wt_stable`)).map((row) => row.slice(row.indexOf(" ")));
    assert.equal(rest(after[1]), rest(after[0]));
  }
});

test.run();
