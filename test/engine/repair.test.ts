/** Repairs of directories of the real engine, with the real engine as the judge. */
import { cpSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { descriptionBlock } from "../../formats/description-block.js";
import { packStruct } from "../../formats/packed-struct.js";
import { configGetText, parseConfig, seededRandom } from "../../src/codec/index.js";
import { METADATA_FILE, readMetadata, TURTLE_FILE } from "../../src/repair/classic/home.js";
import {
  applyRepair,
  planRepair,
  type RepairEdit,
  undoRepair,
  verifyRepair,
} from "../../src/repair/index.js";
import { verify } from "../../src/verify/index.js";
import { dumpText, hexRow, missingEngine, newHome, rowsOf, wt, wtOk } from "../repair/engine.js";
import { forgeDuplicate } from "../repair/forge.js";
import { contents, rowsIn, withFolder } from "../repair/homes.js";
import { runCli } from "../support/cli.js";
import { skipped } from "../support/skip.js";

const suiteOf = suite("repair with the real engine");
const test = (name: string, work: (folder: string) => Promise<void>): void =>
  suiteOf(name, () => (missingEngine === undefined ? withFolder(work) : skipped(missingEngine)));

/** No error of ours, every byte accounted for. */
async function assertSound(home: string): Promise<void> {
  const { findings, summary } = await verify([home], { threads: 1 });
  assert.equal(
    findings
      .filter(({ severity }) => severity !== "info")
      .map(({ code, message, path }) => `${path} ${code}: ${message}`),
    [],
  );
  assert.ok(summary.complete);
}

const idIn = (home: string, uri: string): string =>
  configGetText(parseConfig(rowsIn(home).get(uri) as string), ["id"]) as string;

test("flagship: two tables with one id, every open panics; after the repair everything is as it was and goes on", async (folder) => {
  const home = join(folder, "home");
  await newHome(home, ["a", "b", "c"]);
  const rows = new Map<string, string>();
  for (const [name, count] of [
    ["a", 700],
    ["b", 2000],
  ] as const) {
    const text = Array.from({ length: count }, (_, i) =>
      hexRow(`key${String(i).padStart(7, "0")}`, `${name}${i}`),
    ).join("");
    await wtOk(home, ["load"], { input: dumpText(`table:${name}`, text) });
    rows.set(`table:${name}`, text);
  }
  rows.set("table:c", "");
  const listed = await wtOk(home, ["list"]);
  forgeDuplicate(home, "file:b.wt", idIn(home, "file:a.wt"));
  const broken = contents(home);
  const copies = ["open", "read-only", "salvage"].map((name) => join(folder, name));
  for (const copy of copies) cpSync(home, copy, { recursive: true });
  const [open, readOnly, salvage] = copies as [string, string, string];
  const failures = await Promise.all([
    wt(open, ["list"]),
    wt(readOnly, ["list"], { config: "readonly=true" }),
    wt(salvage, ["salvage", "table:a"]),
  ]);
  for (const { status, stderr } of failures) {
    assert.is.not(status, 0);
    assert.match(stderr, /same file ID/);
  }
  assert.match(failures[0]?.stderr as string, /panic/i);

  // The command line, from the plan to the verdict.
  const plan = join(folder, "plan.json");
  const fixed = join(folder, "fixed");
  const planned = runCli("repair", "plan", home, "fix", "duplicates", "-o", plan);
  assert.is(planned.status, 0, planned.stderr);
  assert.match(planned.stdout, /file:a\.wt id: \d+ → \d+/);
  assert.is(runCli("repair", "apply", plan, "--output", fixed).status, 0);
  assert.equal(contents(home), broken);
  const verdict = runCli("repair", "verify", fixed, "--plan", plan);
  assert.is(verdict.status, 0, verdict.stdout);
  assert.match(verdict.stdout, /ok +engine list/);

  assert.is(await wtOk(fixed, ["list"]), listed);
  for (const [uri, text] of rows) assert.is(await rowsOf(fixed, uri), text);
  await wtOk(fixed, ["write", "table:a", "new", "row"]);
  await wtOk(fixed, ["write", "table:b", "new", "row"]);
  await wtOk(fixed, ["create", "-c", "key_format=S,value_format=S", "table:d"]);
  await wtOk(fixed, ["drop", "table:c"]);
  for (const uri of ["table:a", "table:b", "table:d"]) await wtOk(fixed, ["verify", uri]);
  assert.ok((await rowsOf(fixed, "table:b")).includes(hexRow("new", "row")));
  await assertSound(fixed);

  // In place, and back again.
  const journal = join(folder, "journal");
  assert.is(runCli("repair", "apply", plan, "--in-place", "--journal", journal).status, 0);
  assert.is(runCli("repair", "verify", home, "--journal", journal, "--no-engine").status, 0);
  assert.is(runCli("repair", "undo", journal).status, 0);
  assert.equal(contents(home), broken);
  assert.is(runCli("repair", "undo", journal).status, 1);
  assert.is(runCli("repair", "apply", plan, "--output", fixed).status, 1);
});

const ROWS = 10_000;
const tables: ReadonlyArray<{
  name: string;
  key: string;
  value: string;
  row: (i: number) => [Uint8Array, Uint8Array];
  more?: string;
}> = [
  {
    name: "text",
    key: "S",
    value: "S",
    row: (i) => [packStruct("S", [`k${String(i).padStart(8, "0")}`]), packStruct("S", ["v".repeat(i % 90)])],
  },
  {
    name: "bytes",
    key: "u",
    value: "u",
    more: ",leaf_page_max=4KB,allocation_size=512B",
    row: (i) => [Uint8Array.of(1, i >> 8, i & 255), new Uint8Array(i % 70).fill(i & 255)],
  },
  {
    name: "wide",
    key: "Q",
    value: "u",
    more: ",leaf_page_max=128KB,block_compressor=,checksum=on",
    row: (i) => [packStruct("Q", [BigInt(i) ** 3n]), new Uint8Array(i % 997 === 0 ? 40_000 : 5)],
  },
  {
    name: "columns",
    key: "Si",
    value: "Sq",
    more: ",columns=(a,b,c,d),checksum=off",
    row: (i) => [
      packStruct("Si", [`g${i >> 6}`.padStart(6, "0"), i & 63]),
      packStruct("Sq", ["x", BigInt(-i)]),
    ],
  },
];

test("new tables, empty and with 10,000 rows of four formats", async (folder) => {
  const home = join(folder, "home");
  await newHome(home, ["a", "b", "c"]);
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  const texts = new Map<string, string>();
  const edits: RepairEdit[] = tables.map(({ name, key, value, row, more = "" }) => {
    const rows = Array.from({ length: ROWS }, (_, i) => row(i)).sort(([a], [b]) => Buffer.compare(a, b));
    texts.set(name, rows.map(([k, v]) => `${hex(k)}\n${hex(v)}\n`).join(""));
    writeFileSync(join(folder, name), texts.get(name) as string);
    return {
      edit: "create-table",
      name,
      config: `key_format=${key},value_format=${value}${more}`,
      rows: join(folder, name),
    };
  });
  edits.push({ edit: "create-table", name: "empty", config: "key_format=S,value_format=S" });
  const plan = planRepair(home, edits);
  applyRepair(plan, { journal: join(folder, "journal") });
  const report = await verifyRepair(home, { plan });
  assert.ok(report.ok, JSON.stringify(report.checks));
  assert.is(
    report.checks.filter(({ name, state }) => name.startsWith("engine verify file:") && state === "passed")
      .length,
    5,
  );
  assert.ok(report.checks.some(({ name, state }) => name.includes("copy of") && state === "passed"));
  for (const { name } of tables) {
    const head = readFileSync(join(home, `${name}.wt`));
    assert.is(head.readUInt32LE(0), 120_897);
    assert.ok(descriptionBlock.read(head.subarray(0, name === "bytes" ? 512 : 4096)).ok);
    assert.is(await rowsOf(home, `table:${name}`), texts.get(name), name);
  }
  await wtOk(home, ["write", "table:text", "k00000005x", "between", "zz", "behind"]);
  await wtOk(home, ["load"], {
    input: dumpText("table:bytes", "00\naa\n010000\nbb\nff\ncc\n", "key_format=u,value_format=u"),
  });
  await wtOk(home, ["write", "table:empty", "k", "v"]);
  assert.is(
    (await rowsOf(home, "table:text")).length,
    (texts.get("text") as string).length +
      hexRow("k00000005x", "between").length +
      hexRow("zz", "behind").length,
  );
  await wtOk(home, ["verify", "table:bytes"]);
  await wtOk(home, ["drop", "table:text"]);
  assert.not(existsSync(join(home, "text.wt")));
  await wtOk(home, ["create", "-c", "key_format=S,value_format=S", "table:text"]);
  await wtOk(home, ["write", "table:text", "k", "v"]);
  await assertSound(home);
});

test("two hundred random repairs between real writes, also above a named checkpoint", async (folder) => {
  const home = join(folder, "home");
  await newHome(home, ["a", "b", "c"]);
  const names = Array.from({ length: 30 }, (_, i) => `t${String(i).padStart(2, "0")}`);
  applyRepair(
    planRepair(
      home,
      names.map((name) => ({ edit: "create-table", name, config: "key_format=S,value_format=S" })),
    ),
    { journal: join(folder, "first") },
  );
  await wtOk(home, ["write", "table:a", "k", "v"]);
  const random = seededRandom(17);
  let longest = 0;
  for (let round = 0; round < 200; round++) {
    if (round === 60) nameCheckpoint(home, "kept");
    const uris = [...rowsIn(home).keys()].filter(
      (uri) => !uri.startsWith("system:") && !uri.includes("WiredTiger"),
    );
    const uri = [uris[0], uris[uris.length >> 1], uris.at(-1), uris[random.below(uris.length)]][
      random.below(4)
    ] as string;
    const old =
      readMetadata(home)
        .rows.get(uri)
        ?.value.match(/app_metadata=(x*)/)?.[1]?.length ?? 0;
    const length = [
      Math.max(0, old - 1),
      old,
      old + 1 + random.below(300),
      random.below(12) === 0 ? 100_000 : 10,
    ][random.below(4)] as number;
    // Same length, another value.
    const same = "x".repeat(length).replace(/^x/, round % 2 === 0 ? "y" : "x");
    const value = rowsIn(home).get(uri)?.includes(`app_metadata=${same},`) ? `${same}z` : same;
    const edits: RepairEdit[] = [{ edit: "set", uri, key: "app_metadata", value }];
    if (random.below(4) === 0)
      edits.push({
        edit: "change-id",
        uri: `file:t${String(random.below(30)).padStart(2, "0")}.wt`,
        id: "auto",
      });
    const plan = planRepair(home, edits);
    applyRepair(plan, { journal: join(folder, `journal${round}`) });
    if (round % 10 === 5) {
      undoRepair(join(folder, `journal${round}`));
      applyRepair(plan, { journal: join(folder, `again${round}`) });
    }
    longest = Math.max(longest, statSync(join(home, METADATA_FILE)).size);
    if (round % 8 === 0) await assertSound(home);
    if (round % 20 === 19) {
      const table = `table:t${String(random.below(30)).padStart(2, "0")}`;
      await wtOk(home, ["write", table, `k${round}`, "v".repeat(random.below(3000))]);
      await assertSound(home);
    }
  }
  await wtOk(home, ["write", "table:t00", "k", "last"]);
  await assertSound(home);
  assert.ok(readMetadata(home).config.checkpoints.some(({ name }) => name === "kept"));
  const after = statSync(join(home, METADATA_FILE)).size;
  assert.ok(after < longest, `${longest} bytes at most, ${after} now`);
  const listed = await wtOk(home, ["list"]);
  for (const name of names) assert.ok(listed.includes(`table:${name}\n`));
  await wtOk(home, ["verify", "table:t29"]);
});

/** A named checkpoint differs from an unnamed one in its name only. */
function nameCheckpoint(home: string, name: string): void {
  const path = join(home, TURTLE_FILE);
  writeFileSync(
    path,
    readFileSync(path, "latin1").replace(/WiredTigerCheckpoint\.\d+(?==\(addr)/, name),
    "latin1",
  );
}

test("metadata of one, two and three levels above its leaves: any row, any length", async (folder) => {
  const home = join(folder, "home");
  await newHome(home, ["a", "b", "c"]);
  const levels = new Set<number>();
  /** Every step is verified by us, the last of a depth by the engine as well. */
  const repair = async (edits: readonly RepairEdit[], name: string, engine = false): Promise<void> => {
    const plan = planRepair(home, edits);
    applyRepair(plan, { journal: join(folder, name) });
    const { ok, checks } = await verifyRepair(home, { plan, engine });
    assert.ok(ok, JSON.stringify(checks.filter(({ state }) => state === "failed")));
    assert.is(
      checks.filter(({ name: check, state }) => /^engine (list|.*copy of)/.test(check) && state === "passed")
        .length,
      engine ? 2 : 0,
    );
  };
  const anyRow = async (name: string): Promise<void> => {
    const { rows, tree } = readMetadata(home);
    levels.add(tree.levels - 1);
    const uris = [...rows.keys()].filter((uri) => !uri.startsWith("system:") && !uri.includes("WiredTiger"));
    const places = [uris[0], uris[uris.length >> 1], uris.at(-1)] as string[];
    const set = (uri: string, length: number): RepairEdit => ({
      edit: "set",
      uri,
      key: "app_metadata",
      value: "z".repeat(length),
    });
    await repair(
      places.map((uri, i) => set(uri, i === 1 ? 100_000 : 3)),
      `${name}-long`,
    );
    await repair(
      places.map((uri, i) => set(uri, i === 1 ? 2 : 5000)),
      `${name}-short`,
      name !== "deeper",
    );
  };
  const many = (from: number, to: number): RepairEdit[] =>
    Array.from({ length: to - from }, (_, i) => ({
      edit: "create-table",
      name: nameOf(from + i),
      config: `app_metadata=${"m".repeat(2600)},key_format=S,value_format=S`,
    }));
  await anyRow("small");
  await repair(many(0, 120), "some");
  await anyRow("deeper");
  applyRepair(planRepair(home, many(120, 2000)), { journal: join(folder, "many") });
  await anyRow("deep");
  assert.equal([...levels], [1, 2, 3]);
  await wtOk(home, ["write", `table:${nameOf(777)}`, "k", "v"]);
  await wtOk(home, ["drop", `table:${nameOf(778)}`]);
  await wtOk(home, ["verify", `table:${nameOf(777)}`]);
  await assertSound(home);
});

/** Long names: few of them fit on a page. */
const nameOf = (i: number): string => `t${String(i).padStart(5, "0")}${"n".repeat(180)}`;

suiteOf.run();
