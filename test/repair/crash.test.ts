/** Wherever a repair or its undo stops, the directory is in the old or the new state; undo restores every byte. */
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../src/codec/index.js";
import { METADATA_FILE, TURTLE_FILE } from "../../src/repair/classic/home.js";
import {
  applyRepair,
  planRepair,
  type RepairEdit,
  type RepairPlan,
  repairPoints,
  undoRepair,
  verifyRepair,
} from "../../src/repair/index.js";
import { verify } from "../../src/verify/index.js";
import { assertRefused, contents, pointsOf, rowsIn, stopAt, stops, withHome } from "./homes.js";

const NAME = "classic-12.0/basic";
/** Files for the engine that are not there for it: left by a repair that was broken off. */
const LEFTOVER = /\.repair-unfinished$|^WiredTiger\.turtle\.set$|^made\.wt$/;

const editsOf = (folder: string): RepairEdit[] => {
  const rows = join(folder, "rows");
  writeFileSync(
    rows,
    Array.from(
      { length: 3000 },
      (_, i) => `${Buffer.from(String(i).padStart(6, "0")).toString("hex")}00\n7600\n`,
    ).join(""),
  );
  return [
    { edit: "change-id", uri: "file:row.wt", id: "auto" },
    { edit: "create-table", name: "made", config: "key_format=S,value_format=S", rows },
  ];
};

const test = suite("repair: crashes");

/** Rows say which state it is; the directory has to be sound in both. */
async function stateOf(home: string, before: Map<string, string>): Promise<"old" | "new"> {
  const rows = rowsIn(home);
  const isOld = rows.size === before.size && [...rows].every(([uri, value]) => before.get(uri) === value);
  const { findings } = await verify([home], { threads: 1 });
  const errors = findings.filter(
    ({ severity, path }) => severity === "error" && !LEFTOVER.test(path?.split("/").at(-1) ?? ""),
  );
  assert.equal(errors, []);
  return isOld ? "old" : "new";
}

test("every point at which an in-place repair can stop, and its undo from there", () =>
  withHome(NAME, async (home, folder) => {
    const journal = join(folder, "journal");
    const original = contents(home);
    const before = rowsIn(home);
    const plan = planRepair(home, editsOf(folder), { time: 1_900_000_000 });
    const points = pointsOf((onPoint) => applyRepair(plan, { journal, onPoint }));
    // However the directory is named.
    const { ok, checks } = await verifyRepair(`${folder}/./home`, { plan, engine: false });
    assert.ok(ok, JSON.stringify(checks));
    undoRepair(journal);
    assert.equal(contents(home), original);
    assertRefused("undo-done", () => undoRepair(journal));
    const published = points.indexOf("after-publish");
    for (let nth = 1; nth <= points.length; nth++) {
      const { hook } = stopAt(nth);
      const own = join(folder, `journal${nth}`);
      assert.ok(stops(() => applyRepair(plan, { journal: own, onPoint: hook })));
      assert.is(await stateOf(home, before), nth > published ? "new" : "old", points[nth - 1]);
      if (points[nth - 1] === "journal-half") {
        assert.equal(contents(home), original);
        continue;
      }
      if (nth === 2) assertRefused("undo-done", () => undoRepair(own));
      else undoRepair(own);
      assert.equal(contents(home), original, points[nth - 1]);
    }
    process.stdout.write(`${points.length} points of applying `);
    assert.ok(points.length > 20 && published > 15);
  }));

test("every point at which an undo can stop: it can be run again", () =>
  withHome(NAME, async (home, folder) => {
    const original = contents(home);
    const before = rowsIn(home);
    const plan = planRepair(home, editsOf(folder), { time: 1_900_000_000 });
    const apply = (nth: number): string =>
      applyRepair(plan, { journal: join(folder, `journal${nth}`) }).journal as string;
    const points = pointsOf((onPoint) => undoRepair(apply(0), { onPoint }));
    assert.equal(contents(home), original);
    for (let nth = 1; nth <= points.length; nth++) {
      const journal = apply(nth);
      const { hook } = stopAt(nth);
      assert.ok(stops(() => undoRepair(journal, { onPoint: hook })));
      assert.is(await stateOf(home, before), nth > 1 ? "old" : "new", points[nth - 1]);
      if (contents(home)["made.wt"] !== undefined || nth < points.length) undoRepair(journal);
      assert.equal(contents(home), original, points[nth - 1]);
    }
    process.stdout.write(`${points.length} points of undoing `);
    const all = [
      ...points,
      ...pointsOf((onPoint) => applyRepair(plan, { journal: join(folder, "last"), onPoint })),
    ];
    assert.equal(new Set(all), new Set(Object.keys(repairPoints)));
  }));

test("whatever is behind the metadata's end while the turtle is the old one does not matter", () =>
  withHome(NAME, async (home, folder) => {
    const before = rowsIn(home);
    const path = join(home, METADATA_FILE);
    const { size } = statSync(path);
    const plan = planRepair(home, editsOf(folder), { time: 1_900_000_000 });
    const { hook } = stopAt(
      pointsOf((onPoint) => applyRepair(plan, { output: join(folder, "out"), onPoint })).indexOf(
        "tail-synced",
      ) +
        1 +
        2,
    );
    assert.ok(stops(() => applyRepair(plan, { journal: join(folder, "journal"), onPoint: hook })));
    const random = seededRandom(3);
    let torn = 0;
    for (const { offset, size: length } of plan.metadata.blocks)
      for (const bytes of [new Uint8Array(length), random.bytes(length), random.bytes(length >> 1)]) {
        const kept = readFileSync(path);
        const file = openSync(path, "r+");
        writeSync(file, bytes, 0, bytes.length, offset);
        closeSync(file);
        assert.is(await stateOf(home, before), "old");
        writeFileSync(path, kept);
        torn++;
      }
    process.stdout.write(`${torn} torn tails `);
    assert.ok(statSync(path).size > size && torn >= 12);
  }));

test("nothing is lost of a metadata file longer than its checkpoint, nor of what a killed engine left", () =>
  withHome(NAME, (home, folder) => {
    const path = join(home, METADATA_FILE);
    const leftover = seededRandom(1).bytes(10_000);
    writeFileSync(path, Buffer.concat([readFileSync(path), leftover]));
    writeFileSync(join(home, "WiredTiger.turtle.set"), "half a turtle");
    const original = contents(home);
    const journal = join(folder, "journal");
    applyRepair(planRepair(home, editsOf(folder)), { journal });
    assert.not.equal(contents(home), original);
    undoRepair(journal);
    assert.equal(contents(home), original);
  }));

test("a repair is not taken back once somebody has written", () =>
  withHome(NAME, async (home, folder) => {
    const plan: RepairPlan = planRepair(home, editsOf(folder));
    const journal = join(folder, "journal");
    applyRepair(plan, { journal });
    const repaired = contents(home);
    const change = (name: string, bytes: (old: Buffer) => Uint8Array): void => {
      const path = join(home, name);
      const old = readFileSync(path);
      writeFileSync(path, bytes(old));
      assertRefused("undo-changed", () => undoRepair(journal));
      writeFileSync(path, old);
    };
    change(METADATA_FILE, (old) => old.subarray(0, old.length - 4096));
    change(METADATA_FILE, (old) => Buffer.concat([old, old.subarray(0, 4096)]));
    change(METADATA_FILE, (old) => {
      const copy = Buffer.from(old);
      copy[(plan.metadata.blocks[0]?.offset ?? 0) + 5000] = 0x77;
      return copy;
    });
    change("made.wt", (old) => Buffer.concat([old, Buffer.alloc(4096)]));
    change(TURTLE_FILE, (old) => Buffer.from(old.toString("latin1").replace(/time=\d+/, "time=1")));
    // A second repair is a write as well.
    applyRepair(planRepair(home, [{ edit: "set", uri: "table:row", key: "app_metadata", value: "x" }]), {
      journal: join(folder, "second"),
    });
    assertRefused("undo-changed", () => undoRepair(journal));
    undoRepair(join(folder, "second"));
    assert.equal(contents(home), repaired);
    undoRepair(journal);
  }));

test("a journal changed by hand is not followed", () =>
  withHome(NAME, (home, folder) => {
    const journal = join(folder, "journal");
    applyRepair(planRepair(home, editsOf(folder)), { journal });
    const repaired = contents(home);
    const text = readFileSync(journal, "utf8");
    const odd = join(folder, "odd");
    const changes: ReadonlyArray<(it: ReturnType<typeof JSON.parse>) => void> = [
      (it) => (it.plan.metadata.length.before = 0),
      (it) => (it.plan.metadata.length.before = "x"),
      (it) => (it.plan.files = null),
      (it) => (it.plan.files[0].name = "../rows"),
      (it) => (it.plan.turtle.before = "x"),
      (it) => (it.turtleSet = "x"),
      (it) => (it.path = folder),
      (it) => (it.tailSha256 = ""),
      (it) => delete it.sha256,
    ];
    for (const change of changes) {
      const changed = JSON.parse(text);
      change(changed);
      writeFileSync(odd, JSON.stringify(changed));
      assertRefused("journal-invalid", () => undoRepair(odd));
      assert.equal(contents(home), repaired);
    }
    // Where it is kept and how it is laid out does not matter.
    writeFileSync(odd, JSON.stringify(JSON.parse(text)));
    undoRepair(odd);
  }));

test("the journal is never in the way: not written over, not inside the directory", () =>
  withHome(NAME, (home, folder) => {
    const original = contents(home);
    const plan = planRepair(home, editsOf(folder));
    writeFileSync(join(folder, "journal"), "someone's");
    assertRefused("journal-exists", () => applyRepair(plan, { journal: join(folder, "journal") }));
    assertRefused("journal-exists", () => applyRepair(plan, { journal: join(home, "journal") }));
    symlinkSync(home, join(folder, "link"));
    assertRefused("journal-exists", () => applyRepair(plan, { journal: join(folder, "link", "journal") }));
    assert.equal(contents(home), original);
    mkdirSync(`${home}-journals`);
    applyRepair(plan, { journal: join(`${home}-journals`, "journal") });
    undoRepair(join(`${home}-journals`, "journal"));
    assert.is(applyRepair(plan).journal, `${home}.repair-journal.json`);
    for (const text of [
      "",
      "{}",
      "[]",
      "{",
      JSON.stringify({ document: "pugmark-repair-journal", schemaVersion: 1 }),
    ]) {
      writeFileSync(join(folder, "odd"), text);
      assert.throws(
        () => undoRepair(join(folder, "odd")),
        (error: Error) => error.name === "RepairRefusal",
      );
    }
  }));

test.run();
