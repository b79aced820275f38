/** A PALite directory of which one database cannot be read or is gone: said at that file, and the others are checked. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pageLogFlags } from "../../formats/page-log.js";
import { paliteSchemas } from "../../formats/palite.js";
import { verdictExitCode } from "../../src/cli/verify-output.js";
import { InputError } from "../../src/store/input-error.js";
import { openPalite } from "../../src/store/palite.js";
import { verify } from "../../src/verify/index.js";
import { inTemporaryFolderAsync } from "../support/directories.js";
import { loadContents } from "../support/log-contents.js";
import { makePalite, pagesFile, withDatabase } from "../support/palite-files.js";

const { records, checkpoints } = loadContents("a_small");
/** The last LSN of the store, that of its newest checkpoint. */
const GIVEN = 167n;
const store = {
  rows: records.map((record) => ({
    ...record,
    flags: record.flags | (record.isDelta ? pageLogFlags.delta : 0),
  })),
  checkpoints: checkpoints.map(({ lsn, timestamp, metadata }) => ({
    lsn,
    timestamp,
    metadata: new TextDecoder().decode(metadata),
  })),
  globals: [[0, GIVEN]] as const,
};
const LAYOUT = "P2";
const shardName = pagesFile(LAYOUT, 41n);

const test = suite("databases that cannot be read");

const overwrite = (file: string, at: number, ...bytes: number[]): void => {
  const content = readFileSync(file);
  content.set(bytes, at);
  writeFileSync(file, content);
};

const damages: ReadonlyArray<readonly [string, (shard: string) => void]> = [
  [
    "a directory in its place",
    (shard) => {
      rmSync(shard);
      mkdirSync(shard);
    },
  ],
  ["cut to nothing", (shard) => writeFileSync(shard, "")],
  ["cut in its first page", (shard) => writeFileSync(shard, readFileSync(shard).subarray(0, 60))],
  ["cut in the middle", (shard) => writeFileSync(shard, readFileSync(shard).subarray(0, 20_000))],
  ["another read version of SQLite", (shard) => overwrite(shard, 18, 9, 9)],
  ["without its first bytes", (shard) => overwrite(shard, 0, 0, 0, 0, 0)],
  ["text in its place", (shard) => writeFileSync(shard, "nothing that is known\n")],
];

test("the store itself is sound", () =>
  inTemporaryFolderAsync(async (folder) => {
    const { summary, findings } = await verify([makePalite(folder, LAYOUT, store)]);
    assert.is(summary.errors, 0, findings.map(({ code, message }) => `${code} ${message}`).join("\n"));
    assert.is(summary.complete, true);
  }));

for (const [name, damage] of damages)
  test(name, () =>
    inTemporaryFolderAsync(async (folder) => {
      const home = makePalite(folder, LAYOUT, store);
      const shard = join(home, shardName);
      damage(shard);
      const { findings, summary } = await verify([home]);
      const listed = findings.map(({ code, path, message }) => `\n${code} ${path} ${message}`).join("");
      const there = findings.filter(({ path, severity }) => path === shard && severity !== "info");
      assert.ok(there.length > 0, listed);
      assert.ok(there.every(({ message }) => message.length > 10));
      assert.is(verdictExitCode(summary, "error"), 1, listed);
      assert.ok(summary.checkpoints > 0, "the other shards are read");
    }),
  );

const LOST_COUNTERS = "no LSN and checkpoint counters";
const LOST_CHECKPOINTS = "no checkpoint can be opened";
const controlFiles = [
  { name: "globals.db", table: "globals", lost: LOST_COUNTERS },
  { name: "checkpoints.db", table: "checkpoints", lost: LOST_CHECKPOINTS },
];
const controlDamages: ReadonlyArray<readonly [string, (file: string, table: string) => void, boolean]> = [
  ["is gone", (file) => rmSync(file), false],
  ["is empty", (file) => writeFileSync(file, ""), true],
  ["has other first bytes", (file) => overwrite(file, 0, 0, 0, 0, 0), true],
  ["has another read version", (file) => overwrite(file, 18, 9, 9), true],
  ["has lost its table", (file, table) => withDatabase(file, (db) => db.exec(`DROP TABLE ${table}`)), true],
  ["has lost its rows", (file, table) => withDatabase(file, (db) => db.exec(`DELETE FROM ${table}`)), false],
];

for (const { name, table, lost } of controlFiles)
  for (const [what, damage, isNamed] of controlDamages)
    test(`${name} ${what}`, () =>
      inTemporaryFolderAsync(async (folder) => {
        const home = makePalite(folder, LAYOUT, store);
        const file = join(home, name);
        damage(file, table);
        const { findings, summary } = await verify([home]);
        const listed = findings.map(({ code, path, message }) => `\n${code} ${path} ${message}`).join("");
        assert.is(
          findings.some(
            ({ code, severity, path }) => code === "store-container" && severity === "error" && path === file,
          ),
          isNamed,
          listed,
        );
        assert.ok(
          findings.some(({ code, message }) => code === "unchecked" && message.includes(lost)),
          listed,
        );
        assert.is(summary.complete, false);
        assert.ok(summary.pages > 0, "the records are read");
      }));

for (const [column, name] of [
  ["base_lsn", shardName],
  ["backlink_lsn", shardName],
  ["lsn", "checkpoints.db"],
  ["timestamp", "checkpoints.db"],
  ["val", "globals.db"],
] as const)
  test(`${name} has lost its column ${column}`, () =>
    inTemporaryFolderAsync(async (folder) => {
      const home = makePalite(folder, LAYOUT, store);
      const file = join(home, name);
      const table = name === shardName ? "pages" : basename(name, ".db");
      withDatabase(file, (db) => db.exec(`ALTER TABLE ${table} RENAME COLUMN ${column} TO other`));
      const { findings, summary } = await verify([home]);
      assert.is(summary.complete, false);
      const errors = findings.filter(({ severity }) => severity === "error");
      assert.equal(
        errors.map(({ code, path }) => [code, path]),
        [["store-container", file]],
      );
      assert.match(errors[0]?.message ?? "", `no column ${column}`);
    }));

test("the newest checkpoint's row is lost, and the counter has given its LSN", () =>
  inTemporaryFolderAsync(async (folder) => {
    const home = makePalite(folder, LAYOUT, store);
    const orphans = async (): Promise<unknown[]> => {
      const { findings, summary } = await verify([home]);
      assert.is(summary.errors, 0);
      return findings
        .filter(({ code }) => code === "record-orphans")
        .map(({ severity, lsn }) => [severity, lsn]);
    };
    assert.equal(await orphans(), []);
    withDatabase(join(home, "checkpoints.db"), (db) =>
      db.exec(`DELETE FROM checkpoints WHERE lsn = ${GIVEN}`),
    );
    assert.equal(await orphans(), [["warning", GIVEN]]);
    // The store was left before it gave that LSN.
    withDatabase(join(home, "globals.db"), (db) => db.exec(`UPDATE globals SET val = ${GIVEN - 1n}`));
    assert.equal(await orphans(), [["info", undefined]]);
  }));

test("a store in one database that has lost its counters", () =>
  inTemporaryFolderAsync(async (folder) => {
    const home = makePalite(folder, "P0", store);
    const file = join(home, paliteSchemas.P0.files.globals);
    withDatabase(file, (db) => db.exec("DROP TABLE globals"));
    const { findings, summary } = await verify([home]);
    const codes = findings
      .filter(({ severity }) => severity !== "info")
      .map(({ code, path }) => [code, path]);
    assert.equal(codes, [
      ["unchecked", home],
      ["store-container", file],
    ]);
    assert.is(summary.complete, false);
  }));

test("a store of a newer SQLite is none we can read", () =>
  inTemporaryFolderAsync(async (folder) => {
    const home = makePalite(folder, LAYOUT, store);
    for (const name of readdirSync(home)) overwrite(join(home, name), 18, 3, 3);
    assert.throws(
      () => openPalite(home),
      (error: unknown) => error instanceof InputError && error.code === "input-unsupported",
    );
  }));

test.run();
