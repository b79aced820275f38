/** All rows as hex: `pugmark dump DIR TABLE` against the engine's `wt dump -x`, both into nothing. */
import type { Bench, BenchOptions } from "./bench.js";
import { compare, pugmark, withEngine } from "./pairs.js";
import { type DatabaseSpec, database, engineDump, specs, TABLE } from "./wt-database.js";

export const dumpBench: Bench = {
  name: "dump",
  title: "pugmark dump --format hex against wt dump -x: same directory, whole processes in turn, medians",
  run: (options) => withEngine(options, specs(options), (spec) => dumpCase(spec, options)),
};

async function dumpCase(spec: DatabaseSpec, options: BenchOptions) {
  const made = await database(spec);
  return compare(
    { what: `dump, ${spec.name}`, mb: made.dataMb, pairs: options.pairs },
    () => pugmark("dump", made.folder, TABLE),
    () => engineDump(made),
  );
}
