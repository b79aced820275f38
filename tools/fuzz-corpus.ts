/**
 * Makes corpus/<target>/ anew: for every format the smallest set of inputs that together reach what can be reached of its
 * declaration, real bytes first, then valid ones, then every kind of element, then what is missing, forced. For other
 * targets, with `--from DIR` alone: the inputs of the campaigns' corpora below it that reach something new, the smallest
 * first; files that are named after what they show stay. `--from DIR` takes the corpora of a campaign as well,
 * `--only TARGET` makes one corpus. Needs the build.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Distiller } from "../fuzz/campaign/distill.js";
import { FieldCoverage } from "../fuzz/campaign/field-coverage.js";
import { corpusPath } from "../fuzz/corpus.js";
import { NO_PARAMS, paramsOf } from "../fuzz/mutate/params.js";
import { saturated } from "../fuzz/mutate/saturate.js";
import { type AnyFormat, sitesOf } from "../fuzz/mutate/site.js";
import { encodeScalar, type ScalarNode } from "../fuzz/mutate/values.js";
import { RAW } from "../fuzz/target.js";
import { formatTargets } from "../fuzz/targets/formats.js";
import { targets } from "../fuzz/targets/index.js";
import { seededRandom, symbolList } from "../src/codec/index.js";
import { realInputs } from "./fuzz-corpus/real.js";

/** Valid values tried of each generation. */
const VALID = 300;
const VALID_PAGES = 10;
/** Larger ones are no seeds, bytes. */
const MOST_BYTES = 8192;
/** Of targets that are not formats. */
const MOST_INPUTS = 32;
const MOST_INPUT_BYTES = 600;

class Collector {
  /** Inputs of the target. */
  readonly kept: Uint8Array[] = [];
  private readonly coverage: FieldCoverage;

  constructor(readonly format: AnyFormat) {
    this.coverage = new FieldCoverage(format);
  }

  /** Read as a generation that is told, where the bytes alone would be another's. */
  offer(bytes: Uint8Array, generation = ""): boolean {
    return (
      this.offerInput(RAW, bytes) || (generation !== "" && this.offerInput(this.firstByte(generation), bytes))
    );
  }

  offerInput(first: number, bytes: Uint8Array): boolean {
    const generation = this.format.generations[(first >> 1) - 1];
    if (bytes.length > MOST_BYTES || !this.coverage.add(bytes, generation)) return false;
    this.kept.push(Uint8Array.of(first, ...bytes));
    return true;
  }

  private firstByte = (generation: string): number => 2 * (this.format.generations.indexOf(generation) + 1);

  get missing(): readonly string[] {
    return this.coverage.report().missing;
  }
}

function collect(format: AnyFormat, given: Iterable<Uint8Array>): Collector {
  const collector = new Collector(format);
  for (const bytes of given) collector.offer(bytes);
  const generations = format.generations.length === 0 ? [""] : format.generations;
  for (const generation of generations) {
    const options = generation === "" ? {} : { generation };
    // Pages are made without regard to what is given beside them.
    for (const params of format.name === "page" ? [NO_PARAMS] : paramsOf(format))
      for (let seed = 1; seed <= (format.name === "page" ? VALID_PAGES : VALID); seed++) {
        const all = { ...options, params };
        collector.offer(format.build(format.generate(seededRandom(seed), all), all), generation);
      }
  }
  for (const generation of generations)
    for (const params of paramsOf(format))
      for (const bytes of saturated(format, generation, params)) collector.offer(bytes, generation);
  force(collector);
  return smallest(collector);
}

/** Names and flags nobody had: the field that can have them is set to them. */
function force(collector: Collector): void {
  const { format } = collector;
  for (const item of collector.missing) {
    const [, generation = "", path, kind, name] = /^(.*?) (\S+)(?: ([=&]) (.+))?$/.exec(item) ?? [];
    if (kind === undefined) continue;
    const options = generation === "" ? {} : { generation };
    search: for (const base of [...collector.kept])
      for (const params of paramsOf(format))
        for (const site of sitesOf(format, base.subarray(1), { ...options, params })) {
          if (site.kind !== "field" || site.path.replaceAll(/\[\d+\]/g, "[]") !== path) continue;
          const node = site.node as ScalarNode;
          const symbols = symbolList((kind === "=" ? node.symbols : node.flags) ?? {});
          const value = symbols.find(([own]) => own === name)?.[1];
          if (value === undefined) continue;
          const changed = Uint8Array.of(
            ...base.subarray(1, 1 + site.start),
            ...encodeScalar(node, BigInt(value)),
            ...base.subarray(1 + site.end),
          );
          if (collector.offer(changed, generation)) break search;
        }
  }
}

/** Again from the smallest on, so that none is left that others make needless. */
function smallest({ format, kept }: Collector): Collector {
  const again = new Collector(format);
  for (const bytes of [...kept].sort((a, b) => a.length - b.length))
    again.offerInput(bytes[0] as number, bytes.subarray(1));
  return again;
}

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex").slice(0, 12);

function save(target: string, inputs: readonly Uint8Array[]): void {
  const folder = corpusPath(target);
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) if (/^[0-9a-f]{12}$/.test(name)) rmSync(join(folder, name));
  for (const bytes of inputs) writeFileSync(join(folder, hashOf(bytes)), bytes);
  if (readdirSync(folder).length === 0) rmSync(folder, { recursive: true });
}

/** Inputs of a campaign that reach something new. */
function distilled(distiller: Distiller, target: string, folder: string): Uint8Array[] {
  return distiller
    .distill(target, [folder])
    .keep.map((file) => readFileSync(file))
    .filter(({ length }) => length <= MOST_INPUT_BYTES)
    .slice(0, MOST_INPUTS);
}

const optionOf = (name: string): string | undefined =>
  process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined;
const [from, only] = [optionOf("--from"), optionOf("--only")];
for (const { name, subject } of formatTargets) {
  if (subject === undefined || (only !== undefined && only !== name)) continue;
  const folder = from === undefined ? undefined : join(from, name);
  const found =
    folder === undefined || !existsSync(folder)
      ? []
      : readdirSync(folder).map((file) => subject.bytesOf(readFileSync(join(folder, file))));
  const collector = collect(subject.format, [...realInputs(subject.format.name), ...found]);
  save(name, collector.kept);
  const size = collector.kept.reduce((sum, { length }) => sum + length, 0);
  console.log(
    `${name}: ${collector.kept.length} inputs, ${size} bytes; missing: ${collector.missing.join(", ")}`,
  );
}
if (from !== undefined) {
  const distiller = new Distiller();
  for (const { name, subject } of targets) {
    if (subject !== undefined || (only !== undefined && only !== name) || !existsSync(join(from, name)))
      continue;
    const inputs = distilled(distiller, name, join(from, name));
    save(name, inputs);
    console.log(
      `${name}: ${inputs.length} inputs, ${inputs.reduce((sum, { length }) => sum + length, 0)} bytes`,
    );
  }
}
