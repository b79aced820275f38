/** Whatever a repair leaves behind when it stops, the engine opens: in the old state or in the new one. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../src/codec/index.js";
import { METADATA_FILE } from "../../src/repair/classic/home.js";
import { TURTLE_SET } from "../../src/repair/durable.js";
import {
  applyRepair,
  planRepair,
  planText,
  type RepairEdit,
  type RepairPoint,
  undoRepair,
} from "../../src/repair/index.js";
import { verify } from "../../src/verify/index.js";
import { missingEngine, newHome, wt, wtOk } from "../repair/engine.js";
import { contents, pointsOf, stopAt, stops, withFolder } from "../repair/homes.js";
import { skipped } from "../support/skip.js";

const KILLED: readonly RepairPoint[] = [
  "tail-synced",
  "turtle-half",
  "before-publish",
  "after-publish",
  "directory-synced",
];
const EDITS: readonly RepairEdit[] = [
  { edit: "set", uri: "file:a.wt", key: "app_metadata", value: "repaired" },
  { edit: "create-table", name: "made", config: "key_format=S,value_format=S" },
];
/** The same bytes in every test. */
const TIME = { time: 1_900_000_000 };
const built = import.meta.url.endsWith(".js");
const child = fileURLToPath(new URL(`../repair/apply-and-die.${built ? "js" : "ts"}`, import.meta.url));

const suiteOf = suite("stopped repairs with the real engine");
const test = (name: string, work: (folder: string) => Promise<void>): void =>
  suiteOf(name, () => (missingEngine === undefined ? withFolder(work) : skipped(missingEngine)));

/** What the engine said of directories, by their bytes: it is asked once. */
const verdicts = new Map<string, Promise<"old" | "new">>();

/** Lets the engine open a directory like this, and says which state it is in. */
function stateOf(home: string): Promise<"old" | "new"> {
  const bytes = createHash("sha256")
    .update(JSON.stringify(contents(home)))
    .digest("hex");
  const known = verdicts.get(bytes);
  if (known !== undefined) return known;
  const verdict = askEngine(home);
  verdicts.set(bytes, verdict);
  return verdict;
}

async function askEngine(home: string): Promise<"old" | "new"> {
  const copy = `${home}.asked`;
  cpSync(home, copy, { recursive: true });
  const text = await wtOk(copy, ["list", "-v"]);
  rmSync(copy, { recursive: true });
  assert.match(text, /table:a\n/);
  const [isNew, hasTable] = [text.includes("app_metadata=repaired"), text.includes("table:made\n")];
  assert.is(isNew, hasTable);
  return isNew ? "new" : "old";
}

async function assertUsable(home: string): Promise<void> {
  await wtOk(home, ["write", "table:a", "again", "written"]);
  const { findings } = await verify([home], { threads: 1 });
  const errors = findings.filter(
    ({ severity, path }) => severity === "error" && !path?.includes("unfinished"),
  );
  assert.equal(errors, []);
}

test("every stop point: the engine opens the old or the new state", async (folder) => {
  const home = join(folder, "home");
  await newHome(home, ["a"]);
  const original = contents(home);
  const plan = planRepair(home, EDITS, TIME);
  const points = pointsOf((onPoint) => applyRepair(plan, { journal: join(folder, "journal"), onPoint }));
  undoRepair(join(folder, "journal"));
  const published = points.indexOf("after-publish");
  for (let nth = 1; nth <= points.length; nth++) {
    const copy = join(folder, `at${nth}`);
    cpSync(home, copy, { recursive: true });
    const { hook } = stopAt(nth);
    assert.ok(
      stops(() => applyRepair(plan, { path: copy, journal: join(folder, `journal${nth}`), onPoint: hook })),
    );
    assert.is(await stateOf(copy), nth > published ? "new" : "old", points[nth - 1]);
    if (nth >= published && nth <= published + 1) await assertUsable(copy);
  }
  assert.equal(contents(home), original);
  process.stdout.write(`${points.length} points, ${verdicts.size} different states `);
});

/** Blocks behind the old end as they may be while nothing is synced: a write is lost, or half of what it holds is. */
const tears: ReadonlyArray<readonly [string, (block: Uint8Array) => Uint8Array]> = [
  ["lost", (block) => new Uint8Array(block.length)],
  ["halved", (block) => block.map((byte, at) => (at < usedBytes(block) / 2 ? byte : 0))],
];
const usedBytes = (block: Uint8Array): number => block.findLastIndex((byte) => byte !== 0) + 1;

test("torn writes of any block, of the tail and of the next turtle: the engine opens the old state", async (folder) => {
  const home = join(folder, "home");
  await newHome(home, ["a"]);
  const { size } = statSync(join(home, METADATA_FILE));
  const plan = planRepair(home, EDITS, TIME);
  const stop = stopAt(
    pointsOf((onPoint) => applyRepair(plan, { output: join(folder, "new"), onPoint })).indexOf(
      "before-publish",
    ) + 2,
  );
  assert.ok(stops(() => applyRepair(plan, { journal: join(folder, "journal"), onPoint: stop.hook })));
  const whole = contents(home);
  let torn = 0;
  const check = async (what: string, name: string, bytes: Uint8Array): Promise<void> => {
    const copy = join(folder, what.replaceAll(" ", "-"));
    cpSync(home, copy, { recursive: true });
    writeFileSync(join(copy, name), bytes);
    assert.not.equal(contents(copy), whole, what);
    assert.is(await stateOf(copy), "old", what);
    torn++;
  };
  const metadata = readFileSync(join(home, METADATA_FILE));
  for (const { role, offset, size: length } of plan.metadata.blocks)
    for (const [what, tear] of tears) {
      const bytes = Buffer.from(metadata);
      bytes.set(tear(metadata.subarray(offset, offset + length)), offset);
      await check(`${role} ${what}`, METADATA_FILE, bytes);
    }
  const noise = seededRandom(8).bytes(metadata.length - size);
  await check("noise", METADATA_FILE, Buffer.concat([metadata.subarray(0, size), noise]));
  await check("cut", METADATA_FILE, metadata.subarray(0, size + ((metadata.length - size) >> 1) + 100));
  const set = readFileSync(join(home, TURTLE_SET));
  await check("half a turtle", TURTLE_SET, set.subarray(0, set.length >> 1));
  await check("turtle of noise", TURTLE_SET, noise.subarray(0, set.length));
  process.stdout.write(`${torn} torn states `);
  assert.is(torn, plan.metadata.blocks.length * tears.length + 4);
});

for (const point of KILLED)
  test(`killed at ${point}: the engine opens, and the repair can be taken back`, async (folder) => {
    const home = join(folder, "home");
    await newHome(home, ["a"]);
    const original = contents(home);
    const plan = join(folder, "plan.json");
    writeFileSync(plan, planText(planRepair(home, EDITS, TIME)));
    const journal = join(folder, "journal");
    const { signal, stderr } = spawnSync(
      process.execPath,
      [...(built ? [] : ["--import=tsx"]), child, plan, journal, point],
      { encoding: "utf8" },
    );
    assert.is(signal, "SIGKILL", stderr);
    assert.is(await stateOf(home), point.startsWith("after") || point === "directory-synced" ? "new" : "old");
    undoRepair(journal);
    assert.equal(contents(home), original);
  });

test("a turtle that names blocks which are not there does not open: why blocks are synced first", async (folder) => {
  const home = join(folder, "home");
  await newHome(home, ["a"]);
  const plan = planRepair(home, EDITS);
  writeFileSync(join(home, "WiredTiger.turtle"), plan.turtle.after);
  assert.is.not((await wt(home, ["list"])).status, 0);
});

suiteOf.run();
