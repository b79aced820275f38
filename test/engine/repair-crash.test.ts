/** Whatever a repair leaves behind when it stops, the engine opens: in the old state or in the new one. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
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
const built = import.meta.url.endsWith(".js");
const child = fileURLToPath(new URL(`../repair/apply-and-die.${built ? "js" : "ts"}`, import.meta.url));

const suiteOf = suite("stopped repairs with the real engine");
const test = (name: string, work: (folder: string) => Promise<void>): void =>
  suiteOf(name, () => (missingEngine === undefined ? withFolder(work) : skipped(missingEngine)));

/** Opens the home, and says which state it is in; afterwards it takes a write and verifies. */
async function stateOf(home: string): Promise<"old" | "new"> {
  const text = await wtOk(home, ["list", "-v"]);
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
  const plan = planRepair(home, EDITS);
  const points = pointsOf((onPoint) => applyRepair(plan, { journal: join(folder, "journal"), onPoint }));
  undoRepair(join(folder, "journal"));
  const published = points.indexOf("after-publish");
  const seen = new Set<string>();
  const states: Array<Promise<void>> = [];
  let checked = 0;
  for (let nth = 1; nth <= points.length; nth++) {
    const copy = join(folder, `at${nth}`);
    cpSync(home, copy, { recursive: true });
    const { hook } = stopAt(nth);
    assert.ok(
      stops(() => applyRepair(plan, { path: copy, journal: join(folder, `journal${nth}`), onPoint: hook })),
    );
    const state = createHash("sha256")
      .update(JSON.stringify(contents(copy)))
      .digest("hex");
    if (seen.has(state)) continue;
    seen.add(state);
    checked++;
    states.push(
      stateOf(copy).then(async (found) => {
        assert.is(found, nth > published ? "new" : "old", points[nth - 1]);
        if (nth >= published - 1) await assertUsable(copy);
      }),
    );
    if (states.length % 4 === 0) await Promise.all(states);
  }
  await Promise.all(states);
  assert.equal(contents(home), original);
  process.stdout.write(`${points.length} points, ${checked} different states `);
});

for (const point of KILLED)
  test(`killed at ${point}: the engine opens, and the repair can be taken back`, async (folder) => {
    const home = join(folder, "home");
    await newHome(home, ["a"]);
    const original = contents(home);
    const plan = join(folder, "plan.json");
    writeFileSync(plan, planText(planRepair(home, EDITS)));
    const journal = join(folder, "journal");
    const { signal, stderr } = spawnSync(
      process.execPath,
      [...(built ? [] : ["--import=tsx"]), child, plan, journal, point],
      { encoding: "utf8" },
    );
    assert.is(signal, "SIGKILL", stderr);
    const copy = join(folder, "copy");
    cpSync(home, copy, { recursive: true });
    assert.is(await stateOf(copy), point.startsWith("after") || point === "directory-synced" ? "new" : "old");
    undoRepair(journal);
    assert.equal(contents(home), original);
    rmSync(copy, { recursive: true });
  });

test("a turtle that names blocks which are not there does not open: why blocks are synced first", async (folder) => {
  const home = join(folder, "home");
  await newHome(home, ["a"]);
  const plan = planRepair(home, EDITS);
  writeFileSync(join(home, "WiredTiger.turtle"), plan.turtle.after);
  assert.is.not((await wt(home, ["list"])).status, 0);
});

suiteOf.run();
