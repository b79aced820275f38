import { spawnSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pageLogFlags } from "../../formats/page-log.js";
import { type PaliteLayout, paliteDiscardedColumn, paliteSchemas } from "../../formats/palite.js";
import { InputError } from "../../src/store/input-error.js";
import { openPageLog } from "../../src/store/open.js";
import { openPalite } from "../../src/store/palite.js";
import type { PageLog, PageRecord } from "../../src/store/types.js";
import { inTemporaryFolder, snapshot } from "../support/directories.js";
import {
  copyWithLog,
  insertPage,
  makePalite,
  type TestRow,
  type TestStore,
  withDatabase,
} from "../support/palite-files.js";
import { skipped } from "../support/skip.js";

const test = suite("PALite page logs");
const LAYOUTS: readonly PaliteLayout[] = ["P0", "P1", "P2", "P3", "P4"];
const { delta: DELTA, discarded: DISCARDED } = pageLogFlags;
const FIRST_LSN = 1n << 32n;

/** Three tables, an image and two deltas of each page, sizes from empty to several pages, one page discarded. */
function someRows(pages = 24n): TestRow[] {
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
    flags: DELTA | DISCARDED,
    data: new Uint8Array(0),
  });
  return rows;
}

const byPlace = (a: TestRow, b: TestRow): number =>
  order(a.tableId, b.tableId) || order(a.pageId, b.pageId) || order(a.lsn, b.lsn);
const order = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const plain = ({ tableId, pageId, lsn, backlinkLsn, baseLsn, flags, data }: TestRow) => ({
  tableId,
  pageId,
  lsn,
  backlinkLsn,
  baseLsn,
  flags,
  data: hex(data),
});

function recordsOf(log: PageLog): ReturnType<typeof plain>[] {
  const found = [];
  for (const record of log.records()) {
    assert.equal(record.issues, []);
    assert.is(record.isDelta, (record.flags & DELTA) !== 0);
    assert.is(record.discarded, (record.flags & DISCARDED) !== 0);
    found.push(plain(record));
  }
  return found;
}

const storeOf = (rows: TestRow[], layout: PaliteLayout): TestStore => {
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

for (const layout of LAYOUTS)
  test(`${layout}: every record, chain, checkpoint and counter; nothing beside it changes`, () => {
    inTemporaryFolder((folder) => {
      const rows = someRows();
      const store = storeOf(rows, layout);
      const home = makePalite(folder, layout, store);
      const before = snapshot(folder);
      for (const path of [folder, home]) {
        const log = openPageLog(path);
        assert.is(log.generation, `PALite ${layout}`);
        assert.equal(recordsOf(log), [...rows].sort(byPlace).map(plain));
        checkChains(log, rows);
        assert.equal(
          log.checkpoints().map(({ lsn, timestamp, metadata }) => ({
            lsn,
            timestamp,
            metadata: Buffer.from(metadata).toString(),
          })),
          store.checkpoints,
        );
        const [[, counter]] = store.globals as [[number, bigint]];
        assert.is(log.globals.lsnCounter, counter);
        assert.is(log.globals.lsnCounterIs, layout === "P0" || layout === "P1" ? "next" : "last");
        assert.is(log.globals.highestTableId, layout === "P0" || layout === "P1" ? undefined : 41n);
        assert.equal(log.issues, []);
        log.close();
      }
      assert.equal(snapshot(folder), before);
    });
  });

function checkChains(log: PageLog, rows: readonly TestRow[]): void {
  for (const row of rows) {
    const page = rows
      .filter(
        ({ tableId, pageId, lsn }) => tableId === row.tableId && pageId === row.pageId && lsn <= row.lsn,
      )
      .sort(byPlace);
    const from = page.findLastIndex(({ flags }) => (flags & DELTA) === 0);
    assert.equal(log.chain(row.tableId, row.pageId, row.lsn).map(plain), page.slice(from).map(plain));
    assert.equal(plain(log.record(row.tableId, row.pageId, row.lsn) as PageRecord), plain(row));
  }
  assert.equal(log.chain(9n, 100n, 1n), []);
  assert.is(log.record(9n, 100n, 1n), undefined);
  assert.equal(log.chain(77n, 100n, FIRST_LSN * 2n), []);
}

test("a stored `discarded` column is understood", () => {
  inTemporaryFolder((folder) => {
    const path = join(folder, "pages_00.db");
    withDatabase(path, (db) => {
      db.exec(paliteDiscardedColumn);
      db.run("INSERT INTO pages VALUES (9, 100, 5, 0, 0, 0, 0, 0, x'0102')");
      db.run("INSERT INTO pages VALUES (9, 100, 6, 5, 5, 2, 1, 0, x'')");
    });
    const log = openPalite(path);
    assert.is(log.generation, "PALite P4 (discarded column)");
    assert.equal(
      [...log.records()].map(({ lsn, discarded, isDelta }) => [lsn, discarded, isDelta]),
      [
        [5n, false, false],
        [6n, true, true],
      ],
    );
    log.close();
  });
});

test("numbers from 2^63 on are unsigned, in value and in order", () => {
  inTemporaryFolder((folder) => {
    const high = 1n << 63n;
    const rows: TestRow[] = [];
    for (const tableId of [9n, high + 1n])
      for (const pageId of [0n, 100n, high - 1n, high, (1n << 64n) - 2n])
        for (const [index, lsn] of [5n, high - 1n, high, high + 9n, (1n << 64n) - 2n].entries())
          rows.push({
            tableId,
            pageId,
            lsn,
            backlinkLsn: index === 0 ? 0n : lsn - 1n,
            baseLsn: 0n,
            flags: index === 0 ? 0 : DELTA,
            data: Uint8Array.of(index, Number(pageId & 0xffn)),
          });
    const log = openPalite(
      makePalite(folder, "P4", {
        rows,
        checkpoints: [
          { lsn: high, timestamp: 0n, metadata: "" },
          { lsn: 9n, timestamp: 0n, metadata: "" },
        ],
        globals: [[0, 5n]],
      }),
    );
    assert.equal(recordsOf(log), [...rows].sort(byPlace).map(plain));
    checkChains(log, rows);
    assert.equal(
      log.checkpoints().map(({ lsn }) => lsn),
      [9n, high],
    );
    assert.equal(log.issues, []);
  });
});

/** A store as a crash leaves it: the last `logged` rows only in the write-ahead log. */
function crashedStore(
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

test("rows that are only in the write-ahead log are read, and the log is left as it is", () => {
  for (const pageSize of [512, 4096, 65_536])
    inTemporaryFolder((folder) => {
      const rows = someRows(8n);
      const path = crashedStore(folder, rows, pageSize);
      const before = snapshot(folder);
      assert.ok(before.some((line) => line.startsWith("pages_00.db-wal ")));
      const log = openPalite(path);
      assert.equal(recordsOf(log), [...rows].sort(byPlace).map(plain), `pages of ${pageSize}`);
      assert.equal(log.issues, []);
      const logged = [...log.records()].filter(({ place }) => place.file.endsWith("-wal"));
      assert.ok(logged.length > rows.length / 3, "records have their place in the log");
      log.close();
      assert.equal(snapshot(folder), before);
    });
});

test("a database that was never written back is all in its log, the schema too", () => {
  inTemporaryFolder((folder) => {
    const rows = someRows(8n);
    const log = openPalite(crashedStore(folder, rows, 16_384, rows.length));
    assert.equal(recordsOf(log), [...rows].sort(byPlace).map(plain));
    assert.equal(log.issues, []);
  });
});

test("the write-ahead log's last transaction counts only when it was committed", () => {
  inTemporaryFolder((folder) => {
    const rows = someRows(8n);
    const path = crashedStore(folder, rows, 4096);
    const wal = readFileSync(`${path}-wal`);
    // The last row was the last commit: without the end of its last frame it is gone, the others are not.
    writeFileSync(`${path}-wal`, wal.subarray(0, wal.length - 1));
    const log = openPalite(path);
    assert.equal(recordsOf(log), rows.slice(0, -1).sort(byPlace).map(plain));
    assert.equal(log.issues, []);
  });
});

test("a damaged frame loses what comes behind it, and that is said", () => {
  inTemporaryFolder((folder) => {
    const rows = someRows(8n);
    const path = crashedStore(folder, rows, 4096);
    const wal = readFileSync(`${path}-wal`);
    const middle = 32 + Math.floor(wal.length / (24 + 4096) / 2) * (24 + 4096);
    wal.writeUInt8((wal[middle + 1000] as number) ^ 1, middle + 1000);
    writeFileSync(`${path}-wal`, wal);
    const log = openPalite(path);
    assert.ok([...log.records()].length < rows.length);
    assert.equal(
      log.issues.map(({ code, place }) => [code, basename(place.file), place.offset]),
      [["sqlite-wal", "pages_00.db-wal", middle]],
    );
  });
});

test("SQLite's own program counts the same rows", () => {
  inTemporaryFolder((folder) => {
    const path = crashedStore(folder, someRows(8n), 4096);
    const copy = join(folder, "copy.db");
    copyWithLog(path, copy);
    const { error, stdout } = spawnSync(
      "sqlite3",
      [copy, "SELECT table_id, page_id, lsn, flags, hex(page_data) FROM pages ORDER BY 1, 2, 3"],
      { encoding: "utf8" },
    );
    if (error !== undefined) return skipped("sqlite3 is not installed", "other");
    const rows = recordsOf(openPalite(path)).map(
      (row) => `${row.tableId}|${row.pageId}|${row.lsn}|${row.flags}|${row.data.toUpperCase()}`,
    );
    assert.equal(rows, stdout.trimEnd().split("\n"));
  });
});

/** `use` on a copy of a store with one byte of one of its files changed. */
function withDamage(
  home: string,
  folder: string,
  change: (bytes: Buffer) => void,
  use: (log: PageLog) => void,
): void {
  const copy = join(folder, "pages_00.db");
  const bytes = readFileSync(home);
  change(bytes);
  writeFileSync(copy, bytes);
  use(openPalite(copy));
}

test("a damaged index does not cost a row", () => {
  inTemporaryFolder((folder) => {
    const rows = someRows();
    const home = join(makePalite(folder, "P1", storeOf(rows, "P1")), paliteSchemas.P1.files.pages);
    const root = rootPage(home, "sqlite_autoindex_pages_1");
    withDamage(
      home,
      folder,
      (bytes) => bytes.writeUInt8(0xff, (root - 1) * 4096),
      (log) => {
        assert.equal(recordsOf(log), [...rows].sort(byPlace).map(plain));
        checkChains(log, rows);
        assert.equal(
          log.issues.map(({ code }) => code),
          ["sqlite-page", "palite-index"],
        );
      },
    );
  });
});

/** Asks SQLite itself where a table or index begins. */
function rootPage(path: string, name: string): number {
  let root = 0;
  inTemporaryFolder((folder) => {
    const copy = join(folder, "copy.db");
    copyFileSync(path, copy);
    withDatabase(copy, (db) => {
      root = Number(
        (db.get("SELECT rootpage FROM sqlite_schema WHERE name = ?", name) as { rootpage: number }).rootpage,
      );
    });
  });
  return root;
}

test("damage in the table costs the rows it hits; each is named", () => {
  inTemporaryFolder((folder) => {
    const rows = someRows();
    const home = join(makePalite(folder, "P1", storeOf(rows, "P1")), paliteSchemas.P1.files.pages);
    const root = rootPage(home, "pages");
    withDamage(
      home,
      folder,
      // The right-most child of the table's root: its newest rows.
      (bytes) => bytes.writeUInt32BE(0xffffff, (root - 1) * 4096 + 8),
      (log) => {
        const found = [...log.records()].length;
        assert.ok(found > rows.length / 2 && found < rows.length);
        const lost = log.issues.filter(({ code }) => code === "sqlite-page-number");
        assert.is(lost[0]?.place.offset, (root - 1) * 4096 + 8);
      },
    );
  });
});

test("no damaged byte makes it throw or loop", () => {
  inTemporaryFolder((folder) => {
    const rows = someRows(4n);
    const home = join(makePalite(folder, "P1", storeOf(rows, "P1"), 512), paliteSchemas.P1.files.pages);
    const size = readFileSync(home).length;
    let seed = 1;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    for (let run = 0; run < 600; run++)
      try {
        withDamage(
          home,
          folder,
          (bytes) => {
            // Page headers and cell pointers are where damage leads astray.
            const page = random(size / 512) * 512;
            for (let flips = 1 + random(3); flips > 0; flips--)
              bytes[page + random(run % 2 === 0 ? 24 : 512)] = random(256);
          },
          (log) => {
            for (const { tableId, pageId, lsn } of log.records()) log.chain(tableId, pageId, lsn);
            log.checkpoints();
            log.close();
          },
        );
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
      }
  });
});

test("a damaged shard is an issue, the others are read", () => {
  inTemporaryFolder((folder) => {
    const rows = someRows();
    const home = makePalite(folder, "P4", storeOf(rows, "P4"));
    const [victim] = readdirSync(home).filter((name) => name.startsWith("pages_")) as [string];
    writeFileSync(join(home, victim), Buffer.alloc(4096, 0x41));
    const log = openPageLog(folder);
    assert.ok([...log.records()].length > 0);
    assert.equal(
      log.issues.map(({ code, place }) => `${code} ${basename(place.file)}`),
      [`palite-file ${victim}`],
    );
  });
});

test("a SQLite database of something else is no page log; a newer one is unsupported", () => {
  inTemporaryFolder((folder) => {
    const path = join(folder, "other.db");
    withDatabase(path, (db) => db.exec("CREATE TABLE t (a)"));
    assert.throws(
      () => openPageLog(path),
      (error: unknown) => error instanceof InputError && error.code === "input-unknown",
    );
    const bytes = readFileSync(path);
    bytes.writeUInt8(3, 19);
    writeFileSync(path, bytes);
    assert.throws(
      () => openPageLog(path, "palite"),
      (error: unknown) => error instanceof InputError && error.code === "input-unsupported",
    );
  });
});

test.run();
