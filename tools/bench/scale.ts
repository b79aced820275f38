/**
 * Whether a page costs the same in large files: databases of 10⁴, 10⁵ and 10⁶ small pages, verified by one thread of
 * a process of its own. Processor time once the code is warm.
 */
import { fileURLToPath } from "node:url";
import { type Bench, median, peak, type Result, sound } from "./bench.js";
import { withEngine } from "./pairs.js";
import { type ProcessRun, runProcess } from "./run-process.js";
import { type DatabaseSpec, database } from "./wt-database.js";

const PROGRAM = fileURLToPath(new URL("./verify-once.js", import.meta.url));
const PAGES = [10_000, 100_000, 1_000_000];
const KEY = 12;
/** One row a page: two do not fit. */
const VALUE = 300;
const PAGE = 512;

const specOf = (pages: number): DatabaseSpec => ({
  name: `${pages} pages`,
  shape: { rows: pages, keySize: KEY, valueSize: VALUE, seed: 1 },
  pageSize: PAGE,
});

export const scaleBench: Bench = {
  name: "scale",
  title: `processor time a page in files of 10⁴ to 10⁶ pages of ${PAGE} bytes, one thread`,
  run: (options) => withEngine(options, PAGES.map(specOf), (spec) => measure(spec, options.pairs)),
};

async function measure(spec: DatabaseSpec, count: number): Promise<Result> {
  const { folder } = await database(spec);
  const runs: ProcessRun[] = [];
  for (let run = 0; run < count; run++)
    runs.push(sound("verify", await runProcess([process.execPath, PROGRAM, folder])));
  const times = runs.map(({ stdout }) => JSON.parse(stdout) as { pages: number; seconds: number });
  const once = median(times.map((time) => time.seconds));
  const pages = times[0]?.pages ?? 0;
  return {
    what: `verify, ${pages} pages of ${PAGE} bytes, one thread`,
    ours: `${once.toFixed(3)} s`,
    rate: `${((once / pages) * 1e6).toFixed(2)} µs a page`,
    memory: `${peak(runs)} MiB`,
  };
}
