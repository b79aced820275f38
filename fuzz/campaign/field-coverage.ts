/** Which fields, names, flags, generations and codes of the declared formats inputs have reached. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { declarationOf, type Node, type Span, symbolList } from "../../src/codec/index.js";
import { paramsOf } from "../mutate/params.js";
import { type AnyFormat, typeOf } from "../mutate/site.js";
import type { FuzzTarget } from "../target.js";

/** What a declaration names. */
export const kinds = ["fields", "names", "flags"] as const;
export type Kind = (typeof kinds)[number];

export interface FormatCoverage {
  readonly format: string;
  /** Text formats have no declared bytes: for them only codes count. */
  readonly binary: boolean;
  /** `generation path`, `generation path = name`, `generation path & flag`. */
  readonly declared: number;
  readonly reached: number;
  readonly missing: readonly string[];
  /** How many of `declared` are fields, names of values and flags. */
  readonly kinds: Readonly<Record<Kind, number>>;
  /** Generations something was read as, and those nothing was; empty for formats with one layout. */
  readonly generations: readonly string[];
  readonly missingGenerations: readonly string[];
  /** Codes of rules and errors met, and rules of the format that were not. */
  readonly codes: readonly string[];
  readonly missingRules: readonly string[];
}

/** Of an item of `missing`. */
const kindOf = (item: string): Kind =>
  item.includes(" = ") ? "names" : item.includes(" & ") ? "flags" : "fields";

const countKinds = (items: Iterable<string>): Record<Kind, number> => {
  const counts = { fields: 0, names: 0, flags: 0 };
  for (const item of items) counts[kindOf(item)]++;
  return counts;
};

/** `12/13` of a kind; empty where the declaration has none. */
export function kindText({ kinds: declared, missing }: FormatCoverage, kind: Kind): string {
  const all = declared[kind];
  return all === 0 ? "" : `${all - countKinds(missing)[kind]}/${all}`;
}

export const generationText = ({ generations, missingGenerations }: FormatCoverage): string =>
  generations.length + missingGenerations.length === 0
    ? ""
    : `${generations.length}/${generations.length + missingGenerations.length}`;

export class FieldCoverage {
  private readonly declared: ReadonlySet<string>;
  private readonly rules: ReadonlySet<string>;
  private readonly reached = new Set<string>();
  private readonly codes = new Set<string>();
  private readonly generations = new Set<string>();

  constructor(private readonly format: AnyFormat) {
    const names = format.generations.length === 0 ? [""] : format.generations;
    this.declared = new Set(names.flatMap((name) => [...itemsOf(typeOf(format, name), name)]));
    this.rules = new Set(format.describe().generations.flatMap(({ rules }) => rules.map(({ code }) => code)));
  }

  /** Whether anything was reached for the first time. Every generation the bytes fit counts: they were read as each. */
  add(bytes: Uint8Array, forced?: string): boolean {
    const before = this.reached.size + this.codes.size;
    for (const params of paramsOf(this.format)) {
      const reading = this.format.read(bytes, { params });
      const as = forced === undefined ? undefined : this.format.read(bytes, { params, generation: forced });
      for (const { code } of [...reading.issues, ...(as?.issues ?? [])]) this.codes.add(code);
      for (const { ok, generation } of as === undefined ? [reading] : [reading, as])
        if (ok && generation !== undefined) this.generations.add(generation);
      const fits = reading.fits ?? [reading.generation];
      for (const generation of forced === undefined || fits.includes(forced) ? fits : [...fits, forced]) {
        const options = generation === undefined ? { params } : { generation, params };
        this.visit(this.format.annotate(bytes, options), generation ?? "");
      }
    }
    return this.reached.size + this.codes.size > before;
  }

  report(): FormatCoverage {
    const missing = [...this.declared].filter((item) => !this.reached.has(item));
    return {
      format: this.format.name,
      binary: this.declared.size > 0,
      declared: this.declared.size,
      reached: this.declared.size - missing.length,
      missing,
      kinds: countKinds(this.declared),
      generations: this.format.generations.filter((name) => this.generations.has(name)),
      missingGenerations: this.format.generations.filter((name) => !this.generations.has(name)),
      codes: [...this.codes].sort(),
      missingRules: [...this.rules].filter((code) => !this.codes.has(code)).sort(),
    };
  }

  private visit(span: Span, generation: string): void {
    const node = declarationOf(span);
    if (node !== undefined) this.note(span, node, `${generation} ${span.path.replaceAll(/\[\d+\]/g, "[]")}`);
    for (const child of span.children) this.visit(child, generation);
  }

  private note(span: Span, node: Node, item: string): void {
    this.reached.add(item);
    if ("symbols" in node && node.symbols !== undefined && span.symbol !== undefined)
      this.reached.add(`${item} = ${span.symbol}`);
    for (const { kind, name, value } of span.children)
      if (kind === "bits" && value !== 0) this.reached.add(`${item} & ${name}`);
  }
}

/** Everything a declaration names. */
function* itemsOf(node: Node | undefined, generation: string, path = ""): Iterable<string> {
  if (node === undefined) return;
  const item = `${generation} ${path}`;
  switch (node.kind) {
    case "optional":
    case "region":
      yield* itemsOf(node.of, generation, path);
      return;
    case "struct":
      for (const [name, field] of node.fields) {
        const own = path === "" ? name : `${path}.${name}`;
        yield `${generation} ${own}`;
        yield* itemsOf(field, generation, own);
      }
      return;
    case "array":
      yield* itemsOf(node.of, generation, `${path}[]`);
      return;
    case "union":
      for (const { node: inner } of node.cases) yield* itemsOf(inner, generation, path);
      if (node.otherwise !== undefined) yield* itemsOf(node.otherwise.node, generation, path);
      return;
    case "int":
    case "packed":
    case "nibble":
      for (const [name] of symbolList(node.symbols ?? {})) yield `${item} = ${name}`;
      for (const [name] of symbolList(node.flags ?? {})) yield `${item} & ${name}`;
  }
}

/** Of every format among the targets: what the inputs of its corpus below `folder` reach. */
export function coverageOf(targets: readonly FuzzTarget[], folder: string): FormatCoverage[] {
  return targets.flatMap(({ name, subject }) => {
    if (subject === undefined) return [];
    const coverage = new FieldCoverage(subject.format);
    for (const file of readdirSync(join(folder, name))) {
      const input = readFileSync(join(folder, name, file));
      coverage.add(subject.bytesOf(input), subject.generationOf(input));
    }
    return [coverage.report()];
  });
}
