/** A PALite directory of which one shard cannot be read: said at that file, and the others are checked. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pageLogFlags } from "../../formats/page-log.js";
import { verdictExitCode } from "../../src/cli/verify-output.js";
import { verify } from "../../src/verify/index.js";
import { inTemporaryFolderAsync } from "../support/directories.js";
import { loadContents } from "../support/log-contents.js";
import { makePalite, pagesFile } from "../support/palite-files.js";

const { records, checkpoints } = loadContents("a_small");
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
  globals: [],
};
const LAYOUT = "P2";
const shardName = pagesFile(LAYOUT, 41n);

const test = suite("shards that cannot be read");

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

test.run();
