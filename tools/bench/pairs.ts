/** Ours and the peer's command in turn on the same input. */
import { fileURLToPath } from "node:url";
import { type BenchOptions, peak, type Result, seconds, sound, write } from "./bench.js";
import { type ProcessRun, peakMemorySource, runProcess } from "./run-process.js";
import { type DatabaseSpec, missing, wtVersion } from "./wt-database.js";

const PUGMARK = fileURLToPath(new URL("../../bin/pugmark.js", import.meta.url));

export interface Comparison {
  readonly what: string;
  /** Row data, MB. */
  readonly mb: number;
  readonly pairs: number;
}

export const pugmark = async (...args: string[]): Promise<ProcessRun> =>
  sound(`pugmark ${args[0]}`, await runProcess([process.execPath, PUGMARK, ...args], { output: "ignore" }));

/** Medians of alternating runs, after one pair that is not measured. */
export async function compare(
  { what, mb, pairs }: Comparison,
  our: () => Promise<ProcessRun>,
  their: () => Promise<ProcessRun>,
): Promise<Result> {
  const ours: ProcessRun[] = [];
  const engine: ProcessRun[] = [];
  for (let pair = -1; pair < pairs; pair++) {
    const runs = [await our(), sound("wt", await their())] as const;
    if (pair === -1) continue;
    ours.push(runs[0]);
    engine.push(runs[1]);
  }
  return {
    what,
    peer: `${seconds(engine).toFixed(3)} s`,
    ours: `${seconds(ours).toFixed(3)} s`,
    rate: `${(mb / seconds(ours)).toFixed(0)} MB/s`,
    ratio: (seconds(engine) / seconds(ours)).toFixed(2),
    memory: `${peak(engine)}, ${peak(ours)} MiB`,
  };
}

/** Results of the cases that can be had here. */
export async function withEngine(
  { only = "", pairs }: BenchOptions,
  specs: readonly DatabaseSpec[],
  measure: (spec: DatabaseSpec) => Promise<Result>,
): Promise<Result[]> {
  const version = await wtVersion();
  if (version === undefined) {
    write("SKIPPED: no /usr/bin/wt (Debian's package `wiredtiger`), so there is nothing to compare with");
    return [];
  }
  write(`engine: ${version}; ${pairs} pairs; peak memory: ${peakMemorySource}`);
  const results: Result[] = [];
  for (const spec of specs) {
    if (!spec.name.includes(only)) continue;
    const reason = missing(spec);
    if (reason === undefined) results.push(said(await measure(spec)));
    else write(`SKIPPED: ${spec.name}: ${reason}`);
  }
  return results;
}

/** At once: a long bench that is stopped has said what it found. */
function said(result: Result): Result {
  const { what, peer, ours, ratio } = result;
  write(`${what}: ${ours}${peer === undefined ? "" : `, wt ${peer}, ratio ${ratio}`}`);
  return result;
}

/** What of pugmark's times is no work at all. */
export async function startUp(): Promise<string> {
  const node: ProcessRun[] = [];
  const ours: ProcessRun[] = [];
  for (let i = 0; i < 5; i++) {
    node.push(sound("node", await runProcess([process.execPath, "-e", "0"])));
    ours.push(await pugmark("--version"));
  }
  return `starting, in pugmark's times: node alone ${seconds(node).toFixed(3)} s, pugmark --version ${seconds(ours).toFixed(3)} s`;
}
