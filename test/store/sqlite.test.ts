import { createRequire } from "node:module";
import { join } from "node:path";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { paliteDiscardedColumn, paliteRow, paliteSchemas } from "../../formats/palite.js";
import { IssueLog } from "../../src/store/issue-log.js";
import { countRows } from "../../src/store/sqlite/count.js";
import { parseCreateIndex, parseCreateTable } from "../../src/store/sqlite/create-table.js";
import { SqliteCursor } from "../../src/store/sqlite/cursor.js";
import { openSqlite, type SqliteDatabase } from "../../src/store/sqlite/database.js";
import { RecordView } from "../../src/store/sqlite/record.js";
import { inTemporaryFolder } from "../support/directories.js";
import { withDatabase } from "../support/palite-files.js";

const sqlite = createRequire(import.meta.url)("node-sqlite3-wasm") as typeof import("node-sqlite3-wasm");
const test = suite("SQLite files");

const TABLES = [
  ...Object.values(paliteSchemas).flatMap(
    ({ pages, checkpoints, globals }) => [pages[0], checkpoints[0], globals[0]] as string[],
  ),
  paliteDiscardedColumn,
  'create table "odd, name" ("a ""b""" text default \'(,\', [c d] INTEGER PRIMARY KEY, `e``f` blob check (`e``f` in (1, 2)))',
  "CREATE TABLE t (id INT PRIMARY KEY, v REAL, g INTEGER GENERATED ALWAYS AS (v + 1) STORED, h AS (v) VIRTUAL)",
  "CREATE TABLE t (a, b, c, PRIMARY KEY (c, a)) WITHOUT ROWID",
  "CREATE TABLE t -- a comment, with (\n (a INTEGER /* , b */ NOT NULL, c TEXT, UNIQUE (c), CONSTRAINT k PRIMARY KEY (a))",
  "CREATE TABLE t (a BIGINT PRIMARY KEY, b)",
];

test("columns and keys are those SQLite's own PRAGMAs give", () => {
  for (const sql of TABLES) {
    const db = new sqlite.Database(":memory:");
    db.exec(sql);
    const { name } = db.get("SELECT name FROM sqlite_schema WHERE type = 'table'") as { name: string };
    const columns = db.all(`PRAGMA table_xinfo("${name}")`) as { name: string; pk: number; hidden: number }[];
    const shape = parseCreateTable(sql);
    const lower = (list: { name: string }[]): string[] => list.map((column) => column.name.toLowerCase());
    // hidden: 2 a virtual generated column, 3 a stored one
    const stored = lower(columns.filter(({ hidden }) => hidden !== 2));
    const key = lower(columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk));
    const order =
      shape?.withoutRowid === true ? [...key, ...stored.filter((column) => !key.includes(column))] : stored;
    assert.equal(
      shape?.stored.map((column) => column.name),
      order,
      sql,
    );
    assert.equal(shape?.generated, lower(columns.filter(({ hidden }) => hidden === 2)), sql);
    const rowid = shape?.stored.filter(({ isRowid }) => isRowid).map((column) => column.name) ?? [];
    assert.equal([...(shape?.primaryKey ?? []), ...rowid], key, sql);
    db.close();
  }
});

test("only a whole, ascending index on plain columns is one to go by", () => {
  assert.equal(parseCreateIndex('CREATE UNIQUE INDEX i ON pages (table_id, page_id ASC, "lsn")'), [
    "table_id",
    "page_id",
    "lsn",
  ]);
  for (const tail of ["(a DESC)", "(a) WHERE a > 1", "(a + 1)", "(a COLLATE nocase)", ""])
    assert.is(parseCreateIndex(`CREATE INDEX i ON t ${tail}`), undefined, tail);
  for (const sql of [
    "",
    "CREATE TABLE",
    "CREATE TABLE t",
    "CREATE TABLE t (",
    "CREATE VIEW v AS SELECT (1)",
    "(((",
    '"'.repeat(99_999),
  ])
    assert.is(parseCreateTable(sql), undefined);
});

/** Opens a database made by `make` and gives the table's root page. */
function withTable(
  make: (db: InstanceType<typeof sqlite.Database>) => void,
  use: (database: SqliteDatabase, root: number) => void,
  pageSize?: number,
): void {
  inTemporaryFolder((folder) => {
    const path = join(folder, "test.db");
    withDatabase(path, make, pageSize);
    const database = openSqlite(path);
    const table = database.schema.find(({ name }) => name === "t");
    use(database, table?.root ?? 0);
    assert.equal(database.log.list, []);
    database.close();
  });
}

test("integers of every size, blobs of every length and texts come back as they went in", () => {
  const integers = [
    0n,
    1n,
    -1n,
    2n,
    127n,
    -128n,
    128n,
    -129n,
    32_767n,
    -32_768n,
    8_388_607n,
    -8_388_608n,
    2n ** 31n - 1n,
    -(2n ** 31n),
    2n ** 47n - 1n,
    -(2n ** 47n),
    2n ** 53n + 1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ];
  const lengths = [0, 1, 480, 489, 490, 491, 1000, 4061, 4062, 5000, 20_000, 70_000];
  for (const pageSize of [512, 4096, 65_536])
    withTable(
      (db) => {
        db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, b BLOB, s TEXT)");
        for (const [i, value] of integers.entries())
          db.run("INSERT INTO t VALUES (?, ?, ?, ?)", [
            i + 1,
            value,
            new Uint8Array(lengths[i % lengths.length] as number).fill(i),
            `text ${i}`,
          ]);
      },
      (database, root) => {
        const cursor = new SqliteCursor(database, root, true, "t").watchForLoops();
        const record = new RecordView();
        let at = 0;
        for (let more = cursor.first(); more; more = cursor.next(), at++) {
          assert.ok(record.read(cursor.payload()));
          assert.is(cursor.rowid, at + 1);
          assert.is(record.integer(1), integers[at]);
          assert.equal(
            Buffer.from(record.bytes(2) ?? []),
            Buffer.alloc(lengths[at % lengths.length] as number, at),
          );
          assert.is(database.text(record.bytes(3) as Uint8Array), `text ${at}`);
        }
        assert.is(at, integers.length);
        assert.is(countRows(database, root), integers.length);
      },
      pageSize,
    );
});

test("seeking in tables and indexes of several levels", () => {
  const count = 3000;
  withTable(
    (db) => {
      db.exec("CREATE TABLE t (a INTEGER, b INTEGER, v TEXT, PRIMARY KEY (a, b)); BEGIN");
      for (let i = 0; i < count; i++)
        db.run("INSERT INTO t VALUES (?, ?, ?)", [(i * 7919) % count, i % 5, "x".repeat(20)]);
      db.exec("COMMIT");
    },
    (database, root) => {
      const rows = new SqliteCursor(database, root, true, "t");
      for (const id of [1, 2, 57, 1500, count]) assert.ok(rows.seekRow(id), `row ${id}`);
      for (const id of [0, count + 1, 1e15]) assert.not(rows.seekRow(id), `row ${id}`);
      const index = database.schema.find(({ name }) => name === "sqlite_autoindex_t_1");
      const keys = new SqliteCursor(database, index?.root ?? 0, false, "index").watchForLoops();
      const seen: bigint[] = [];
      const record = new RecordView();
      for (let more = keys.first(); more; more = keys.next()) {
        record.read(keys.payload());
        seen.push(record.integer(0) as bigint);
      }
      assert.equal(
        seen,
        Array.from({ length: count }, (_, i) => BigInt(i)),
      );
      const lookup = new SqliteCursor(database, index?.root ?? 0, false, "index");
      for (const a of [0n, 5n, 1234n, 2999n]) {
        assert.ok(lookup.seek([a]));
        record.read(lookup.payload());
        assert.is(record.integer(0), a);
        assert.is(lookup.previous(), a > 0n);
      }
      assert.not(lookup.seek([BigInt(count)]));
      assert.ok(lookup.last());
    },
    512,
  );
});

test("a row of pages is what the declared format says", () => {
  const { P4 } = paliteSchemas;
  inTemporaryFolder((folder) => {
    const path = join(folder, "pages.db");
    withDatabase(path, (db) => {
      db.exec(P4.pages[0] as string);
      db.run(
        "INSERT INTO pages (table_id, page_id, lsn, backlink_lsn, base_lsn, flags, timestamp_materialized_us, page_data) VALUES (9, -2, 4294967297, 0, 1, 65538, 1795245516544823, x'00ff')",
      );
    });
    const database = openSqlite(path, new IssueLog());
    const root = database.schema.find(({ name }) => name === "pages")?.root ?? 0;
    const cursor = new SqliteCursor(database, root, true, "pages");
    assert.ok(cursor.first());
    const bytes = cursor.payload().slice();
    const row = paliteRow.parse(bytes);
    assert.is(row.generation, "P4");
    assert.equal(paliteRow.toJson(row), {
      ...(paliteRow.toJson(row) as object),
      tableId: "9",
      pageId: "-2",
      lsn: "4294967297",
      flags: "65538",
      data: "00ff",
    });
    assert.equal(Buffer.from(paliteRow.build(row)), Buffer.from(bytes));
    database.close();
  });
});

test("a record of any bytes is read or refused, never more than it is", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const record = new RecordView();
      if (!record.read(bytes)) return;
      for (let column = 0; column < record.count; column++) {
        record.integer(column);
        assert.ok((record.bytes(column)?.length ?? 0) <= bytes.length);
      }
    }),
    { numRuns: 5000 },
  );
});

test.run();
