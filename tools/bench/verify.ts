/**
 * Whole-file verify: `pugmark verify DIR` against the engine's `wt verify` on the same directory, each as a whole
 * process with its default options, in turn (so that a slow moment of the machine meets both), after one unmeasured
 * pair. The directory is made by the engine; the page cache is warm.
 */
import { fileURLToPath } from "node:url";
import { type Bench, type BenchOptions, median, write, writeTable } from "./bench.js";
import { type ProcessRun, peakMemorySource, runProcess } from "./run-process.js";
import {
  type Database,
  type DatabaseSpec,
  database,
  engineVerify,
  missing,
  wtVersion,
} from "./wt-database.js";

const PUGMARK = fileURLToPath(new URL("../../bin/pugmark.js", import.meta.url));
const KEY = 12;
const MB = 1e6;
const MIB = 2 ** 20;

/** The databases: big rows, small rows (cells and keys weigh most), and compressed pages. */
function specs({ mb }: BenchOptions): DatabaseSpec[] {
  const shape = (rowSize: number) => ({
    rows: Math.round((mb * MB) / rowSize),
    keySize: KEY,
    valueSize: rowSize - KEY,
    seed: 1,
  });
  return [
    { name: "rows of 1 KB", shape: shape(1024) },
    { name: "rows of 40 bytes", shape: shape(40) },
    { name: "rows of 1 KB, snappy", shape: shape(1024), compressor: "snappy" },
  ];
}

interface Pairs {
  readonly ours: readonly ProcessRun[];
  readonly engine: readonly ProcessRun[];
}

export const verifyBench: Bench = {
  name: "verify",
  title: "pugmark verify against wt verify: same directory, whole processes in turn, medians",
  run: runVerify,
};

async function runVerify(options: BenchOptions): Promise<void> {
  const version = await wtVersion();
  if (version === undefined) {
    write("SKIPPED: no /usr/bin/wt (Debian's package `wiredtiger`), so there is nothing to compare with");
    return;
  }
  write(`engine: ${version}; ${options.pairs} pairs; peak memory: ${peakMemorySource}`);
  write(await startUp());
  const rows: string[][] = [];
  for (const spec of specs(options)) {
    if (!spec.name.includes(options.only ?? "")) continue;
    const reason = missing(spec);
    if (reason === undefined) rows.push(await measure(spec, options));
    else write(`SKIPPED: ${spec.name}: ${reason}`);
  }
  writeTable(
    [
      "case",
      "rows MB",
      "file MB",
      "wt s",
      "pugmark s",
      "wt MB/s",
      "pugmark MB/s",
      "ratio",
      "wt MiB",
      "pugmark MiB",
    ],
    rows,
  );
  write("MB/s of row data; ratio = pugmark's rate over wt's; MiB = highest peak memory of the runs.");
}

/** What of pugmark's times is no verifying at all. */
async function startUp(): Promise<string> {
  const node: ProcessRun[] = [];
  const ours: ProcessRun[] = [];
  for (let i = 0; i < 5; i++) {
    node.push(sound("node", await runProcess([process.execPath, "-e", "0"])));
    ours.push(sound("pugmark", await runProcess([process.execPath, PUGMARK, "--version"])));
  }
  return `starting, in pugmark's times: node alone ${seconds(node).toFixed(3)} s, pugmark --version ${seconds(ours).toFixed(3)} s`;
}

async function measure(spec: DatabaseSpec, { pairs }: BenchOptions): Promise<string[]> {
  const made = await database(spec);
  await runPairs(made, 1);
  const { ours, engine } = await runPairs(made, pairs);
  const data = (spec.shape.rows * (spec.shape.keySize + spec.shape.valueSize)) / MB;
  const [our, their] = [seconds(ours), seconds(engine)];
  return [
    spec.name,
    data.toFixed(0),
    (made.size / MB).toFixed(0),
    their.toFixed(3),
    our.toFixed(3),
    (data / their).toFixed(0),
    (data / our).toFixed(0),
    (their / our).toFixed(2),
    peak(engine),
    peak(ours),
  ];
}

async function runPairs(made: Database, pairs: number): Promise<Pairs> {
  const ours: ProcessRun[] = [];
  const engine: ProcessRun[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    ours.push(sound("pugmark verify", await runProcess([process.execPath, PUGMARK, "verify", made.folder])));
    engine.push(sound("wt verify", await engineVerify(made)));
  }
  return { ours, engine };
}

/** A verdict other than "clean" would make the times meaningless. */
function sound(what: string, run: ProcessRun): ProcessRun {
  if (run.code === 0) return run;
  throw new Error(`${what} ended with ${run.code}:\n${run.stderr || run.stdout}`);
}

const seconds = (runs: readonly ProcessRun[]): number => median(runs.map((run) => run.seconds));

function peak(runs: readonly ProcessRun[]): string {
  const peaks = runs.map((run) => run.peak);
  return peaks.includes(undefined) ? "?" : (Math.max(...(peaks as number[])) / MIB).toFixed(0);
}
