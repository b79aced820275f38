/** `pugmark verify` of a page log: nothing to compare with, as the engine checks no records it does not read. */
import { type Bench, type BenchOptions, peak, type Result, seconds } from "./bench.js";
import { pageLogStore } from "./page-log-store.js";
import { pugmark } from "./pairs.js";
import type { ProcessRun } from "./run-process.js";
import { shapeOf } from "./wt-database.js";

export const pageLogBench: Bench = {
  name: "page-log",
  title: "pugmark verify of a page log (PALM): whole processes, medians",
  run: async (options) => [
    await measure("rows of 1 KB", 1024, options),
    await measure("rows of 40 bytes", 40, options),
  ],
};

async function measure(name: string, rowSize: number, { mb, pairs }: BenchOptions): Promise<Result> {
  const store = pageLogStore(shapeOf(mb, rowSize));
  await pugmark("verify", store.folder);
  const runs: ProcessRun[] = [];
  for (let run = 0; run < pairs; run++) runs.push(await pugmark("verify", store.folder));
  return {
    what: `verify, page log, ${name}`,
    ours: `${seconds(runs).toFixed(3)} s`,
    rate: `${(store.size / 1e6 / seconds(runs)).toFixed(0)} MB/s`,
    memory: `${peak(runs)} MiB`,
  };
}
