/**
 * `npm run bench [-- NAME… [--mb N] [--pairs N] [--only TEXT]]`: runs the named benches, or all of them. Every
 * figure is a ratio against a peer in the same run on the same input; absolute figures are this machine's.
 */
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { type Bench, type BenchOptions, write } from "./bench.js";
import { codecBench } from "./codec.js";
import { verifyBench } from "./verify.js";

const benches: readonly Bench[] = [codecBench, verifyBench];

function usage(): string {
  const list = benches.map(({ name, title }) => `  ${name.padEnd(10)} ${title}`).join("\n");
  return `npm run bench -- [NAME…] [--mb N] [--pairs N] [--only TEXT]\n${list}`;
}

function options(values: { mb: string; pairs: string; only?: string | undefined }): BenchOptions {
  const mb = Number(values.mb);
  const pairs = Number(values.pairs);
  if (!(mb > 0) || !Number.isInteger(pairs) || pairs < 1)
    throw new Error("--mb and --pairs are numbers above 0");
  return values.only === undefined ? { mb, pairs } : { mb, pairs, only: values.only };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      mb: { type: "string", default: "256" },
      pairs: { type: "string", default: "5" },
      only: { type: "string" },
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
  for (const bench of benches) {
    if (positionals.length > 0 && !positionals.includes(bench.name)) continue;
    write(`\n# ${bench.name}: ${bench.title}`);
    await bench.run(chosen);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
