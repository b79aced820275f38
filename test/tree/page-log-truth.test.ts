/** Rows of page logs against the engine's dumps of the same checkpoints. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openDatabase } from "../../src/tree/index.js";
import type { Database, TreeRow } from "../../src/tree/types.js";
import { corpusPath } from "../support/corpus.js";
import { type Truth, truth, truthOf, truthOfDump } from "../support/truth.js";

const HISTORY = "file:WiredTigerSharedHS.wt_stable";

interface Dump {
  readonly path: string;
  readonly store: string;
  readonly checkpoint: string;
  readonly table: string;
  readonly timestamp: bigint | undefined;
  readonly truth: Truth;
}

const dumps: readonly Dump[] = Object.entries(truth).flatMap(([path, expected]) => {
  const match = /^palm\/(\w+)\/truth\/ckpt-(\d+)\/(\w+?)(?:@ts(\d+))?\.dump$/.exec(path);
  if (match === null) return [];
  const [, store, checkpoint, table, timestamp] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
  ];
  const name = table === "shared_metadata" ? "file:WiredTigerShared.wt_stable" : table.replace(/^file_/, "");
  return [
    {
      path,
      store,
      checkpoint,
      table: table === "history_store" ? HISTORY : name,
      timestamp: timestamp === undefined ? undefined : BigInt(timestamp),
      truth: expected,
    },
  ];
});
const stores = [...new Set(dumps.map(({ store }) => store))];
const e_ts = corpusPath("palm", "e_ts");

function withStore<T>(path: string, work: (database: Database) => T): T {
  const database = openDatabase(path);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** The engine of this time loses rows in reads at a timestamp; the cells hold them. */
const KEYS_LOST_BY_ENGINE = Array.from({ length: 17 }, (_, i) => `key00${2004 + i}`);
const LOST_BY_ENGINE = "palm/e_ts/truth/ckpt-9/t1@ts55.dump";

const test = suite("page-log rows against the engine");

test("every store of the corpus has dumps to compare with", () => {
  assert.is(stores.length, 9);
  assert.is(dumps.filter(({ timestamp }) => timestamp === undefined).length, 241);
  assert.is(dumps.filter(({ timestamp }) => timestamp !== undefined).length, 21);
});

for (const store of stores)
  test(`${store}: every table at every checkpoint, byte for byte`, () => {
    const own = dumps.filter(
      (dump) => dump.store === store && dump.timestamp === undefined && dump.table !== HISTORY,
    );
    assert.ok(own.length > 0);
    withStore(corpusPath("palm", store), (database) => {
      for (const { path, table, checkpoint, truth: expected } of own) {
        assert.equal(truthOf(database.table(table, checkpoint).rows()), expected, path);
        assert.equal(truthOfDump(database.table(table, checkpoint).reader()), expected, path);
      }
      assert.equal(database.problems, []);
    });
  });

for (const store of ["e_ts", "trees"])
  test(`${store}: every table at every timestamp`, () => {
    const own = dumps.filter((dump) => dump.store === store && dump.timestamp !== undefined);
    assert.ok(own.length > 0);
    withStore(corpusPath("palm", store), (database) => {
      for (const { path, table, checkpoint, timestamp, truth: expected } of own)
        if (path !== LOST_BY_ENGINE)
          assert.equal(truthOf(database.table(table, checkpoint).rows({ timestamp })), expected, path);
    });
  });

/**
 * A raw cursor of the engine hides versions, nearly always all of them; at the last checkpoint it hides none. That ours
 * are right show the reads at timestamps above, which take them from there.
 */
const HISTORY_HIDDEN_BY_ENGINE: Readonly<Record<string, readonly number[]>> = {
  e_ts: [1, 2, 3, 4, 5, 6, 7, 8],
  trees: [5, 7],
};

for (const [store, checkpoints] of Object.entries(HISTORY_HIDDEN_BY_ENGINE))
  test(`${store}: history dumps of the engine that show fewer versions than there are`, () => {
    withStore(corpusPath("palm", store), (database) => {
      const shorter = dumps.filter((dump) => {
        if (dump.store !== store || dump.table !== HISTORY) return false;
        const exists = database.tables(dump.checkpoint).some(({ uri }) => uri === HISTORY);
        const ours = exists ? [...database.table(HISTORY, dump.checkpoint).rows()].length : 0;
        assert.ok(ours >= dump.truth.rows, dump.path);
        return ours > dump.truth.rows;
      });
      assert.equal(shorter.map(({ checkpoint }) => Number(checkpoint)).sort(), checkpoints);
    });
  });

for (const store of ["e_ts", "trees"])
  test(`${store}: the history store of the last checkpoint, every version`, () => {
    const last = dumps.filter((dump) => dump.store === store && dump.table === HISTORY).at(-1) as Dump;
    assert.ok(last.truth.rows > 700);
    withStore(corpusPath("palm", store), (database) =>
      assert.equal(truthOf(database.table(HISTORY, last.checkpoint).rows()), last.truth),
    );
  });

test("e_ts: 17 rows that the engine's own read at timestamp 55 lost are in the cells, and in ours", () => {
  const expected = truth[LOST_BY_ENGINE] as Truth;
  assert.is(expected.rows, 1845);
  withStore(e_ts, (database) => {
    const rows = [...database.table("t1", "9").rows({ timestamp: 55n })];
    assert.is(rows.length, 1862);
    const earlier = new Map(Array.from(database.table("t1", "6").rows(), (row) => [textOf(row.key), row]));
    for (const key of KEYS_LOST_BY_ENGINE) {
      const row = rows.find((other) => textOf(other.key) === key);
      assert.equal(row?.value, earlier.get(key)?.value, `${key} has the value it had at checkpoint 6`);
    }
    const others = rows.filter(({ key }) => !KEYS_LOST_BY_ENGINE.includes(textOf(key)));
    assert.equal(truthOf(others), expected, "all other rows are the engine's");
  });
});

test("e_ts: rows of a prepared transaction are shown as the engine does, and say so", () => {
  withStore(e_ts, (database) => {
    const prepared = (checkpoint: string): TreeRow[] =>
      [...database.table("t1", checkpoint).rows()].filter(({ window }) => window?.prepare === true);
    assert.is(prepared("6").length, 0);
    const rows = prepared("7");
    assert.equal(
      rows.map(({ key }) => textOf(key)),
      Array.from({ length: 30 }, (_, i) => `key00${2200 + i}`),
    );
    for (const { window, value } of rows) {
      assert.is(window?.startTs, 50n);
      assert.is(Buffer.from(value).toString("latin1").startsWith("prepared@50"), true);
    }
  });
});

test("a_small: the page log truly holds 998 rows", () => {
  withStore(corpusPath("palm", "a_small"), (database) =>
    assert.is([...database.table("layered:small").rows()].length, 998),
  );
});

test("an export of a store gives the same rows, whatever the table is called", () => {
  const expected = truth["palm/a_small/truth/ckpt-7/small.dump"] as Truth;
  withStore(corpusPath("palm", "a_small", "export"), (database) => {
    assert.is(database.kind, "page-log-jsonl");
    for (const name of ["small", "layered:small", "file:small.wt_stable"])
      assert.equal(truthOf(database.table(name).rows()), expected, name);
  });
});

test("a checkpoint is found by its number and by its LSN", () => {
  withStore(corpusPath("palm", "f_switch"), (database) => {
    assert.equal(
      database.checkpoints().map(({ number }) => number),
      [1n, 2n, 10n, 11n],
    );
    const [, second] = database.checkpoints();
    assert.is(database.table("sw", "2").checkpoint?.lsn, second?.lsn);
    assert.is(database.table("sw", `lsn:${second?.lsn}`).checkpoint?.number, 2n);
    assert.throws(
      () => database.table("sw", "3"),
      (error: { code?: string }) => error.code === "no-checkpoint",
    );
    assert.throws(
      () => database.table("nothing"),
      (error: { code?: string }) => error.code === "no-table",
    );
  });
});

test("a row says which record it is from", () => {
  withStore(corpusPath("palm", "a_small"), (database) => {
    const deltas = [...database.table("small").rows()].filter(({ origin }) => origin.isDelta);
    const row = deltas.find(({ key }) => textOf(key) === "key000122");
    assert.ok(deltas.length > 0);
    assert.is(row?.origin.pageId, 101n);
    assert.is(row?.offset, 36, "the first entry of an old delta");
  });
});

test.run();

function textOf(key: TreeRow["key"]): string {
  return Buffer.from(key as Uint8Array)
    .toString("latin1")
    .replace(/\0$/, "");
}
