/**
 * `npm run bench [-- NAME… [--mb N] [--pairs N] [--only TEXT] [--markdown] [--docs]]`: runs the named benches, or all
 * of them; `--docs` puts tables into the documentation where a bench has a place there.
 * What counts are ratios against a peer in the same run on the same input; absolute figures are this machine's.
 */
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import {
  type Bench,
  type BenchOptions,
  type Result,
  type Table,
  write,
  writeMarkdown,
  writeTable,
} from "./bench.js";
import { codecBench } from "./codec.js";
import { dumpBench } from "./dump.js";
import { fuzzBench } from "./fuzz.js";
import { pageLogBench } from "./page-log.js";
import { scaleBench } from "./scale.js";
import { verifyBench } from "./verify.js";
import { writeBench } from "./write.js";
import { writeTreesBench } from "./write-trees.js";

const benches: readonly Bench[] = [
  codecBench,
  verifyBench,
  dumpBench,
  pageLogBench,
  scaleBench,
  writeBench,
  writeTreesBench,
  fuzzBench,
];

function usage(): string {
  const list = benches.map(({ name, title }) => `  ${name.padEnd(12)} ${title}`).join("\n");
  return `npm run bench -- [NAME…] [--mb N] [--pairs N] [--only TEXT] [--markdown] [--docs]\n${list}`;
}

function options(values: { mb: string; pairs: string; only?: string | undefined }): BenchOptions {
  const mb = Number(values.mb);
  const pairs = Number(values.pairs);
  if (!(mb > 0) || !Number.isInteger(pairs) || pairs < 1)
    throw new Error("--mb and --pairs are numbers above 0");
  return values.only === undefined ? { mb, pairs } : { mb, pairs, only: values.only };
}

/** Columns in which nothing stands are left out. */
function writeResults(peer: string, results: readonly Result[], markdown: boolean): void {
  const columns: ReadonlyArray<readonly [string, (result: Result) => string | undefined]> = [
    ["what", ({ what }) => what],
    [peer, (result) => result.peer],
    ["pugmark", ({ ours }) => ours],
    ["pugmark's rate", ({ rate }) => rate],
    ["ratio", ({ ratio }) => ratio],
    [`peak memory (${peer}, pugmark)`, ({ memory }) => memory],
  ];
  const used = columns.filter(([, of]) => results.some((result) => of(result) !== undefined));
  const heads = used.map(([head]) => head);
  const rows = results.map((result) => used.map(([, of]) => of(result) ?? ""));
  write();
  (markdown ? writeMarkdown : writeTable)(heads, rows);
}

function writeTables(tables: readonly Table[], markdown: boolean): void {
  for (const { heads, rows } of tables) {
    if (rows.length === 0) continue;
    write();
    (markdown ? writeMarkdown : writeTable)(heads, rows);
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      mb: { type: "string", default: "256" },
      pairs: { type: "string", default: "5" },
      only: { type: "string" },
      markdown: { type: "boolean" },
      docs: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return write(usage());
  const unknown = positionals.find((name) => !benches.some((bench) => bench.name === name));
  if (unknown !== undefined) throw new Error(`no bench is called ${unknown}\n${usage()}`);
  const chosen = options(values);
  const cores = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  write(`machine: ${cores.length} × ${cores[0]?.model.trim()}, ${memory} GiB; node ${process.version}`);
  const tables = new Map<string, Result[]>();
  for (const bench of benches) {
    if (positionals.length > 0 && !positionals.includes(bench.name)) continue;
    write(`\n# ${bench.name}: ${bench.title}`);
    const { peer = "wt" } = bench;
    const results = await bench.run(chosen);
    const own = bench.tables?.(results);
    if (own === undefined) tables.set(peer, [...(tables.get(peer) ?? []), ...results]);
    else writeTables(own, values.markdown === true);
    if (own !== undefined && values.docs === true) bench.document?.(own);
  }
  for (const [peer, results] of tables)
    if (results.length > 0) writeResults(peer, results, values.markdown === true);
}

main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
