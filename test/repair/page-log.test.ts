/** Repairs of page logs: what was asked for is there, everything else and the checkpoint before are as they were. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  applyPageLogRepair,
  parsePageLogPlan,
  planPageLogRepair,
  planText,
  type RefusalCode,
  type RepairEdit,
  RepairRefusal,
} from "../../src/repair/index.js";
import { openDatabase } from "../../src/tree/open.js";
import { verify } from "../../src/verify/verify.js";
import { type WriteGeneration, writeGenerations } from "../../src/write/generation.js";
import { forge } from "../../src/write/scenarios/forge.js";
import { corpusPath } from "../support/corpus.js";
import { inTemporaryFolderAsync } from "../support/directories.js";

const test = suite("repair: page logs");
const HISTORY = "file:WiredTigerSharedHS.wt_stable";
const TIME = 1_790_000_500;

/** Every row of a table at a checkpoint, as text. */
function rowsOf(path: string, table: string, checkpoint?: string): string[] {
  const database = openDatabase(path);
  try {
    const rows: string[] = [];
    for (const { key, value, window } of database.table(table, checkpoint).rows()) {
      const parts = [key as Uint8Array, value].map((bytes) => Buffer.from(bytes).toString("hex"));
      const times = window && Object.entries(window).map(([name, time]) => `${name}=${time}`);
      rows.push([...parts, ...(times ?? [])].join(" "));
    }
    return rows;
  } finally {
    database.close();
  }
}

const METADATA = "file:WiredTigerShared.wt_stable";

function tablesOf(path: string, checkpoint?: string): Map<string, bigint | undefined> {
  const database = openDatabase(path);
  try {
    return new Map(database.tables(checkpoint).map(({ uri, id }) => [uri, id]));
  } finally {
    database.close();
  }
}

const contents = (path: string, checkpoint?: string): Map<string, string[]> =>
  new Map(
    [...tablesOf(path, checkpoint)]
      .filter(([uri]) => uri.startsWith("file:"))
      .map(([uri]) => [uri, rowsOf(path, uri, checkpoint)]),
  );

const rowOf = (path: string, uri: string): string | undefined =>
  rowsOf(path, METADATA)
    .map((row) => row.split(" ").map((hex) => Buffer.from(hex, "hex").toString().replace(/\0$/, "")))
    .find(([key]) => key === uri)?.[1];

const newest = (path: string): string => {
  const database = openDatabase(path);
  try {
    return `lsn:${database.checkpoints().at(-1)?.lsn}`;
  } finally {
    database.close();
  }
};

async function complaints(path: string): Promise<string[]> {
  const { findings } = await verify([path]);
  return findings
    .filter(({ severity }) => severity !== "info")
    .map(({ code, message }) => `${code} ${message}`);
}

function refused(code: RefusalCode, work: () => unknown): void {
  try {
    work();
  } catch (error) {
    assert.instance(error, RepairRefusal);
    assert.is((error as RepairRefusal).code, code, (error as Error).message);
    return;
  }
  assert.unreachable(`not refused: ${code}`);
}

/** Repairs into a new store and looks at everything but the change itself. */
async function repaired(source: string, folder: string, edits: readonly RepairEdit[], generation: string) {
  const plan = planPageLogRepair(source, edits, { time: TIME, generation });
  const output = join(folder, "repaired");
  applyPageLogRepair(parsePageLogPlan(planText(plan)), { output });
  const before = newest(source);
  assert.equal(contents(output, before), contents(source, before), "the checkpoint before");
  assert.equal(await complaints(output), await complaints(source));
  return { output, plan };
}

function forged(folder: string, generation: WriteGeneration): string {
  const output = join(folder, "source");
  const layout = generation.cookie === "B" ? "page-log-jsonl" : "palite";
  forge({ scenario: "rotation-checkpoint", output, generation, seed: 5, size: 0, layout });
  return output;
}

for (const generation of Object.values<WriteGeneration>(writeGenerations))
  test(`${generation.name}: a value, a new table, another id`, async () => {
    await inTemporaryFolderAsync(async (folder) => {
      const source = forged(folder, generation);
      const uri = "file:accounts.wt_stable";
      const edits: RepairEdit[] = [
        { edit: "set", uri, key: "app_metadata", value: '"(owner=ops)"' },
        { edit: "create-table", name: "audit", config: "key_format=S,value_format=S" },
        { edit: "change-id", uri, id: "auto" },
      ];
      const { output, plan } = await repaired(source, folder, edits, generation.name);
      assert.equal(await complaints(output), []);
      assert.match(rowOf(output, uri) ?? "", /app_metadata="\(owner=ops\)"/);
      assert.equal(rowsOf(output, uri), rowsOf(source, uri));
      assert.ok(rowsOf(output, uri).length > 100);
      assert.equal(rowsOf(output, "file:audit.wt_stable"), []);
      const changed = plan.changes.find(({ key }) => key === "id");
      assert.is(String(tablesOf(output).get(uri)), changed?.new);
      refused("plan-applied", () =>
        applyPageLogRepair(plan, { path: output, output: join(folder, "again") }),
      );
    });
  });

for (const [name, uri] of [
  ["a_small", "file:small.wt_stable"],
  ["e_ts", "file:t1.wt_stable"],
  ["trees", "file:m3.wt_stable"],
] as const)
  test(`${name}: a real store's table gets another id, its history with it`, async () => {
    await inTemporaryFolderAsync(async (folder) => {
      const source = corpusPath(`palm/${name}`);
      const edits: RepairEdit[] = [{ edit: "change-id", uri, id: "auto" }];
      const { output, plan } = await repaired(source, folder, edits, "2025-06");
      const [before, after] = [contents(source), contents(output)];
      assert.equal([...after.keys()], [...before.keys()]);
      for (const [table, rows] of before)
        if (table !== HISTORY && table !== METADATA) assert.equal(after.get(table), rows, table);
      assert.is(plan.history.moved > 0, name !== "a_small");
      assert.is(after.get(HISTORY)?.length, before.get(HISTORY)?.length);
    });
  });

test("rows are removed, and tables made with rows", async () => {
  await inTemporaryFolderAsync(async (folder) => {
    const source = forged(folder, writeGenerations["2026-07"]);
    const rows = join(folder, "rows.hex");
    writeFileSync(rows, ["6100", "7800", "6200", "7900"].join("\n"));
    const edits: RepairEdit[] = [
      { edit: "remove", uri: "layered:empty" },
      { edit: "create-table", name: "audit", config: "key_format=S,value_format=S", rows },
    ];
    const { output } = await repaired(source, folder, edits, "2026-07");
    assert.not(tablesOf(output).has("layered:empty"));
    assert.equal(rowsOf(output, "file:audit.wt_stable"), ["6100 7800", "6200 7900"]);
  });
});

test("a patch has the puts of the plan in order, the completion last", async () => {
  await inTemporaryFolderAsync(async (folder) => {
    const source = forged(folder, writeGenerations["2026-07"]);
    const edits: RepairEdit[] = [{ edit: "set", uri: "layered:accounts", key: "app_metadata", value: "x" }];
    const plan = planPageLogRepair(source, edits, { time: TIME });
    const patch = join(folder, "patch.jsonl");
    applyPageLogRepair(plan, { patch });
    const lines = readFileSync(patch, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const last = lines.pop();
    assert.is(Buffer.from(last.complete.metadata, "hex").toString(), plan.record.after);
    assert.equal(
      lines.map(({ put }) => put.lsn),
      plan.puts.map(({ lsn }) => lsn),
    );
    refused("output-exists", () => applyPageLogRepair(plan, { patch }));
  });
});

test("refusals: nothing is written", async () => {
  await inTemporaryFolderAsync(async (folder) => {
    const source = forged(folder, writeGenerations["2026-07"]);
    const other = join(folder, "other");
    mkdirSync(other);
    const elsewhere = forged(other, writeGenerations["2026-05"]);
    const uri = "file:accounts.wt_stable";
    const cases: ReadonlyArray<readonly [RefusalCode, RepairEdit]> = [
      ["uri-missing", { edit: "set", uri: "file:none.wt_stable", key: "a", value: "b" }],
      ["uri-missing", { edit: "change-id", uri: "file:none.wt_stable", id: "auto" }],
      ["key-missing", { edit: "set", uri, key: "no_such", value: "b" }],
      ["key-guarded", { edit: "set", uri, key: "checkpoint", value: "()" }],
      ["id-namespace", { edit: "change-id", uri, id: "8000" }],
      ["id-used", { edit: "change-id", uri, id: String(tablesOf(source).get(uri)) }],
      ["id-below-highest", { edit: "change-id", uri, id: "9" }],
      ["id-invalid", { edit: "change-id", uri, id: "x" }],
      ["references-broken", { edit: "remove", uri }],
      ["uri-exists", { edit: "create-table", name: "accounts", config: "" }],
      ["nothing-to-do", { edit: "fix-duplicates" }],
    ];
    for (const [code, edit] of cases) refused(code, () => planPageLogRepair(source, [edit], { time: TIME }));
    const edits: RepairEdit[] = [{ edit: "set", uri, key: "app_metadata", value: "x" }];
    const plan = planPageLogRepair(source, edits, { time: TIME });
    const output = join(folder, "repaired");
    refused("metadata-generation", () => planPageLogRepair(source, edits, { generation: "2025-06" }));
    refused("plan-other-directory", () => applyPageLogRepair(plan, { path: elsewhere, output }));
    const altered = { ...plan, puts: plan.puts.slice(1) };
    refused("plan-altered", () => applyPageLogRepair(altered, { output }));
    refused("in-place-page-log", () => applyPageLogRepair(plan, {}));
    refused("output-exists", () => applyPageLogRepair(plan, { output: join(source, "in") }));
    refused("plan-invalid", () => parsePageLogPlan(planText(plan).replace('"page-log"', '"odd"')));
    assert.not(existsSync(output));
  });
});

test("records of an unfinished checkpoint: left out of a new store, no patch on top of them", async () => {
  await inTemporaryFolderAsync(async (folder) => {
    const source = join(folder, "source");
    const generation = writeGenerations["2026-07"];
    forge({
      scenario: "rotation-crash",
      output: source,
      generation,
      seed: 5,
      size: 0,
      layout: "page-log-jsonl",
    });
    const edits: RepairEdit[] = [{ edit: "set", uri: "layered:accounts", key: "app_metadata", value: "x" }];
    const plan = planPageLogRepair(source, edits, { time: TIME });
    if (plan.found.unfinished === 0) return assert.unreachable("the scenario leaves none");
    const patch = join(folder, "patch.jsonl");
    refused("log-unfinished", () => applyPageLogRepair(plan, { patch }));
    assert.not(existsSync(patch));
    const output = join(folder, "repaired");
    applyPageLogRepair(plan, { output });
    assert.equal(await complaints(output), []);
  });
});

test.run();
