/** What refusals are for: the engine's own reason, or the harm that is done without them. */
import { spawn } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { METADATA_FILE, readMetadata } from "../../src/repair/classic/home.js";
import {
  applyRepair,
  planRepair,
  type RefusalCode,
  type RepairEdit,
  verifyRepair,
} from "../../src/repair/index.js";
import { lockState } from "../../src/repair/lock.js";
import { logState } from "../../src/repair/log-state.js";
import { hexRow, missingEngine, newHome, rowsOf, wt, wtOk } from "../repair/engine.js";
import { forgeRow } from "../repair/forge.js";
import { assertRefused, contents, rowsIn, withFolder } from "../repair/homes.js";
import { corpusPath } from "../support/corpus.js";
import { skipped } from "../support/skip.js";

const EDITS: readonly RepairEdit[] = [
  { edit: "set", uri: "file:a.wt", key: "app_metadata", value: "repaired" },
];
const LOGGED = "log=(enabled=true,file_max=100KB),transaction_sync=(enabled=true,method=none)";

const suiteOf = suite("repairs that are refused, with the real engine");
const test = (name: string, work: (folder: string) => Promise<void>): void =>
  suiteOf(name, () => (missingEngine === undefined ? withFolder(work) : skipped(missingEngine)));

/** An engine that has the home open, until `end` is called. */
async function openEngine(home: string, rows: string, config = ""): Promise<{ kill: () => Promise<void> }> {
  const child = spawn("wt", ["-C", config, "-h", home, "loadtext", "table:a"]);
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  child.stdin.on("error", () => {});
  child.stdin.write(rows);
  for (let tries = 0; tries < 600 && lockState(home).state !== "held"; tries++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  return {
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

test("an open directory, to read or to write: the lock is seen, and gone with the engine", async (folder) => {
  const home = join(folder, "home");
  await newHome(home, ["a", "b"]);
  const plan = planRepair(home, EDITS);
  const engine = await openEngine(home, "");
  assertRefused("engine-running", () => planRepair(home, EDITS));
  assertRefused("engine-running", () =>
    applyRepair(plan, { journal: join(folder, "journal"), forceUnlocked: true }),
  );
  // The engine's own word for it.
  assert.match((await wt(home, ["list"])).stderr, /already being managed|busy/i);
  await engine.kill();
  planRepair(home, EDITS);
});

test("operations in the log: replayed over a repair, committed rows are lost without a word", async (folder) => {
  const home = join(folder, "home");
  await newHome(home, ["a", "b"]);
  await wtOk(home, ["write", "table:a", "k", "v"], { config: LOGGED });
  planRepair(home, EDITS);
  // More rows than are kept in memory, so that commits are in the log when the engine is killed.
  const rows = Array.from({ length: 4000 }, (_, i) => `k${i}\n${"v".repeat(100)}\n`).join("");
  const engine = await openEngine(home, rows, LOGGED);
  const logFiles = (): number => readdirSync(home).filter((name) => name.startsWith("WiredTigerLog.")).length;
  for (let tries = 0; tries < 400 && (logState(home).state !== "replay" || logFiles() < 4); tries++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  await engine.kill();
  assertRefused("log-replay", () => planRepair(home, EDITS));
  assertRefused("log-replay", () => planRepair(home, [{ edit: "change-id", uri: "file:a.wt", id: "auto" }]));
  // Another id all the same: recovery knows no table with the id that is in the log.
  const forced = join(folder, "forced");
  cpSync(home, forced, { recursive: true });
  forgeRow(forced, "file:a.wt", (value) => value.replace(/,id=\d+,/, ",id=900,"));
  for (const one of [home, forced]) await wtOk(one, ["-R", "list"], { config: LOGGED });
  const counts = await Promise.all([home, forced].map(async (one) => (await rowsOf(one, "table:a")).length));
  assert.ok((counts[0] as number) > 1000 && (counts[1] as number) < (counts[0] as number) / 2, counts.join());
  // Once the engine has replayed and closed, the repair is possible, and stays.
  applyRepair(planRepair(home, EDITS), { journal: join(folder, "journal") });
  await wtOk(home, ["-R", "list"], { config: LOGGED });
  assert.match(rowsIn(home).get("file:a.wt") as string, /app_metadata=repaired/);
  assert.is((await rowsOf(home, "table:a")).length, counts[0]);
});

test("a directory with a clean log: the engine judges the repair, and nothing of it changes", async (folder) => {
  const [home, output] = [corpusPath("classic-3.2.1/deb_logged"), join(folder, "repaired")];
  const plan = planRepair(home, [{ edit: "set", uri: "file:l.wt", key: "app_metadata", value: "repaired" }]);
  applyRepair(plan, { output });
  const before = contents(output);
  assert.ok(before["WiredTigerLog.0000000002"] !== undefined);
  const { ok, checks, engine } = await verifyRepair(output, { plan });
  assert.ok(ok && engine.asked, JSON.stringify(checks));
  assert.equal(contents(output), before);
});

test("no turtle: the engine starts an empty database and moves the metadata away", async (folder) => {
  const home = join(folder, "home");
  await newHome(home, ["a", "b"]);
  rmSync(join(home, "WiredTiger.turtle"));
  assertRefused("turtle-missing", () => planRepair(home, EDITS));
  assert.not.match((await wt(home, ["list"])).stdout, /table:a/);
  assert.ok(readdirSync(home).includes("WiredTiger.wt.1"));
});

test("metadata of a form that is not written here, or damaged: the engine's own reason not to open it", async (folder) => {
  const home = join(folder, "home");
  await newHome(home, ["a", "b"]);
  const turtle = (from: string | RegExp, to: string) => (bad: string) => {
    const path = join(bad, "WiredTiger.turtle");
    writeFileSync(path, readFileSync(path, "latin1").replace(from, to), "latin1");
  };
  const { checkpoint, tree } = readMetadata(home);
  const damage = (offset: number) => (bad: string) => {
    const path = join(bad, METADATA_FILE);
    const bytes = readFileSync(path);
    bytes[offset + 100] = (bytes[offset + 100] as number) ^ 1;
    writeFileSync(path, bytes);
  };
  const cases: ReadonlyArray<readonly [RefusalCode, (bad: string) => void, RegExp]> = [
    ["metadata-compressed", turtle("block_compressor=", "block_compressor=snappy"), /unknown compressor/],
    ["metadata-encrypted", turtle("keyid=,name=", "keyid=,name=rotn"), /unknown encryptor/],
    ["metadata-generation", turtle('addr="01', 'addr="02'), /unsupported checkpoint version/],
    ["allocation-size", turtle("allocation_size=4KB", "allocation_size=8KB"), /allocation size/],
    ["metadata-damaged", damage(tree.root.location.offset), /unable to read root page/],
    ["metadata-damaged", damage(checkpoint.avail.block?.offset ?? 0), /read checksum error/],
  ];
  await Promise.all(
    cases.map(async ([code, make, reason], index) => {
      const bad = join(folder, `bad${index}`);
      cpSync(home, bad, { recursive: true });
      make(bad);
      assertRefused(code, () => planRepair(bad, EDITS));
      // With mmap the checksum of a page in memory is not looked at.
      const { status, stderr } = await wt(bad, ["list"], { config: "mmap=false" });
      assert.is.not(status, 0, code);
      assert.match(stderr, reason);
    }),
  );
  // Without a checkpoint it opens, and everything is gone.
  const empty = join(folder, "empty");
  cpSync(home, empty, { recursive: true });
  turtle(/,checkpoint=\(.*\)\),/, ",checkpoint=,")(empty);
  assertRefused("checkpoint-missing", () => planRepair(empty, EDITS));
  assert.not.match((await wt(empty, ["list"])).stdout, /table:a/);
});

test("a backup's metadata: refused with the file that is in the way, possible once the engine has taken it in", async (folder) => {
  const home = join(folder, "home");
  const backup = join(folder, "backup");
  await newHome(home, ["a", "b"]);
  await wtOk(home, ["write", "table:a", "k", "v"]);
  cpSync(home, backup, { recursive: true });
  rmSync(join(backup, "WiredTiger.turtle"));
  rmSync(join(backup, "WiredTiger.wt"));
  const rows = rowsIn(home);
  const text = [...rows]
    .filter(([uri]) => !uri.startsWith("system:"))
    .map(([uri, value]) => `${uri}\n${value}\n`)
    .join("");
  const version =
    "WiredTiger version string\nWiredTiger 3.2.1: (August 27, 2019)\nWiredTiger version\nmajor=3,minor=2,patch=1\n";
  writeFileSync(join(backup, "WiredTiger.backup"), version + text);
  assertRefused("backup-metadata", () => planRepair(backup, EDITS));
  // A repair beside it is thrown away: the engine makes the metadata from the text.
  const both = join(folder, "both");
  cpSync(home, both, { recursive: true });
  applyRepair(planRepair(both, EDITS), { journal: join(folder, "journal") });
  writeFileSync(join(both, "WiredTiger.backup"), version + text);
  assertRefused("backup-metadata", () =>
    planRepair(both, [{ edit: "change-id", uri: "file:a.wt", id: "auto" }]),
  );
  await wtOk(both, ["list"]);
  assert.not.match(rowsIn(both).get("file:a.wt") as string, /app_metadata=repaired/);
  await wtOk(backup, ["list"]);
  applyRepair(planRepair(backup, EDITS), { journal: join(folder, "second") });
  assert.is(await rowsOf(backup, "table:a"), hexRow("k", "v"));
});

test("a table without its column group, a row without its file: the engine cannot open them", async (folder) => {
  const home = join(folder, "home");
  await newHome(home, ["a", "b"]);
  const id = String(BigInt(planRepair(home, EDITS).found.highestId) + 50n);
  assertRefused("references-broken", () => planRepair(home, [{ edit: "remove", uri: "file:a.wt" }]));
  assertRefused("file-missing", () =>
    planRepair(home, [{ edit: "insert", uri: "file:none.wt", config: `id=${id}` }]),
  );
  forgeRow(home, "colgroup:a", (value) => value.replace("file:a.wt", "file:none.wt"));
  const { status, stderr } = await wt(home, ["dump", "table:a"]);
  assert.is.not(status, 0);
  assert.match(stderr, /none\.wt|No such file/);
});

suiteOf.run();
