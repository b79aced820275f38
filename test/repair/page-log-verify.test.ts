/** Every edit of page logs from the plan to the verdict, in generations old and new, and on real stores. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  applyPageLogRepair,
  type PageLogRepairPlan,
  parsePageLogPlan,
  planPageLogRepair,
  planText,
  type RefusalCode,
  type RepairEdit,
  verifyPageLogRepair,
} from "../../src/repair/index.js";
import { copyPageLog } from "../../src/store/copy.js";
import { exportPageLog } from "../../src/store/jsonl-writer.js";
import { MemoryPageLog } from "../../src/store/memory-page-log.js";
import { openPageLog } from "../../src/store/open.js";
import { openDatabase } from "../../src/tree/open.js";
import { type WriteGeneration, writeGenerations } from "../../src/write/generation.js";
import { forge } from "../../src/write/scenarios/forge.js";
import { corpusPath } from "../support/corpus.js";
import { inTemporaryFolder } from "../support/directories.js";
import { forgePageLog } from "./forge-page-log.js";
import { assertRefused, contents, refusalOf } from "./homes.js";

const test = suite("repair: page logs, from plan to verdict");
const TIME = 1_790_000_500;
const ACCOUNTS = "file:accounts.wt_stable";
const OLDEST: WriteGeneration = writeGenerations["2025-06"];
const NEWEST: WriteGeneration = writeGenerations["2026-07"];

interface Repaired {
  readonly output: string;
  readonly plan: PageLogRepairPlan;
}

/** Plans, applies and lets the verdict be clean: the checkpoint before and every untouched row are as they were. */
function repaired(
  source: string,
  folder: string,
  edits: readonly RepairEdit[],
  options: { generation?: string; dropHistory?: boolean } = {},
): Repaired {
  const plan = planPageLogRepair(source, edits, { time: TIME, ...options });
  const output = join(folder, "repaired");
  applyPageLogRepair(parsePageLogPlan(planText(plan)), { output });
  const { ok, checks } = verifyPageLogRepair(output, { plan });
  assert.ok(ok, JSON.stringify(checks.filter(({ state }) => state === "failed")));
  assert.equal(
    checks.filter(({ state }) => state === "skipped").map(({ name }) => name),
    ["engine"],
  );
  return { output, plan };
}

function forged(folder: string, generation: WriteGeneration): string {
  const output = join(folder, "source");
  const layout = generation === OLDEST ? "page-log-jsonl" : "palite";
  forge({ scenario: "rotation-checkpoint", output, generation, seed: 5, size: 0, layout });
  return output;
}

function rowsOf(path: string, table: string): string[] {
  const database = openDatabase(path);
  try {
    return Array.from(database.table(table).rows(), ({ key, value }) =>
      [key as Uint8Array, value].map((bytes) => Buffer.from(bytes).toString("hex")).join(" "),
    );
  } finally {
    database.close();
  }
}

function idsOf(path: string): Map<string, bigint | undefined> {
  const database = openDatabase(path);
  try {
    return new Map(database.tables().map(({ uri, id }) => [uri, id]));
  } finally {
    database.close();
  }
}

/** Rows of the shared metadata by URI. */
const metadataOf = (path: string): Map<string, string> =>
  new Map(
    rowsOf(path, "file:WiredTigerShared.wt_stable").map((row) => {
      const [key = "", value = ""] = row.split(" ").map((hex) => Buffer.from(hex, "hex").toString());
      return [key.replace(/\0$/, ""), value.replace(/\0$/, "")];
    }),
  );

for (const generation of [OLDEST, NEWEST])
  test(`${generation.name}: two tables with one id: each has its own afterwards, and its rows`, () =>
    inTemporaryFolder((folder) => {
      const healthy = join(folder, "healthy");
      const source = join(folder, "shared");
      const edit: RepairEdit = { edit: "create-table", name: "other", config: "key_format=S,value_format=S" };
      writeFileSync(join(folder, "rows"), "6b00\n7600\n6c00\n7700\n");
      const made = planPageLogRepair(forged(folder, generation), [{ ...edit, rows: join(folder, "rows") }]);
      applyPageLogRepair(made, { output: healthy });
      forgePageLog(healthy, source, generation, ({ share }) => share("file:other.wt_stable", ACCOUNTS));
      const shared = idsOf(source);
      assert.is(shared.get("file:other.wt_stable"), shared.get(ACCOUNTS));
      const { output, plan } = repaired(source, folder, [{ edit: "fix-duplicates" }]);
      assert.is(plan.found.duplicateIds.length, 1);
      const [moved, kept] = plan.changes;
      assert.equal([moved?.key, moved?.why?.includes("the largest")], ["id", true]);
      // The one that stays does not give page ids again that the other one has used.
      assert.match(kept?.key as string, /next_page_id/);
      assert.is.not(kept?.uri, moved?.uri);
      assert.is(new Set(idsOf(output).values()).size, idsOf(output).size);
      assert.equal(rowsOf(output, "file:other.wt_stable"), ["6b00 7600", "6c00 7700"]);
      assert.equal(rowsOf(output, ACCOUNTS), rowsOf(healthy, ACCOUNTS));
    }));

test("trees: a shared id whose older values are nobody's: refused, or given up on request", () =>
  inTemporaryFolder((folder) => {
    const source = join(folder, "shared");
    forgePageLog(corpusPath("palm/trees"), source, OLDEST, ({ share }) =>
      share("file:m2.wt_stable", "file:m3.wt_stable"),
    );
    assertRefused("history-records", () => planPageLogRepair(source, [{ edit: "fix-duplicates" }]));
    const { plan } = repaired(source, folder, [{ edit: "fix-duplicates" }], { dropHistory: true });
    assert.ok(plan.history.dropped > 0 && plan.history.moved === 0);
    assert.ok(plan.afterwards.some((text) => text.includes("given up")));
  }));

for (const generation of [OLDEST, NEWEST])
  test(`${generation.name}: rows are inserted; a table is made with rows`, () =>
    inTemporaryFolder((folder) => {
      const source = forged(folder, generation);
      const rows = metadataOf(source);
      const highest = [...idsOf(source).values()].reduce<bigint>(
        (most, id = 0n) => (id > most ? id : most),
        0n,
      );
      const id = (((highest >> 3n) + 9n) << 3n) | 1n;
      const config = (rows.get("file:empty.wt_stable") as string).replace(/,id=\d+/, `,id=${id}`);
      const layered = (rows.get("layered:empty") as string).replaceAll("file:empty.", "file:twin.");
      writeFileSync(join(folder, "rows"), "6b00\n7600\n");
      const edits: RepairEdit[] = [
        { edit: "insert", uri: "file:twin.wt_stable", config },
        { edit: "insert", uri: "layered:twin", config: layered },
        {
          edit: "create-table",
          name: "filled",
          config: "key_format=S,value_format=S",
          rows: join(folder, "rows"),
        },
      ];
      const { output } = repaired(source, folder, edits);
      assert.is(idsOf(output).get("file:twin.wt_stable"), id);
      assert.ok((idsOf(output).get("file:filled.wt_stable") as bigint) > id);
      assert.equal(rowsOf(output, "layered:twin"), []);
      assert.equal(rowsOf(output, "layered:filled"), ["6b00 7600"]);
      const insert = (uri: string, text: string): (() => unknown) => {
        const edit: RepairEdit = { edit: "insert", uri, config: text };
        return () => planPageLogRepair(source, [edit], { time: TIME });
      };
      const cases: ReadonlyArray<readonly [RefusalCode, () => unknown]> = [
        ["uri-exists", insert("layered:empty", layered)],
        ["uri-invalid", insert("file:WiredTigerOther.wt", config)],
        ["references-broken", insert("layered:twin", layered)],
        ["id-used", insert("file:twin.wt_stable", rows.get("file:empty.wt_stable") as string)],
        ["id-namespace", insert("file:twin.wt_stable", config.replace(`id=${id}`, `id=${id + 3n}`))],
        ["id-invalid", insert("file:twin.wt_stable", "key_format=S")],
        ["value-invalid", insert("file:twin.wt_stable", "a=(")],
      ];
      for (const [code, work] of cases) assertRefused(code, work);
      // The deletion mark of layered tables, and what is escaped because it begins like it.
      writeFileSync(join(folder, "rows"), "6b\n1414\n");
      const marked: RepairEdit = {
        edit: "create-table",
        name: "marked",
        config: "",
        rows: join(folder, "rows"),
      };
      const plan = (): unknown => planPageLogRepair(source, [marked]);
      if (generation.recordVersion === 1) assertRefused("rows-invalid", plan);
      else plan();
    }));

test("d_encrypt_rotn: encrypted metadata and tables, also compressed, stay so", () =>
  inTemporaryFolder((folder) => {
    const source = corpusPath("palm/d_encrypt_rotn");
    writeFileSync(join(folder, "rows"), "6b00\n7600\n");
    const uri = "file:e_snappy.wt_stable";
    const { output, plan } = repaired(source, folder, [
      { edit: "set", uri: "layered:e_plain", key: "app_metadata", value: "secret" },
      { edit: "change-id", uri, id: "auto" },
      {
        edit: "create-table",
        name: "made",
        config: "key_format=S,value_format=S",
        rows: join(folder, "rows"),
      },
    ]);
    assert.equal(rowsOf(output, uri), rowsOf(source, uri));
    assert.equal(rowsOf(output, "layered:made"), ["6b00 7600"]);
    const log = openPageLog(output);
    const pages = plan.puts.filter(({ tableId }) => tableId !== "1");
    for (const { tableId, pageId, lsn } of pages)
      assert.is((log.record(BigInt(tableId), BigInt(pageId), BigInt(lsn))?.flags ?? 0) & 4, 4);
    log.close();
    assert.ok(pages.length > 4);
    assert.not.match(JSON.stringify(contents(output)), /73656372657400/);
  }));

for (const generation of [OLDEST, NEWEST])
  test(`${generation.name}: sizes of checkpoints that are wrong, and of the whole database`, () =>
    inTemporaryFolder((folder) => {
      const source = forged(folder, generation);
      const fix: RepairEdit[] = [{ edit: "fix-checkpoint-size" }];
      assertRefused("nothing-to-do", () => planPageLogRepair(source, fix));
      const row = metadataOf(source).get(ACCOUNTS) as string;
      const name = /WiredTigerCheckpoint\.\d+/.exec(row)?.[0] as string;
      const wrong = join(folder, "wrong");
      forgePageLog(source, wrong, generation, ({ set }) => set(ACCOUNTS, ["checkpoint", name, "size"], 7n));
      const { output, plan } = repaired(wrong, folder, fix);
      assert.equal(
        plan.changes.map(({ key, old }) => [key, old]),
        [[`checkpoint.${name}.size`, "7"]],
      );
      assert.is(metadataOf(output).get(ACCOUNTS), row);
      if (generation === OLDEST) return;
      const [other, mended] = [join(folder, "other"), join(folder, "mended")];
      forgePageLog(source, other, generation, () => {}, 99n);
      const again = planPageLogRepair(other, fix, { time: TIME });
      assert.equal(again.changes, []);
      assert.match(again.record.before, /database_size=99\b/);
      applyPageLogRepair(again, { output: mended });
      assert.ok(verifyPageLogRepair(mended, { plan: again }).ok);
      assertRefused("nothing-to-do", () => planPageLogRepair(mended, fix));
    }));

/** A log with the puts of a patch, one after the other, each under the LSN it has in the patch. */
function patched(source: string, patch: string): MemoryPageLog {
  const store = openPageLog(source);
  const log = MemoryPageLog.of(store);
  store.close();
  log.beginCheckpoint();
  for (const line of readFileSync(patch, "utf8").trim().split("\n")) {
    const { put, complete } = JSON.parse(line);
    if (complete !== undefined) {
      const metadata = Buffer.from(complete.metadata, "hex");
      assert.is(
        String(log.completeCheckpoint({ metadata, timestamp: BigInt(complete.timestamp) })),
        complete.lsn,
      );
      continue;
    }
    const [tableId, pageId, backlinkLsn, baseLsn] = [
      put.tableId,
      put.pageId,
      put.backlinkLsn,
      put.baseLsn,
    ].map(BigInt) as [bigint, bigint, bigint, bigint];
    const page = { tableId, pageId, backlinkLsn, baseLsn };
    const { isDelta, flags, data } = put;
    const lsn = put.discarded
      ? log.discard(page)
      : log.put({ ...page, isDelta, flags, data: Buffer.from(data, "hex") });
    assert.is(String(lsn), put.lsn);
  }
  return log;
}

for (const [name, sourceOf] of [
  ["a_chain", () => corpusPath("palm/a_chain")],
  ["2025-06", (folder: string) => forged(folder, OLDEST)],
  ["2026-07", (folder: string) => forged(folder, NEWEST)],
  ["extended", (folder: string) => forged(folder, writeGenerations.extended)],
] as const)
  test(`${name}: a patch put by hand gives the store that apply writes`, () =>
    inTemporaryFolder((folder) => {
      const source = sourceOf(folder);
      const uri = name === "a_chain" ? "file:chain.wt_stable" : ACCOUNTS;
      const { output, plan } = repaired(source, folder, [
        { edit: "set", uri, key: "app_metadata", value: "x" },
        { edit: "change-id", uri, id: "auto" },
      ]);
      const patch = join(folder, "patch.jsonl");
      applyPageLogRepair(plan, { patch });
      const log = patched(source, patch);
      const byHand = join(folder, "by-hand");
      const isPalite = name === "2026-07" || name === "extended";
      if (isPalite) copyPageLog(log, byHand);
      else exportPageLog(log, byHand);
      const { ok, checks } = verifyPageLogRepair(byHand, { plan });
      assert.ok(ok, JSON.stringify(checks));
      if (!isPalite) assert.equal(contents(byHand), contents(output));
    }));

test("what is not as planned, or not as before, is told", () =>
  inTemporaryFolder((folder) => {
    const source = forged(folder, OLDEST);
    const edits: RepairEdit[] = [{ edit: "set", uri: ACCOUNTS, key: "app_metadata", value: "x" }];
    const { output, plan } = repaired(source, folder, edits);
    const failed = (path: string, changed: PageLogRepairPlan = plan, before?: string): string[] =>
      verifyPageLogRepair(path, { plan: changed, ...(before !== undefined && { before }) })
        .checks.filter(({ state }) => state === "failed")
        .map(({ name }) => name);
    assert.equal(failed(source), ["checkpoint"]);
    assert.equal(failed(output, plan, output), ["state before"]);
    assert.equal(failed(output, plan, join(folder, "none")), ["state before"]);
    assert.equal(failed(output, { ...plan, path: output }), []);
    const [change] = plan.changes as [PageLogRepairPlan["changes"][0]];
    assert.equal(failed(output, { ...plan, changes: [{ ...change, new: "y" }] }), ["metadata rows"]);
    assert.equal(failed(output, { ...plan, changes: [] }), ["metadata rows"]);
    assert.equal(failed(output, { ...plan, puts: plan.puts.map((put) => ({ ...put, sha256: "0" })) }), [
      "records put",
    ]);
    const pages = join(output, "pages.jsonl");
    const lines = readFileSync(pages, "utf8").split("\n");
    const old = lines.findIndex((line) => line.includes('"lsn": 3,'));
    writeFileSync(pages, lines.filter((_, index) => index !== old).join("\n"));
    assert.ok(failed(output).includes("records before"));
    assert.ok(!verifyPageLogRepair(source).checks.some(({ state }) => state === "failed"));
    const text = planText(plan);
    for (const [from, to] of [
      ['"puts": [', '"puts": [7, '],
      [`"checkpointLsn": "${plan.found.checkpointLsn}"`, '"checkpointLsn": "x"'],
      ['"changes": [', '"changes": [{}, '],
      ['"history": {', '"history": 1, "x": {'],
    ] as const)
      assert.is(refusalOf(() => parsePageLogPlan(text.replace(from, to))).code, "plan-invalid", from);
  }));

test.run();
