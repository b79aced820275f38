/** Damaged databases: SQLite stops at the first thing it does not understand; a page log gives all that is left. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { paliteSchemas } from "../../formats/palite.js";
import { InputError } from "../../src/store/input-error.js";
import { openPalite } from "../../src/store/palite.js";
import type { PageLog } from "../../src/store/types.js";
import { inTemporaryFolder } from "../support/directories.js";
import {
  byPlace,
  crashedStore,
  halfWritten,
  makePalite,
  plain,
  someRows,
  storeOf,
  type TestRow,
  withDatabase,
} from "../support/palite-files.js";

const test = suite("damaged PALite page logs");
/** Page size that makes trees of several levels. */
const SMALL = 512;

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
  const log = openPalite(copy);
  try {
    use(log);
  } finally {
    log.close();
  }
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
        assert.equal([...log.records()].map(plain), [...rows].sort(byPlace).map(plain));
        for (const { tableId, pageId, lsn } of rows) assert.is(log.record(tableId, pageId, lsn)?.lsn, lsn);
        assert.ok(log.issues.length > 1);
        assert.is(log.issues[0]?.code, "sqlite-error");
        const named = log.issues.slice(1).map(({ code, place, path }) => `${code} ${place.offset} ${path}`);
        assert.ok(
          named.includes(`sqlite-integrity ${(root - 1) * 4096} Tree ${root} page ${root}`),
          `${named}`,
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

test("a leaf of the table that is damaged costs its rows; each is named", () => {
  inTemporaryFolder((folder) => {
    const rows = someRows();
    const home = join(makePalite(folder, "P1", storeOf(rows, "P1")), paliteSchemas.P1.files.pages);
    const root = rootPage(home, "pages");
    // A child of the table's root, from the middle.
    const pointer = (bytes: Buffer): number => {
      const at = (root - 1) * 4096;
      const middle = bytes.readUInt16BE(at + 3) >> 1;
      return at + bytes.readUInt16BE(at + 12 + 2 * middle);
    };
    withDamage(
      home,
      folder,
      (bytes) => bytes.writeUInt32BE(0xffffff, pointer(bytes)),
      (log) => {
        const found = [...log.records()].map(plain);
        const lost = rows.filter(({ lsn }) => !found.some((record) => record.lsn === lsn));
        assert.ok(lost.length > 0 && lost.length < 45, `${lost.length} rows of a page are lost`);
        assert.equal(
          found,
          rows
            .filter((row) => !lost.includes(row))
            .sort(byPlace)
            .map(plain),
        );
        assert.equal(
          log.issues.filter(({ code }) => code === "palite-row").map(({ path }) => path),
          [...lost]
            .sort(byPlace)
            .map(({ tableId, pageId, lsn }) => `table ${tableId} page ${pageId} LSN ${lsn}`),
        );
        const gaps = log.issues.filter(({ code }) => code === "palite-gap");
        const first = rows.indexOf(lost[0] as TestRow) + 1;
        assert.equal(
          gaps.map(({ message }) => message),
          [`rows ${first} to ${first + lost.length - 1} of table pages cannot be read`],
        );
        for (const { tableId, pageId, lsn } of found) assert.is(log.record(tableId, pageId, lsn)?.lsn, lsn);
      },
    );
  });
});

test("a record whose data is cut off keeps its place and attributes", () => {
  inTemporaryFolder((folder) => {
    const rows = someRows().map((row) => ({ ...row, data: Uint8Array.from(row.data, random(row.lsn)) }));
    const home = join(makePalite(folder, "P1", storeOf(rows, "P1")), paliteSchemas.P1.files.pages);
    const victim = rows.filter(({ data }) => data.length > 20_000)[3] as TestRow;
    withDamage(
      home,
      folder,
      (bytes) => {
        const at = bytes.indexOf(victim.data.subarray(9000, 9016));
        assert.ok(at > 0);
        // An overflow page begins with the number of the next one.
        bytes.writeUInt32BE(0xffffff, at - (at % 4096));
      },
      (log) => {
        const found = [...log.records()];
        assert.is(found.length, rows.length);
        const damaged = found.filter(({ issues }) => issues.length > 0);
        assert.equal(
          damaged.map(({ lsn, data, issues }) => [lsn, data.length, issues.map(({ code }) => code)]),
          [[victim.lsn, 0, ["record-data"]]],
        );
      },
    );
  });
});

/** Bytes without a pattern. */
function random(seed: bigint): () => number {
  let state = Number(seed & 0xffff_ffffn);
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  };
}

test("an index that leads to other rows, or to too few, is not used", () => {
  inTemporaryFolder((folder) => {
    const rows = someRows();
    const home = join(makePalite(folder, "P1", storeOf(rows, "P1"), SMALL), paliteSchemas.P1.files.pages);
    const root = rootPage(home, "sqlite_autoindex_pages_1");
    const leaf = (bytes: Buffer): number => (bytes.readUInt32BE((root - 1) * SMALL + 8) - 1) * SMALL;
    const damages: Array<(bytes: Buffer) => void> = [
      // One entry less on the last leaf.
      (bytes) => bytes.writeUInt16BE(bytes.readUInt16BE(leaf(bytes) + 3) - 1, leaf(bytes) + 3),
      // Its first two entries change places.
      (bytes) => {
        const [first, second] = [0, 2].map((at) => bytes.readUInt16BE(leaf(bytes) + 8 + at)) as [
          number,
          number,
        ];
        bytes.writeUInt16BE(second, leaf(bytes) + 8);
        bytes.writeUInt16BE(first, leaf(bytes) + 10);
      },
      // The row id at the end of its second entry becomes another one's.
      (bytes) => {
        const cell = leaf(bytes) + bytes.readUInt16BE(leaf(bytes) + 8 + 2);
        const end = cell + 1 + (bytes[cell] as number) - 1;
        bytes.writeUInt8((bytes[end] as number) ^ 1, end);
      },
    ];
    for (const [index, change] of damages.entries())
      withDamage(home, folder, change, (log) => {
        assert.equal(
          [...log.records()].map(({ lsn }) => lsn),
          [...rows].sort(byPlace).map(({ lsn }) => lsn),
          `damage ${index}`,
        );
        assert.ok(
          log.issues.some(({ code }) => code === "sqlite-error"),
          `damage ${index}`,
        );
      });
  });
});

test("a file that was cut off is read as far as it goes", () => {
  inTemporaryFolder((folder) => {
    const rows = someRows(6n);
    const home = join(makePalite(folder, "P1", storeOf(rows, "P1"), 1024), paliteSchemas.P1.files.pages);
    const size = readFileSync(home).length;
    let most = 0;
    for (let part = 1; part < 16; part++) {
      const copy = join(folder, "pages_00.db");
      writeFileSync(
        copy,
        readFileSync(home).subarray(0, Math.floor((size * part) / 16 / 1024) * 1024 + (part % 4)),
      );
      try {
        const log = openPalite(copy);
        const found = [...log.records()];
        // A record of a page that is there in part may have zeros in it; then that is said.
        const isPartial = log.issues.some(({ code }) => code === "sqlite-truncated");
        for (const record of found)
          if (record.issues.length === 0 && !isPartial)
            assert.equal(plain(record), plain(rows.find(({ lsn }) => lsn === record.lsn) as TestRow));
        assert.ok(log.issues.length > 0, `${part}/16`);
        assert.is(isPartial, part % 4 > 0);
        most = Math.max(most, found.length);
        log.close();
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
      }
    }
    assert.ok(most > rows.length / 2 && most < rows.length, `${most} of ${rows.length} rows`);
  });
});

test("what is no rollback journal is said, and the database is read without it", () => {
  inTemporaryFolder((folder) => {
    const rows = someRows(4n);
    const home = makePalite(folder, "P4", storeOf(rows, "P4"));
    const [shard] = readdirSync(home).filter((name) => name.startsWith("pages_")) as [string];
    const journal = join(home, `${shard}-journal`);
    for (const bytes of [Buffer.from("nothing that is known"), Buffer.alloc(4096, 0xd9)]) {
      writeFileSync(journal, bytes);
      const log = openPalite(home);
      assert.equal([...log.records()].map(plain), [...rows].sort(byPlace).map(plain));
      assert.equal(
        log.issues.map(({ code, severity, place }) => [code, severity, place.file]),
        [["sqlite-journal", "error", journal]],
      );
      log.close();
      assert.equal(readFileSync(journal), bytes);
    }
  });
});

/** Damages a random file of a store and reads all that is there; gives the number of records. */
function readDamaged(files: readonly string[], folder: string, below: (limit: number) => number): number {
  const damaged = files[below(files.length)] as string;
  for (const file of files) {
    let bytes = readFileSync(file);
    const cut = file === damaged && below(4) === 0;
    if (cut) bytes = bytes.subarray(0, below(bytes.length));
    // Page headers and cell pointers are where damage leads astray.
    const page = below(bytes.length / SMALL) * SMALL;
    for (let flips = file === damaged && !cut ? 1 + below(3) : 0; flips > 0; flips--)
      bytes[page + below(below(2) === 0 ? 24 : SMALL)] = below(256);
    writeFileSync(join(folder, `damaged.db${file.replace(/.*\.db/, "")}`), bytes);
  }
  try {
    const log = openPalite(join(folder, "damaged.db"));
    let count = 0;
    for (const { tableId, pageId, lsn } of log.records())
      count += log.chain(tableId, pageId, lsn).length > 0 ? 1 : 0;
    log.checkpoints();
    log.close();
    return count;
  } catch (error) {
    if (error instanceof InputError) return 0;
    throw error;
  }
}

test("no damaged byte makes it throw or loop, in whichever file it is", () => {
  inTemporaryFolder((folder) => {
    const rows = someRows(4n);
    const [logged, halved] = ["logged", "halved"].map((name) => join(folder, name)) as [string, string];
    for (const made of [logged, halved]) mkdirSync(made);
    const whole = join(makePalite(folder, "P1", storeOf(rows, "P1"), SMALL), paliteSchemas.P1.files.pages);
    const withLog = crashedStore(logged, rows, SMALL);
    const withJournal = halfWritten(halved, rows, 20);
    let seed = 1;
    const below = (limit: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 2 ** 32) * limit);
    };
    for (const files of [[whole], [withLog, `${withLog}-wal`], [withJournal, `${withJournal}-journal`]]) {
      let records = 0;
      for (let run = 0; run < 100; run++) records += readDamaged(files, folder, below);
      assert.ok(records > 100, "most damage leaves records");
      for (const file of files) rmSync(join(folder, `damaged.db${file.replace(/.*\.db/, "")}`));
    }
  });
});

test.run();
