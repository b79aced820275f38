/**
 * `node dist/fuzz/cluster/entry-points.js FOLDER [OUT]`: what fuzzers that load a file a target need (Jazzer.js, so
 * ClusterFuzzLite and OSS-Fuzz): in FOLDER, beside `targets.cjs`, one CommonJS module a target that exports `fuzz`; in OUT a
 * libFuzzer dictionary a target, and `seeds/TARGET/` with its first inputs.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { corpusSeeds } from "../corpus.js";
import type { FuzzTarget } from "../target.js";
import { targets } from "../targets/index.js";

/** Inputs of a target that are given along. */
const MAX_SEEDS = 256;

/** Writes the modules; `bundle` is what they load, as `require` takes it. */
export function writeEntryPoints(folder: string, bundle = "../targets.cjs"): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "commonjs" }\n');
  for (const { name } of targets)
    writeFileSync(
      join(folder, `${name}.js`),
      `const target = require(${JSON.stringify(bundle)}).targetByName(${JSON.stringify(name)});\n` +
        "exports.fuzz = (data) => target.fuzz(new Uint8Array(data.buffer, data.byteOffset, data.length));\n",
    );
}

/** Writes dictionaries and seeds. */
export function writeInputs(folder: string): void {
  for (const target of targets) {
    const seeds = join(folder, "seeds", target.name);
    mkdirSync(seeds, { recursive: true });
    for (const [at, input] of firstInputs(target).entries())
      writeFileSync(join(seeds, String(at).padStart(4, "0")), input);
    const words = [...(target.dictionary?.() ?? [])].map((word) => `"${escaped(word)}"\n`);
    if (words.length > 0) writeFileSync(join(folder, `${target.name}.dict`), words.join(""));
  }
}

function firstInputs(target: FuzzTarget): Uint8Array[] {
  const inputs = corpusSeeds(target.name);
  for (const seed of target.seeds()) {
    if (inputs.length >= MAX_SEEDS) break;
    inputs.push(seed);
  }
  return inputs;
}

const escaped = (word: Uint8Array): string =>
  Array.from(word, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");

if (resolve(process.argv[1] ?? "") === fileURLToPath(import.meta.url)) {
  const [folder, out] = process.argv.slice(2);
  if (folder === undefined) throw new Error("usage: entry-points.js FOLDER [OUT]");
  writeEntryPoints(folder);
  if (out !== undefined) writeInputs(out);
}
