import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pageLogFlags } from "../../formats/page-log.js";
import { type PaliteLayout, paliteDiscardedColumn } from "../../formats/palite.js";
import { InputError } from "../../src/store/input-error.js";
import { openPageLog } from "../../src/store/open.js";
import { openPalite } from "../../src/store/palite.js";
import type { PageLog, PageRecord } from "../../src/store/types.js";
import { inTemporaryFolder, snapshot } from "../support/directories.js";
import {
  byPlace,
  copyWithLog,
  crashedStore,
  FIRST_LSN,
  makePalite,
  plain,
  someRows,
  storeOf,
  type TestRow,
  withDatabase,
} from "../support/palite-files.js";
import { skipped } from "../support/skip.js";

const test = suite("PALite page logs");
const LAYOUTS: readonly PaliteLayout[] = ["P0", "P1", "P2", "P3", "P4"];
const { delta: DELTA, discarded: DISCARDED } = pageLogFlags;

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

test("bits of flags without a meaning are told, in all 64", () => {
  inTemporaryFolder((folder) => {
    const path = join(folder, "pages_00.db");
    withDatabase(path, (db) => {
      db.exec(paliteDiscardedColumn);
      for (const bit of [0n, 8n, 40n, 63n])
        db.run("INSERT INTO pages VALUES (9, ?, 5, 0, 0, ?, 0, 0, x'01')", [
          100n + bit,
          BigInt.asIntN(64, bit === 0n ? 0n : 1n << bit),
        ]);
    });
    const log = openPalite(path);
    assert.equal(
      [...log.records()].map(({ pageId, issues }) => [pageId, ...issues.map(({ message }) => message)]),
      [
        [100n],
        [108n, "bits without a meaning: 0x100"],
        [140n, "bits without a meaning: 0x10000000000"],
        [163n, "bits without a meaning: 0x8000000000000000"],
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
      log.issues.map(({ code, place }) => [code, basename(place.file)]),
      [["sqlite-wal", "pages_00.db-wal"]],
    );
    // The damaged frame is one of the transaction that begins there.
    const { offset = 0 } = log.issues[0]?.place ?? {};
    assert.ok(offset <= middle && offset > middle - 10 * (24 + 4096) && (offset - 32) % (24 + 4096) === 0);
  });
});

test("a log whose header is damaged is not used, and that is said", () => {
  inTemporaryFolder((folder) => {
    const rows = someRows(8n);
    const path = crashedStore(folder, rows, 4096);
    const wal = readFileSync(`${path}-wal`);
    for (const [at, byte] of [
      [0, 0x38],
      [9, 0x7f],
      [17, 0xff],
      [30, 0xff],
    ] as const) {
      const damaged = Buffer.from(wal);
      damaged.writeUInt8((damaged[at] as number) ^ byte, at);
      writeFileSync(`${path}-wal`, damaged);
      const log = openPalite(path);
      assert.is([...log.records()].length, rows.length - (rows.length >> 1));
      assert.equal(
        log.issues.map(({ code, severity, place }) => [code, severity, basename(place.file)]),
        [["sqlite-wal", "warning", "pages_00.db-wal"]],
        `byte ${at}`,
      );
    }
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
