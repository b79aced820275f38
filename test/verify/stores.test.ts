/** Every dump of the corpus through the command line: sound ones are found sound, damaged ones where they are damaged. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type CliRun, runCli } from "../support/cli.js";
import { corpusPath } from "../support/corpus.js";
import { snapshot } from "../support/snapshot.js";

interface JsonFinding {
  readonly code: string;
  readonly severity: string;
  readonly path: string;
  readonly offset?: number;
  readonly tableId?: string;
  readonly pageId?: string;
  readonly lsn?: string;
  readonly message: string;
  readonly expected?: unknown;
  readonly actual?: unknown;
}
interface JsonReport {
  readonly schemaVersion: number;
  readonly summary: {
    readonly pages: number;
    readonly bytes: number;
    readonly errors: number;
    readonly complete: boolean;
  };
  readonly findings: readonly JsonFinding[];
}

const healthyStores = [
  ...storesOf("palm").map((store) => join(store, "kv_home")),
  ...storesOf("classic-12.0"),
  ...storesOf("classic-3.2.1"),
  corpusPath("corrupt-classic", "orig"),
];

function storesOf(folder: string): string[] {
  return readdirSync(corpusPath(folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => corpusPath(folder, name));
}

const nameOf = (path: string): string => path.slice(corpusPath().length + 1);

function verifyJson(path: string): { run: CliRun; report: JsonReport; errors: JsonFinding[] } {
  const run = runCli("verify", "--json", path);
  assert.ok(run.stdout.startsWith("{"), `a report; instead: ${run.stdout}${run.stderr}`);
  const report = JSON.parse(run.stdout) as JsonReport;
  return { run, report, errors: report.findings.filter(({ severity }) => severity === "error") };
}

const listed = (findings: readonly JsonFinding[]): string =>
  findings
    .slice(0, 10)
    .map((finding) => `\n${JSON.stringify(finding)}`)
    .join("");

const healthy = suite("healthy stores");
let before: string[] = [];
healthy.before(() => {
  before = snapshot(corpusPath());
});

healthy("are all here", () => {
  assert.ok(healthyStores.length >= 18, `${healthyStores.length} stores`);
});

for (const store of healthyStores)
  healthy(`${nameOf(store)}: exit 0, complete, no errors`, () => {
    const { run, report, errors } = verifyJson(store);
    assert.equal(errors, [], listed(errors));
    assert.is(report.summary.errors, 0);
    assert.is(report.summary.complete, true, `complete${listed(report.findings)}`);
    assert.is(run.status, 0, run.stderr);
    assert.is(report.schemaVersion, 1);
    assert.ok(report.summary.pages > 0 && report.summary.bytes > 0);
  });
healthy.run();

interface ClassicDamage {
  readonly file: string;
  readonly offset: number;
  readonly old: number;
  readonly new: number;
}
const { cases: classicCases } = readJson("corrupt-classic", "results.json") as {
  cases: Record<string, ClassicDamage>;
};

function readJson(...path: string[]): unknown {
  return JSON.parse(readFileSync(corpusPath(...path), "utf8"));
}

const damagedClassic = suite("damaged classic directories");

damagedClassic("are all here", () => {
  const folders = storesOf("corrupt-classic").map((path) => path.split("/").at(-1) as string);
  assert.equal(folders.filter((name) => name !== "orig").sort(), Object.keys(classicCases).sort());
});

for (const [name, damage] of Object.entries(classicCases))
  damagedClassic(`${name}: exit 1, an error at ${damage.file} ${damage.offset}`, () => {
    const folder = corpusPath("corrupt-classic", name, "db");
    const { run, errors } = verifyJson(folder);
    assert.is(run.status, 1, run.stderr);
    const { start, end } = damagedRange(readFileSync(join(folder, damage.file)), damage);
    const placed = errors.filter(
      ({ path, offset }) =>
        path.split("/").at(-1) === damage.file && offset !== undefined && start <= offset && offset < end,
    );
    assert.ok(placed.length > 0, `an error in ${damage.file} ${start}..${end}, not only:${listed(errors)}`);
  });
damagedClassic.run();

/** The block that holds the damaged byte; in the turtle, which is text, its line. */
function damagedRange(
  file: Uint8Array,
  { file: name, offset, old }: ClassicDamage,
): { start: number; end: number } {
  if (name === "WiredTiger.turtle") {
    const newline = 0x0a;
    const next = file.indexOf(newline, offset);
    return { start: file.lastIndexOf(newline, offset - 1) + 1, end: next === -1 ? file.length : next + 1 };
  }
  const sound = Buffer.from(file);
  sound[offset] = old;
  const allocationSize = 4096; // of every file there; each damaged byte is in the first unit of its block
  const diskSize = 28; // in the block; the description block has none
  const start = offset - (offset % allocationSize);
  return { start, end: start + (start === 0 ? allocationSize : sound.readUInt32LE(start + diskSize)) };
}

interface PageLogDamage {
  readonly tableId: number;
  readonly pageId: number;
  readonly lsn: number;
  readonly change: "changed" | "removed";
}
const { cases: pageLogCases } = readJson("corrupt-palm", "results.json") as {
  cases: Record<string, { damage: PageLogDamage }>;
};

const damagedPageLogs = suite("damaged page logs");

damagedPageLogs("are all here", () => {
  const folders = storesOf("corrupt-palm").map((path) => path.split("/").at(-1) as string);
  assert.equal(folders.sort(), Object.keys(pageLogCases).sort());
});

for (const [name, { damage }] of Object.entries(pageLogCases))
  damagedPageLogs(`${name}: exit 1, an error at ${damage.tableId}/${damage.pageId}/${damage.lsn}`, () => {
    const { run, errors } = verifyJson(corpusPath("corrupt-palm", name, "kv_home"));
    assert.is(run.status, 1, run.stderr);
    const ofPage = errors.filter(
      ({ tableId, pageId }) => tableId === String(damage.tableId) && pageId === String(damage.pageId),
    );
    const placed = ofPage.filter((finding) => namesLsn(finding, damage));
    assert.ok(placed.length > 0, `an error that names the record, not only:${listed(errors)}`);
  });
damagedPageLogs.run();

/** A record that is gone can be named by one that needs it: as what was expected there. */
function namesLsn({ lsn, expected }: JsonFinding, damage: PageLogDamage): boolean {
  const wanted = String(damage.lsn);
  return lsn === wanted || (damage.change === "removed" && String(expected) === wanted);
}

const reading = suite("reading never writes");

for (const path of [
  ["palm", "a_small", "kv_home"],
  ["palm", "a_small", "kv_home", "data.mdb"],
  ["palm", "a_small", "export"],
  ["classic-12.0", "basic"],
  ["classic-12.0", "basic", "row.wt"],
  ["classic-12.0", "logged"],
  ["vectors", "mongodb_valid_page.bin"],
  ["vectors", "disagg_delta_chain.log"],
])
  reading(`inspect ${path.join("/")}`, () => {
    const run = runCli("inspect", corpusPath(...path));
    assert.is(run.status, 0, run.stderr);
    assert.ok(run.stdout.length > 0);
  });

reading("nothing in the corpus is touched by all of the above", () => {
  assert.equal(snapshot(corpusPath()), before);
});
reading.run();
