/** Rows of damaged inputs: what is on undamaged pages comes out, the rest is named. */
import { readdirSync } from "node:fs";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pageTypes } from "../../formats/page-header.js";
import { runProgram } from "../../src/cli/program.js";
import type { CheckpointRecord, PageLog } from "../../src/store/types.js";
import { openDatabase } from "../../src/tree/index.js";
import { PageLogDatabase } from "../../src/tree/page-log/database.js";
import type { KeyRange, TreeProblem, TreeRow } from "../../src/tree/types.js";
import { isInside } from "../../src/tree/walk.js";
import { corpusPath } from "../support/corpus.js";
import { loadContents, logOf } from "../support/log-contents.js";

interface PartialRows {
  readonly rows: readonly TreeRow[];
  /** Met while reading rows, and on the way to the table. */
  readonly problems: readonly TreeProblem[];
  readonly met: readonly TreeProblem[];
}

function readPartly(path: string, table: string): PartialRows {
  const database = openDatabase(path);
  try {
    const problems: TreeProblem[] = [];
    const rows = [
      ...database.table(table).rows({ onProblem: (problem) => problems.push(problem), rescue: true }),
    ];
    return { rows, problems, met: database.problems };
  } finally {
    database.close();
  }
}

const line = ({ key, value }: TreeRow): string =>
  `${Buffer.from(key as Uint8Array).toString("hex")} ${Buffer.from(value).toString("hex")}`;

/** The rows that are left are the healthy ones outside the lost ranges, each of them. */
function checkLoss(healthy: readonly TreeRow[], partial: PartialRows): number {
  // Below a damaged internal page every leaf of this file is sound, and found.
  const lost = partial.problems.flatMap(({ lost: range, rescued }): KeyRange[] =>
    range === undefined || rescued !== undefined ? [] : [range],
  );
  const expected = healthy.filter(({ key }) => !lost.some((range) => isInside(key, range)));
  assert.equal(partial.rows.map(line), expected.map(line));
  return healthy.length - expected.length;
}

const test = suite("rows of damaged inputs");
const healthyClassic = readPartly(corpusPath("corrupt-classic", "orig"), "c").rows;
const healthyPalm = readPartly(corpusPath("palm", "a_small"), "small").rows;

/** Rows lost for good, and where the damage is met. */
const classicCases: Readonly<Record<string, { lost: number; code?: TreeProblem["code"]; on?: "way" }>> = {
  desc_checksum: { lost: 0, code: "description" },
  desc_magic: { lost: 0, code: "description" },
  desc_padding: { lost: 0, code: "description" },
  desc_version: { lost: 0, code: "description" },
  // Rows do not need the lists of free space.
  extlist_alloc: { lost: 0 },
  extlist_avail: { lost: 0 },
  internal_body: { lost: 0, code: "page-damaged" },
  leaf_blkhdr_checksum: { lost: 50, code: "page-damaged" },
  leaf_blkhdr_disksize: { lost: 50, code: "page-damaged" },
  leaf_body: { lost: 50, code: "page-damaged" },
  leaf_pagehdr_memsize: { lost: 50, code: "page-damaged" },
  meta_desc_magic: { lost: 0, code: "description", on: "way" },
  meta_leaf_body: { lost: 0, code: "page-damaged", on: "way" },
  meta_root_body: { lost: 0, code: "page-damaged", on: "way" },
  root_body: { lost: 0, code: "page-damaged" },
  turtle_addr: { lost: 0, code: "address", on: "way" },
  turtle_key: { lost: 0, code: "metadata", on: "way" },
  // The version text is not needed to find anything.
  turtle_wtversion: { lost: 0 },
};

test("every case of the corpus is known here", () => {
  const cases = readdirSync(corpusPath("corrupt-classic")).filter((name) => !/orig|\.json$/.test(name));
  assert.equal(cases.sort(), Object.keys(classicCases).sort());
  assert.is(healthyClassic.length, 12000);
});

for (const [name, { lost, code, on }] of Object.entries(classicCases))
  test(`corrupt-classic/${name}`, () => {
    const partial = readPartly(corpusPath("corrupt-classic", name, "db"), "c");
    assert.is(checkLoss(healthyClassic, partial), lost);
    const where = on === "way" ? partial.met : partial.problems;
    assert.is(
      where.some((problem) => problem.code === code),
      code !== undefined,
    );
    assert.is(partial.problems.length + partial.met.length > 0, code !== undefined);
  });

/** The rows of page 101 in the healthy store, from its image or a delta. */
const onPage = healthyPalm.filter(({ origin }) => origin.pageId === 101n);

for (const name of [
  "base_body",
  "base_prev_checksum",
  "delta_first_body",
  "missing_base",
  "missing_delta_middle",
])
  test(`corrupt-palm/${name}: all rows but those of the damaged page`, () => {
    const partial = readPartly(corpusPath("corrupt-palm", name), "small");
    assert.is(checkLoss(healthyPalm, partial), onPage.length);
    assert.is(onPage.length, 65);
    assert.is(partial.problems.length, 1);
    assert.is(partial.problems[0]?.place.pageId, 101n);
    const { lost } = partial.problems[0] as TreeProblem;
    for (const { key } of onPage) assert.ok(isInside(key, lost as KeyRange));
  });

test("corrupt-palm/turtle_addr: the root of the metadata is found another way", () => {
  const partial = readPartly(corpusPath("corrupt-palm", "turtle_addr"), "small");
  assert.is(checkLoss(healthyPalm, partial), 0);
  assert.equal(
    partial.met.map(({ code }) => code),
    ["metadata", "metadata"],
  );
});

test("a checkpoint whose own LSN is damaged is not taken for the newest", () => {
  const contents = loadContents("a_small");
  const [first, ...others] = contents.checkpoints;
  const moved = { ...(first as CheckpointRecord), lsn: 1n << 40n };
  const log = logOf({ ...contents, checkpoints: [...others, moved] });
  const database = new PageLogDatabase(log, "memory", {});
  const table = database.table("small");
  assert.is(table.checkpoint?.lsn, 167n);
  assert.equal([...table.rows()].map(line), healthyPalm.map(line));
  assert.equal(
    database.problems.map(({ code, place }) => [code, place.lsn]),
    [["metadata", moved.lsn]],
  );
});

for (const store of ["a_small", "g_crash", "f_switch"])
  test(`${store}: what leads to the tables is lost, one record at a time, and no row is`, () => {
    const contents = loadContents(store);
    const read = (log: PageLog): { rows: string[]; problems: readonly TreeProblem[] } => {
      const database = new PageLogDatabase(log, "memory", {});
      const table = database.tables().find(({ name }) => name.startsWith("layered:"));
      const rows = [...database.table(table?.name ?? "none").rows()].map(line);
      return { rows, problems: database.problems };
    };
    const healthy = read(logOf(contents));
    assert.equal(healthy.problems, []);
    const lead = contents.records.filter(
      ({ tableId, lsn }) =>
        (tableId === 1n || tableId === 9n) &&
        lsn > (contents.checkpoints.at(-2)?.lsn ?? 0n) &&
        lsn < (contents.checkpoints.at(-1)?.lsn ?? 0n),
    );
    assert.is(lead.length, 3, "a leaf and the root of the metadata, the turtle page");
    for (const record of lead) {
      const last = record.data.length - 1;
      const damaged = { ...record, data: record.data.map((byte, at) => (at === last ? byte ^ 1 : byte)) };
      const gone = contents.records.filter((other) => other !== record);
      for (const records of [gone, ...(record.tableId === 1n ? [] : [[...gone, damaged]])]) {
        const { rows, problems } = read(logOf({ ...contents, records }));
        assert.equal(rows, healthy.rows);
        assert.ok(problems.length > 0);
      }
    }
  });

test("the newest checkpoint is lost: its counter tells that rows are older than they were", () => {
  const contents = loadContents("a_small");
  const told = (checkpoints: readonly CheckpointRecord[], name?: string): string[] => {
    const database = new PageLogDatabase(logOf({ ...contents, checkpoints }), "memory", {});
    if (checkpoints.length > 0) database.table("small", name);
    else assert.throws(() => database.tables(), /no complete checkpoint/);
    return database.problems.map(({ message }) => message);
  };
  const all = contents.checkpoints;
  assert.equal(told(all), []);
  const lost = "the store completed checkpoint 7, and the newest record is of 6: newer rows are lost";
  assert.equal(told(all.slice(0, -1)), [lost]);
  assert.equal(told(all.slice(0, -1), "6"), []);
  assert.is(told([]).length, 1);
});

interface Dumped {
  readonly code: number;
  /** Keys and values as the hex dump has them, a row an entry. */
  readonly rows: readonly string[];
  readonly err: string;
}

async function dumpPartly(path: string, table: string): Promise<Dumped> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const [out, err] = [text(stdout), text(stderr)];
  const args = ["dump", path, table, "--partial"];
  const code = await runProgram(args, "0.0.0", { stdin, stdout, stderr, env: {} } as never);
  stdout.end();
  stderr.end();
  const lines = (await out).trimEnd().split("\n");
  const rows = lines.flatMap((key, at) => (at % 2 === 0 ? [`${key} ${lines[at + 1]}`] : []));
  return { code, rows, err: await err };
}

/** The ranges that are said to be lost, without those whose leaves were found all the same. */
function rangesSaid(err: string): Array<(key: string) => boolean> {
  return err
    .split("\n")
    .filter((said) => !said.includes("found without it"))
    .flatMap((said) => [...said.matchAll(/; lost: keys from ([0-9a-f]+) .*to below ([0-9a-f]+) /g)])
    .map(
      ([, from, to]) =>
        (key) =>
          (from as string) <= key && key < (to as string),
    );
}

/** A command line that dumps all rows but those, and names the range they were in. */
async function checkDump(
  path: string,
  table: string,
  rows: readonly TreeRow[],
  lost: readonly TreeRow[],
  code = 1,
) {
  const dumped = await dumpPartly(path, table);
  assert.is(dumped.code, code, dumped.err);
  assert.equal(dumped.rows, rows.filter((row) => !lost.includes(row)).map(line));
  const said = rangesSaid(dumped.err);
  assert.is(said.length, lost.length === 0 ? 0 : 1, dumped.err);
  for (const row of rows) {
    const key = line(row).split(" ")[0] as string;
    assert.is(
      said.some((holds) => holds(key)),
      lost.includes(row),
    );
  }
}

const LEAF = 299_008;
for (const [name, { lost, code }] of Object.entries(classicCases))
  test(`dump --partial of corrupt-classic/${name}`, async () => {
    const gone = lost === 0 ? [] : healthyClassic.filter(({ origin }) => origin.blockOffset === LEAF);
    assert.is(gone.length, lost);
    const path = corpusPath("corrupt-classic", name, "db");
    await checkDump(path, "c", healthyClassic, gone, code === undefined ? 0 : 1);
  });

const palmCases = readdirSync(corpusPath("corrupt-palm")).filter((name) => !name.endsWith(".json"));
test("every case of page logs is here", () => {
  assert.is(palmCases.length, 6);
});
for (const name of palmCases)
  test(`dump --partial of corrupt-palm/${name}`, () =>
    checkDump(corpusPath("corrupt-palm", name), "small", healthyPalm, name === "turtle_addr" ? [] : onPage));

test("leaves below damaged internal pages are only looked for on request", () => {
  const leavesOf = (path: string): number => {
    const database = openDatabase(path);
    const pages = [...database.table("c").pages({ onProblem: () => {} })];
    database.close();
    return pages.filter(({ page }) => page.type === pageTypes.rowLeaf).length;
  };
  const all = leavesOf(corpusPath("corrupt-classic", "orig"));
  for (const [name, rows] of [
    ["internal_body", 6814],
    ["root_body", 0],
  ] as const) {
    const rescued = all - leavesOf(corpusPath("corrupt-classic", name, "db"));
    assert.ok(rescued > 100);
    const database = openDatabase(corpusPath("corrupt-classic", name, "db"));
    const read = (rescue: boolean): [number, TreeProblem] => {
      const problems: TreeProblem[] = [];
      const read = [...database.table("c").rows({ rescue, onProblem: (problem) => problems.push(problem) })];
      assert.is(problems.length, 1);
      return [read.length, problems[0] as TreeProblem];
    };
    assert.is(read(false)[0], rows);
    assert.is(read(false)[1].rescued, undefined);
    assert.is(read(true)[0], 12000);
    assert.is(read(true)[1].rescued, rescued);
    database.close();
  }
});

test("without a listener the first damage is an error", () => {
  const database = openDatabase(corpusPath("corrupt-classic", "leaf_body", "db"));
  let count = 0;
  assert.throws(
    () => {
      for (const _row of database.table("c").rows()) count++;
    },
    (error: { code?: string; problem?: TreeProblem }) =>
      error.code === "damaged" && error.problem?.place.offset === 299008,
  );
  assert.is(count, 5984);
  database.close();
});

test.run();
