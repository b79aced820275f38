/** Written PALite stores of every layout, opened by SQLite's own program. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type PaliteLayout, paliteSchemas } from "../../formats/palite.js";
import { seededRandom } from "../../src/codec/random.js";
import { openPageLog } from "../../src/store/open.js";
import { openWritablePageLog } from "../../src/store/open-writable.js";
import { DatabaseNode } from "../../src/write/roles/node.js";
import { Workload } from "../../src/write/scenarios/workload.js";
import { inTemporaryFolder } from "../support/directories.js";
import { skipped } from "../support/skip.js";

const test = suite("written PALite stores and sqlite3");

// The format page (page-log stores §2), by hand: column, type, not null, place in the primary key, generated.
const PLACE = ["table_id INTEGER 1 1 0", "page_id INTEGER 1 2 0", "lsn INTEGER 1 3 0"];
const LINKS = ["backlink_lsn INTEGER 1 0 0", "base_lsn INTEGER 1 0 0"];
const FLAGS = "flags INTEGER 1 0 0";
const GENERATED = ["delta INTEGER 0 0 2", "discarded INTEGER 0 0 2"];
const ENCRYPTION = "encryption STRING 1 0 0";
const REST = ["timestamp_materialized_us INTEGER 1 0 0", "page_data BLOB 0 0 0"];
const PAGES: Readonly<Record<PaliteLayout, readonly string[]>> = {
  P0: [...PLACE, "is_delta INTEGER 1 0 0", ...LINKS, FLAGS, ENCRYPTION, ...REST],
  P1: [...PLACE, ...LINKS, FLAGS, "delta INTEGER 1 0 0", ENCRYPTION, ...REST],
  P2: [...PLACE, ...LINKS, FLAGS, ...GENERATED, ENCRYPTION, ...REST],
  P3: [...PLACE, ...LINKS, FLAGS, ...GENERATED, ...REST],
  P4: [...PLACE, ...LINKS, FLAGS, ...GENERATED, ...REST],
};
const CHECKPOINTS = ["lsn INTEGER 1 1 0", "timestamp INTEGER 1 2 0", "checkpoint_metadata BLOB 0 0 0"];
const OLD_GLOBALS = ["key INTEGER 1 1 0", "val INTEGER 1 0 0"];
const GLOBALS = ["id INTEGER 0 1 0", "val INTEGER 1 2 0"];
/** Unique, and for some rows only. */
const DELTA_INDEX = ["table_id", "page_id", "backlink_lsn"];

/** Lines the program prints; undefined where it is not installed. */
function sqlite3(path: string, sql: string): string[] | undefined {
  const { error, stdout, stderr, status } = spawnSync("sqlite3", [path, sql], { encoding: "utf8" });
  if (error !== undefined) return undefined;
  assert.is(status, 0, `${path}: ${stderr}`);
  return stdout.split("\n").filter((line) => line !== "");
}

/** What there is to say of a database, in one run of the program. */
const DESCRIPTION = `
  PRAGMA integrity_check;
  PRAGMA journal_mode;
  SELECT t.name || ': ' || c.name || ' ' || c.type || ' ' || c."notnull" || ' ' || c.pk || ' ' || c.hidden
    FROM sqlite_master t, pragma_table_xinfo(t.name) c WHERE t.type = 'table' ORDER BY t.name, c.cid;
  SELECT 'index: ' || i.name FROM pragma_index_list('pages') l, pragma_index_info(l.name) i
    WHERE l.partial AND l."unique" ORDER BY i.seqno`;

/** Two checkpoints with deltas and freed pages; `look` sees the directory while it is open, as a killed process leaves it. */
function write(path: string, layout: PaliteLayout, look: () => void): void {
  const log = openWritablePageLog(path, { create: true, layout });
  const node = DatabaseNode.open(log);
  const workload = new Workload(seededRandom(3));
  const settings = { keyFormat: "S", valueFormat: "S", leafPageMax: 2048, deltaPct: 80 };
  for (const name of ["one", "two"]) {
    node.createTable(name, settings).load(workload.rows(name, 100));
    node.checkpoint();
    node.table(name).edit(workload.edits(name, { update: 2, remove: 60 }));
    node.checkpoint();
  }
  look();
  log.close();
}

function expected(name: string, layout: PaliteLayout): string[] {
  const { files } = paliteSchemas[layout];
  const isPages = name.startsWith("pages_") || name === files.pages;
  const columns = (table: string, wanted: readonly string[]) => wanted.map((column) => `${table}: ${column}`);
  return [
    "ok",
    "wal",
    ...(name === files.checkpoints ? columns("checkpoints", CHECKPOINTS) : []),
    ...(name === files.globals ? columns("globals", layout < "P2" ? OLD_GLOBALS : GLOBALS) : []),
    ...(isPages ? columns("pages", PAGES[layout]) : []),
    ...(isPages && layout !== "P0" ? columns("index", DELTA_INDEX) : []),
  ];
}

/** Returns the rows of all databases with pages, as `table|page|lsn|flags`; undefined without the program. */
function look(directory: string, layout: PaliteLayout): string[] | undefined {
  const rows: string[] = [];
  for (const name of readdirSync(directory).filter((file) => /\.(db|database)$/.test(file))) {
    const path = join(directory, name);
    const found = sqlite3(path, DESCRIPTION);
    if (found === undefined) return undefined;
    assert.equal(found, expected(name, layout), name);
    if (found.some((line) => line.startsWith("pages:")))
      rows.push(...(sqlite3(path, "SELECT table_id, page_id, lsn, flags FROM pages") ?? []));
  }
  return rows.sort();
}

function check(path: string, directory: string, layout: PaliteLayout): void {
  const rows = look(directory, layout);
  if (rows === undefined) {
    skipped("sqlite3 is not installed", "other");
    return;
  }
  const log = openPageLog(path);
  const ours = Array.from(log.records(), (row) => `${row.tableId}|${row.pageId}|${row.lsn}|${row.flags}`);
  assert.ok(ours.length > 20);
  assert.equal(rows, ours.sort());
  const { files } = paliteSchemas[layout];
  const newest = sqlite3(join(directory, files.checkpoints), "SELECT count(*), max(lsn) FROM checkpoints");
  assert.equal(newest, [`4|${log.checkpoints().at(-1)?.lsn}`]);
  const counter = layout < "P2" ? "key" : "id";
  const [given] =
    sqlite3(join(directory, files.globals), `SELECT val FROM globals WHERE ${counter} = 0`) ?? [];
  assert.ok(BigInt(given ?? 0) >= (log.checkpoints().at(-1)?.lsn ?? 0n));
  log.close();
}

for (const layout of ["P0", "P1", "P2", "P3", "P4"] as const)
  test(`${layout}: sound, with the tables of the format, closed and as a killed process leaves it`, () => {
    inTemporaryFolder((folder) => {
      const [path, killed] = [join(folder, "store"), join(folder, "killed")];
      write(path, layout, () => cpSync(path, killed, { recursive: true }));
      assert.ok(readdirSync(join(killed, "kv_home")).some((name) => name.endsWith("-wal")));
      for (const one of [path, killed]) {
        assert.ok(existsSync(join(one, "kv_home")));
        check(one, join(one, "kv_home"), layout);
      }
    });
  });

test.run();
