/** SQLite locks, recovers and cleans up beside a database; with us it does so elsewhere, and leaves nothing there. */
import fs, { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { paliteSchemas } from "../../formats/palite.js";
import { InputError } from "../../src/store/input-error.js";
import { openPageLog } from "../../src/store/open.js";
import { openPalite } from "../../src/store/palite.js";
import type { PageLog } from "../../src/store/types.js";
import { inTemporaryFolder, snapshot } from "../support/directories.js";
import {
  byPlace,
  crashedStore,
  halfWritten,
  insertPage,
  makePalite,
  plain,
  someRows,
  storeOf,
  type TestRow,
  withDatabase,
} from "../support/palite-files.js";

const test = suite("PALite: nothing is written beside the input");

const recordsOf = (log: PageLog) => [...log.records()].map(plain);
const expected = (rows: readonly TestRow[]) => [...rows].sort(byPlace).map(plain);

/** `use` with a temporary directory of its own, which is empty again at the end. */
function inOwnTemporaryDirectory(use: (folder: string, temporary: string) => void): void {
  inTemporaryFolder((folder) => {
    const temporary = join(folder, "tmp");
    const input = join(folder, "input");
    for (const made of [temporary, input]) mkdirSync(made);
    chmodSync(folder, 0o755);
    chmodSync(temporary, 0o1777);
    const before = process.env.TMPDIR;
    process.env.TMPDIR = temporary;
    try {
      use(input, temporary);
      assert.equal(readdirSync(temporary), []);
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
  });
}

/** Root may write everywhere: then somebody else reads. */
function withoutRights(use: () => void): void {
  const NOBODY = 65534;
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    use();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

test("the temporary directory is empty while a store is read, too", () => {
  inOwnTemporaryDirectory((folder, temporary) => {
    const rows = someRows(8n);
    const path = crashedStore(folder, rows, 4096);
    const log = openPalite(path);
    const records = log.records();
    records.next();
    // Elsewhere than on POSIX systems, open files cannot be removed: then it is empty once the store is closed.
    if (process.platform !== "win32") assert.equal(readdirSync(temporary), []);
    assert.equal(recordsOf(log), expected(rows));
    log.close();
    assert.equal([...records], [], "nothing comes out of a closed store");
    assert.equal(log.issues, []);
  });
});

test("read-only files in a read-only directory, with a write-ahead log", () => {
  inOwnTemporaryDirectory((folder) => {
    const rows = someRows(8n);
    const path = crashedStore(folder, rows, 4096);
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o444);
    chmodSync(folder, 0o555);
    const before = snapshot(folder);
    withoutRights(() => {
      assert.throws(() => writeFileSync(join(folder, "new"), ""), "the directory is not read-only");
      const log = openPalite(path);
      assert.equal(recordsOf(log), expected(rows));
      assert.equal(log.issues, []);
      log.close();
    });
    assert.equal(snapshot(folder), before);
    chmodSync(folder, 0o755);
  });
});

test("a database we may not read is an input error", () => {
  inOwnTemporaryDirectory((folder) => {
    const path = crashedStore(folder, someRows(2n), 4096);
    chmodSync(path, 0);
    withoutRights(() => {
      assert.throws(
        () => openPalite(path),
        (error: unknown) => error instanceof InputError && error.code === "input-unreadable",
      );
    });
  });
});

test("without a temporary directory there is an input error, too", () => {
  inOwnTemporaryDirectory((folder, temporary) => {
    const path = crashedStore(folder, someRows(2n), 4096);
    process.env.TMPDIR = join(temporary, "missing");
    assert.throws(
      () => openPalite(path),
      (error: unknown) => error instanceof InputError && error.message.includes("ENOENT"),
    );
  });
});

test("where there are no symbolic links, a copy is read", () => {
  inOwnTemporaryDirectory((folder, temporary) => {
    const rows = someRows(8n);
    const path = crashedStore(folder, rows, 4096);
    const before = snapshot(folder);
    const { symlinkSync } = fs;
    let tried = 0;
    fs.symlinkSync = () => {
      tried++;
      throw Object.assign(new Error("not permitted"), { code: "EPERM" });
    };
    syncBuiltinESMExports();
    try {
      const log = openPalite(path);
      assert.equal(recordsOf(log), expected(rows));
      log.close();
    } finally {
      fs.symlinkSync = symlinkSync;
      syncBuiltinESMExports();
    }
    assert.is(tried, 1);
    assert.equal(readdirSync(temporary), []);
    assert.equal(snapshot(folder), before);
  });
});

test("a hot rollback journal is applied, to a copy", () => {
  inOwnTemporaryDirectory((folder) => {
    const rows = someRows(8n);
    const path = halfWritten(folder, rows, 40);
    const before = snapshot(folder);
    const log = openPalite(path);
    assert.equal(recordsOf(log), expected(rows.slice(0, 40)));
    assert.equal(
      log.issues.map(({ code, severity, place }) => [code, severity, basename(place.file)]),
      [["sqlite-journal", "info", "pages_00.db-journal"]],
    );
    log.close();
    assert.equal(snapshot(folder), before);
    // It was needed: without it the file has what was never committed.
    fs.rmSync(`${path}-journal`);
    const bare = openPalite(path);
    assert.not.equal(recordsOf(bare), expected(rows.slice(0, 40)));
    bare.close();
  });
});

test("a journal that is done with changes nothing", () => {
  inOwnTemporaryDirectory((folder) => {
    const rows = someRows(8n);
    const path = halfWritten(folder, rows, rows.length);
    // As the persistent journal of a finished transaction: its header is gone.
    withDatabase(join(folder, "other.db"), (db) => {
      db.exec("PRAGMA journal_mode = DELETE");
      for (const sql of paliteSchemas.P4.pages) db.exec(sql);
      for (const row of rows) insertPage(db, "P4", row);
    });
    const journal = readFileSync(`${path}-journal`);
    journal.fill(0, 0, 28);
    fs.rmSync(`${path}-journal`);
    const other = join(folder, "other.db");
    writeFileSync(`${other}-journal`, journal);
    const log = openPalite(other);
    assert.equal(recordsOf(log), expected(rows));
    assert.equal(log.issues, []);
    log.close();
  });
});

test("more databases than are kept open, several readers at once", () => {
  inOwnTemporaryDirectory((folder) => {
    const rows: TestRow[] = [];
    for (let table = 1n; table <= 70n; table++)
      for (const lsn of [table, table + 100n])
        rows.push({
          ...{ tableId: table, pageId: 5n, lsn, backlinkLsn: 0n, baseLsn: 0n, flags: 0 },
          data: Uint8Array.of(Number(table)),
        });
    const home = makePalite(folder, "P2", storeOf(rows, "P2"));
    assert.ok(readdirSync(home).length > 70);
    const before = snapshot(folder);
    const log = openPageLog(folder);
    const [first, second] = [log.records(), log.records()];
    first.next();
    for (const row of [...rows].sort(byPlace)) {
      const step = second.next();
      assert.equal(step.done ? undefined : plain(step.value), plain(row));
      assert.is(log.chain(71n - row.tableId, 5n, 1000n).length, 1);
    }
    assert.is([...first].length, rows.length - 1);
    assert.equal(log.issues, []);
    log.close();
    assert.equal(snapshot(folder), before);
  });
});

test.run();
