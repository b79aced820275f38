/**
 * Whole-file verify: `pugmark verify DIR` against the engine's `wt verify` on the same directory, each as a whole
 * process with its default options, in turn (so that a slow moment of the machine meets both), after one unmeasured
 * pair. The directory is made by the engine; the page cache is warm.
 */
import { type Bench, type BenchOptions, write } from "./bench.js";
import { compare, pugmark, startUp, withEngine } from "./pairs.js";
import { type DatabaseSpec, database, engineVerify, specs } from "./wt-database.js";

export const verifyBench: Bench = {
  name: "verify",
  title: "pugmark verify against wt verify: same directory, whole processes in turn, medians",
  async run(options) {
    write(await startUp());
    return withEngine(options, specs(options), (spec) => verifyCase(spec, options));
  },
};

async function verifyCase(spec: DatabaseSpec, options: BenchOptions) {
  const made = await database(spec);
  return compare(
    { what: `verify, ${spec.name}`, mb: made.dataMb, pairs: options.pairs },
    () => pugmark("verify", made.folder),
    () => engineVerify(made),
  );
}
