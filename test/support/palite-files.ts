/** PALite stores of every layout, made with SQLite itself. */

import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Database } from "node-sqlite3-wasm";
import { pageLogFlags } from "../../formats/page-log.js";
import { PALITE_SHARDS, type PaliteLayout, paliteSchemas } from "../../formats/palite.js";

// The package is CommonJS whose exports Node cannot see from outside.
const sqlite = createRequire(import.meta.url)("node-sqlite3-wasm") as typeof import("node-sqlite3-wasm");

export interface TestRow {
  readonly tableId: bigint;
  readonly pageId: bigint;
  readonly lsn: bigint;
  readonly backlinkLsn: bigint;
  readonly baseLsn: bigint;
  readonly flags: number;
  readonly data: Uint8Array;
}
export interface TestStore {
  readonly rows: readonly TestRow[];
  readonly checkpoints: ReadonlyArray<{ lsn: bigint; timestamp: bigint; metadata: string }>;
  /** Key and value. */
  readonly globals: ReadonlyArray<readonly [number, bigint]>;
}

const DELTA = pageLogFlags.delta;
export const FIRST_LSN = 1n << 32n;
const signed = (value: bigint): bigint => BigInt.asIntN(64, value);

/** Which file of the layout a table's rows go to. */
export function pagesFile(layout: PaliteLayout, tableId: bigint): string {
  const { pages } = paliteSchemas[layout].files;
  if (pages.includes("NNNNNN")) return pages.replace("NNNNNN", String(tableId).padStart(6, "0"));
  return pages.replace("NN", String(tableId % BigInt(PALITE_SHARDS)).padStart(2, "0"));
}

/** Makes a database; `use` gets it open, before its log is written back. */
export function withDatabase(path: string, use: (db: Database) => void, pageSize = 4096): void {
  const db = new sqlite.Database(path);
  try {
    db.exec(`PRAGMA page_size = ${pageSize}; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;`);
    use(db);
  } finally {
    db.close();
  }
}

export function insertPage(db: Database, layout: PaliteLayout, row: TestRow): void {
  const own: Record<string, bigint | number | string | Uint8Array> = {
    table_id: signed(row.tableId),
    page_id: signed(row.pageId),
    lsn: signed(row.lsn),
    backlink_lsn: signed(row.backlinkLsn),
    base_lsn: signed(row.baseLsn),
    flags: row.flags,
    timestamp_materialized_us: 1_795_245_516_544_823n,
    page_data: row.data,
  };
  if (layout === "P0") own.is_delta = (row.flags & DELTA) === 0 ? 0 : 1;
  if (layout === "P1") own.delta = (row.flags & DELTA) === 0 ? 0 : 1;
  if (layout === "P0" || layout === "P1" || layout === "P2") own.encryption = "a test key";
  const names = Object.keys(own);
  db.run(
    `INSERT INTO pages (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
    Object.values(own),
  );
}

/** Writes a store into `folder` and returns its `kv_home`. */
export function makePalite(
  folder: string,
  layout: PaliteLayout,
  store: TestStore,
  pageSize?: number,
): string {
  const home = join(folder, "kv_home");
  mkdirSync(home, { recursive: true });
  const schema = paliteSchemas[layout];
  const old = layout === "P0" || layout === "P1";
  const files = new Map<string, Array<(db: Database) => void>>();
  const inFile = (name: string, action: (db: Database) => void): void => {
    files.set(name, [...(files.get(name) ?? []), action]);
  };
  const pageFiles = new Set(store.rows.map(({ tableId }) => pagesFile(layout, tableId)));
  for (const name of pageFiles)
    inFile(name, (db) => {
      for (const sql of schema.pages) db.exec(sql);
      db.exec("BEGIN");
      for (const row of store.rows) if (pagesFile(layout, row.tableId) === name) insertPage(db, layout, row);
      db.exec("COMMIT");
    });
  inFile(schema.files.checkpoints, (db) => {
    for (const sql of schema.checkpoints) db.exec(sql);
    for (const { lsn, timestamp, metadata } of store.checkpoints)
      db.run("INSERT INTO checkpoints VALUES (?, ?, ?)", [
        signed(lsn),
        signed(timestamp),
        new TextEncoder().encode(metadata),
      ]);
  });
  inFile(schema.files.globals, (db) => {
    for (const sql of schema.globals) db.exec(sql);
    for (const [key, value] of store.globals)
      db.run(`INSERT INTO globals (${old ? "key" : "id"}, val) VALUES (?, ?)`, [key, value]);
  });
  for (const [name, actions] of files)
    withDatabase(
      join(home, name),
      (db) => {
        for (const action of actions) action(db);
      },
      pageSize,
    );
  return home;
}

/** Copies a database that is open, and its write-ahead log, as a crash leaves them. */
export function copyWithLog(from: string, to: string): void {
  copyFileSync(from, to);
  if (existsSync(`${from}-wal`)) copyFileSync(`${from}-wal`, `${to}-wal`);
}

/** Three tables, an image and two deltas of each page, sizes from empty to several pages, one page discarded. */
export function someRows(pages = 24n): TestRow[] {
  const rows: TestRow[] = [];
  let lsn = FIRST_LSN;
  for (let round = 0; round < 3; round++)
    for (const tableId of [1n, 9n, 41n])
      for (let page = 0n; page < pages; page++) {
        lsn++;
        const size = round > 0 ? 60 + Number(page) : 1 + Number(page) * 1733;
        rows.push({
          tableId,
          pageId: 100n + page,
          lsn,
          backlinkLsn: round === 0 ? 0n : lsn - 3n * pages,
          baseLsn: round === 0 ? 0n : lsn - BigInt(round) * 3n * pages,
          flags: round === 0 ? 0 : DELTA,
          data: Uint8Array.from({ length: size }, (_, i) => (Number(lsn) * 31 + i * 7) & 0xff),
        });
      }
  const last = rows[rows.length - 1] as TestRow;
  rows.push({
    ...last,
    lsn: ++lsn,
    backlinkLsn: last.lsn,
    flags: DELTA | pageLogFlags.discarded,
    data: new Uint8Array(0),
  });
  return rows;
}

/** As page logs order their records. */
export const byPlace = (a: TestRow, b: TestRow): number =>
  order(a.tableId, b.tableId) || order(a.pageId, b.pageId) || order(a.lsn, b.lsn);
const order = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

/** What a record keeps of a row. */
export const plain = ({ tableId, pageId, lsn, backlinkLsn, baseLsn, flags, data }: TestRow) => ({
  tableId,
  pageId,
  lsn,
  backlinkLsn,
  baseLsn,
  flags,
  data: Buffer.from(data).toString("hex"),
});

/** Two checkpoints and the counters of the layout beside the rows. */
export const storeOf = (rows: TestRow[], layout: PaliteLayout): TestStore => {
  const last = rows.reduce((most, { lsn }) => (lsn > most ? lsn : most), 0n);
  const old = layout === "P0" || layout === "P1";
  return {
    rows,
    checkpoints: [
      { lsn: last - 1n, timestamp: 7n, metadata: "metadata_lsn=1" },
      { lsn: last, timestamp: 0n, metadata: "metadata_lsn=2" },
    ],
    globals: old
      ? [
          [0, last + 1n],
          [1, 2n],
          [2, 3n],
        ]
      : [
          [0, last],
          [1, 41n],
        ],
  };
};

/** A store as a crash leaves it: the last `logged` rows only in the write-ahead log. */
export function crashedStore(
  folder: string,
  rows: readonly TestRow[],
  pageSize: number,
  logged = rows.length >> 1,
): string {
  const [live, home] = [join(folder, "live.db"), join(folder, "pages_00.db")];
  withDatabase(
    live,
    (db) => {
      // As PALite writes; otherwise a commit's last frame may be repeated to fill a sector.
      db.exec("PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0");
      for (const sql of paliteSchemas.P4.pages) db.exec(sql);
      const first = rows.length - logged;
      for (const row of rows.slice(0, first)) insertPage(db, "P4", row);
      if (first > 0) db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      for (const row of rows.slice(first)) insertPage(db, "P4", row);
      copyWithLog(live, home);
    },
    pageSize,
  );
  return home;
}

/** A database and its journal in the middle of a transaction; the first `committed` rows were there before it. */
export function halfWritten(folder: string, rows: readonly TestRow[], committed: number): string {
  const [live, path] = [join(folder, "live.db"), join(folder, "pages_00.db")];
  withDatabase(live, (db) => {
    db.exec("PRAGMA journal_mode = DELETE; PRAGMA cache_size = 5");
    for (const sql of paliteSchemas.P4.pages) db.exec(sql);
    for (const row of rows.slice(0, committed)) insertPage(db, "P4", row);
    db.exec("BEGIN; UPDATE pages SET flags = flags | 8, base_lsn = 77");
    for (const row of rows.slice(committed)) insertPage(db, "P4", row);
    // The cache is too small for all of it: some pages are in the file already.
    for (const suffix of ["", "-journal"]) copyFileSync(live + suffix, path + suffix);
    db.exec("ROLLBACK");
  });
  rmSync(live);
  return path;
}
