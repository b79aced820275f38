/** Rows of classic files against the engine's dumps. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { packStruct } from "../../formats/packed-struct.js";
import { openDatabase } from "../../src/tree/index.js";
import type { Database, TreeRow } from "../../src/tree/types.js";
import { corpusPath } from "../support/corpus.js";
import { type Truth, truth, truthOf, truthOfDump } from "../support/truth.js";

interface Dump {
  readonly path: string;
  readonly home: string;
  readonly table: string;
  readonly timestamp: bigint | undefined;
  readonly truth: Truth;
}

const dumps: readonly Dump[] = Object.entries(truth).flatMap(([path, expected]) => {
  const match = /^(classic-[\d.]+\/\w+)\.\w+\/(\w+?)(?:\.dump-x|@(\d+))\.txt$/.exec(path);
  if (match === null) return [];
  const [, home, table, timestamp] = match as unknown as [string, string, string, string | undefined];
  return [
    {
      path,
      home,
      table,
      truth: expected,
      timestamp: timestamp === undefined ? undefined : BigInt(timestamp),
    },
  ];
});
const homes = [...new Set(dumps.map(({ home }) => home))];

/** A program that reads keys raw gets record numbers packed. */
function* rawKeys(rows: Iterable<TreeRow>): Generator<TreeRow> {
  for (const row of rows)
    yield typeof row.key === "bigint" ? { ...row, key: packStruct("r", [row.key]) } : row;
}

function withHome<T>(path: string, work: (database: Database) => T): T {
  const database = openDatabase(path);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

const test = suite("classic rows against the engine");

test("every directory of the corpus has dumps to compare with", () => {
  assert.is(homes.length, 8);
  assert.is(dumps.filter(({ timestamp }) => timestamp === undefined).length, 39);
  assert.is(dumps.filter(({ timestamp }) => timestamp !== undefined).length, 50);
});

for (const home of homes)
  test(`${home}: every table, byte for byte`, () => {
    withHome(corpusPath(home), (database) => {
      for (const { path, table, timestamp, truth: expected } of dumps.filter((dump) => dump.home === home)) {
        const rows = database.table(table).rows({ timestamp });
        assert.equal(truthOf(timestamp === undefined ? rows : rawKeys(rows)), expected, path);
        if (timestamp === undefined)
          assert.equal(truthOfDump(database.table(table).reader()), expected, path);
      }
      assert.equal(database.problems, []);
    });
  });

test("a file on its own has the rows it has in its home", () => {
  for (const name of ["row", "colvar", "colfix3", "ovfl", "alloc512"]) {
    const expected = truth[`classic-12.0/basic.truth/${name}.dump-x.txt`] as Truth;
    withHome(corpusPath("classic-12.0", "basic", `${name}.wt`), (database) => {
      assert.is(database.kind, "wt-file");
      for (const called of [name, `table:${name}`, `file:${name}.wt`])
        assert.equal(truthOf(database.table(called).rows()), expected, called);
    });
  }
});

test("a table by all its names", () => {
  const expected = truth["classic-12.0/basic.truth/row.dump-x.txt"] as Truth;
  withHome(corpusPath("classic-12.0", "basic"), (database) => {
    for (const name of ["row", "table:row", "file:row.wt"])
      assert.equal(truthOf(database.table(name).rows()), expected, name);
    assert.ok(database.tables().some(({ uri, name }) => uri === "file:row.wt" && name === "table:row"));
  });
});

test("named checkpoints of a file are read, too", () => {
  withHome(corpusPath("classic-12.0", "ts_hs"), (database) => {
    const info = database.tables().find(({ uri }) => uri === "file:t_row.wt");
    assert.ok((info?.checkpoints.length ?? 0) >= 1);
    for (const { name } of info?.checkpoints ?? []) {
      const table = database.table("t_row", name);
      assert.is(table.checkpoint?.name, name);
      assert.ok([...table.rows()].length > 0, name);
    }
    assert.throws(
      () => database.table("t_row", "no-such-name"),
      (error: { code?: string }) => error.code === "no-checkpoint",
    );
  });
});

test.run();
