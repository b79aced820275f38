/**
 * Formats that are text: the same `Format` interface as binary ones, over declared records (config-schema.ts) or any
 * other `TextForm`. A value remembers the text it was read from, so that building it gives the same bytes, and a value
 * that was changed gives that text with only the changes in it.
 */
import { attachIssues, type Span } from "./annotate.js";
import { type ConfigSyntax, parseConfig, parseConfigPrefix, writeConfig } from "./config.js";
import {
  describeRecord,
  generateRecord,
  objectOf,
  readRecord,
  recordFromJson,
  recordToJson,
  type TextContext,
  type Values,
} from "./config-record.js";
import type { ConfigInfer, RecordNode } from "./config-schema.js";
import { configSpans } from "./config-span.js";
import { patchRecord, writeRecord } from "./config-write.js";
import type { FieldDescription } from "./describe.js";
import { FormatError } from "./error.js";
import {
  type Format,
  type FormatInfo,
  type Reading,
  type ReadOptions,
  strict,
  type WriteOptions,
} from "./format.js";
import { hasErrors, type Issue, issueOf } from "./issue.js";
import type { RandomSource } from "./random.js";
import { decodeText, encodeText, firstEscapedByte, textByteLength } from "./text.js";

/** One layout of a text format. */
export interface TextForm<T> {
  /** @throws FormatError; what can be read in spite of is reported in `context.issues`. */
  read(text: string, context: TextContext): T;
  /** The text of a value: into the text it came from, or (without one) the way the engine writes it. */
  write(value: T, source: string | undefined): string;
  /** Byte ranges; `base` is where the text begins. Must bear damaged text. */
  spans(text: string, base: number): Span[];
  generate(random: RandomSource): T;
  toJson(value: T): Values;
  fromJson(json: Values): T;
  describe(): { fields: readonly FieldDescription[]; rules: ReadonlyArray<{ code: string; doc: string }> };
}

export interface TextVariant<T> {
  readonly form: TextForm<T>;
  readonly when?: string;
  readonly doc?: string;
}

/** The text a value was read from. Copied along by `{...value}`, unseen by JSON and deep equality. */
const SOURCE = Symbol("source text");
interface Source {
  readonly text: string;
  readonly generation: string;
}

export function sourceText(value: object): string | undefined {
  return (value as { [SOURCE]?: Source })[SOURCE]?.text;
}

export interface RecordFormOptions {
  /** The fields a generation has. */
  readonly only?: readonly string[];
  readonly syntax?: ConfigSyntax;
}

/** A whole text that is one record. */
export function recordForm<N extends RecordNode>(
  node: N,
  options: RecordFormOptions = {},
): TextForm<ConfigInfer<N>> {
  const { only, syntax = "text" } = options;
  const parse = (text: string, base: number) => located(base, () => parseConfig(text, { syntax }));
  return {
    read: (text, context) => readRecord(node, parse(text, context.base), context),
    write(value, source) {
      if (source === undefined) return writeRecord(node, value as Values, only);
      const tree = parse(source, 0);
      const old = readRecord(node, tree, { base: 0, params: {}, issues: [] }) as Values;
      return writeConfig(patchRecord(node, tree, old, value as Values));
    },
    spans: (text, base) => configSpans(parseConfigPrefix(text, { syntax }), node, base, base),
    generate: (random) => generateRecord(node, random, only) as ConfigInfer<N>,
    toJson: (value) => recordToJson(node, value as Values),
    fromJson: (json) => recordFromJson(node, json) as ConfigInfer<N>,
    describe: () => ({
      fields: describeRecord(node, only),
      rules: node.rules.map(({ code, doc }) => ({ code, doc })),
    }),
  };
}

/** Adds where a text begins to the offset of its error. */
export function located<T>(base: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof FormatError) error.offset = base + (error.offset ?? 0);
    throw error;
  }
}

/** A format with one layout. */
export function textFormat<T extends object>(info: FormatInfo, form: TextForm<T>): Format<T> {
  const inner = new TextFormat<T>(info, new Map([[info.name, { form }]]), () => info.name, undefined, false);
  return inner.format();
}

export interface TextGenerations {
  /** How the generations are told apart, for the documentation. */
  readonly detection: string;
  /** The generation a text looks like; must not throw. */
  readonly detect: (text: string) => string;
}

type Tagged<V> = {
  [K in keyof V & string]: V[K] extends TextVariant<infer T> ? { generation: K } & T : never;
}[keyof V & string];

/** A format whose layout changed; the value carries the name of its generation. Newest first. */
// biome-ignore lint/suspicious/noExplicitAny: forms of different values; the result is typed by them.
export function textGenerations<V extends Readonly<Record<string, TextVariant<any>>>>(
  info: FormatInfo,
  variants: V,
  { detection, detect }: TextGenerations,
): Format<Tagged<V>> {
  const map = new Map(Object.entries(variants)) as unknown as Map<string, TextVariant<Tagged<V>>>;
  return new TextFormat<Tagged<V>>(info, map, detect, detection, true).format();
}

class TextFormat<T extends object> {
  constructor(
    private readonly info: FormatInfo,
    private readonly variants: ReadonlyMap<string, TextVariant<T>>,
    private readonly detect: (text: string) => string,
    private readonly detection: string | undefined,
    private readonly tagged: boolean,
  ) {}

  format(): Format<T> {
    return {
      ...this.info,
      generations: this.tagged ? [...this.variants.keys()] : [],
      parse: (bytes, options) => strict(this.read(bytes, options)),
      read: (bytes, options) => this.read(bytes, options),
      build: (value, options) => encodeText(this.write(value, options)),
      validate: (bytes, options) => this.read(bytes, options).issues,
      annotate: (bytes, options) => this.annotate(bytes, options),
      describe: () => this.describe(),
      generate: (random, options) => this.generate(random, options),
      toJson: (value) => this.toJson(value),
      fromJson: (json) => this.fromJson(json),
    };
  }

  private formOf(name: string): TextForm<T> {
    const variant = this.variants.get(name);
    if (variant !== undefined) return variant.form;
    throw new FormatError({
      code: "unknown-generation",
      message: `${this.info.name} has no generation ${name}`,
      expected: [...this.variants.keys()].join(", "),
      actual: name,
    });
  }

  private read(bytes: Uint8Array, options: ReadOptions = {}): Reading<T> {
    const { base = 0, params = {}, partial = false } = options;
    const text = textOf(bytes, partial);
    const generation = options.generation ?? this.detect(text);
    const label = this.tagged ? { generation } : {};
    const issues: Issue[] = encodingIssues(text, base);
    try {
      const read = this.formOf(generation).read(text, { base, params, issues });
      const source: Source = { text, generation };
      const value = { ...label, ...read, [SOURCE]: source } as T;
      const length = partial ? encodeText(text).length : bytes.length;
      const placed = options.places === false ? issues : this.place(generation, text, base, issues);
      return { ok: true, value, length, issues: labelled(placed, label), ...label };
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      error.offset ??= base;
      if (this.tagged) error.generation = generation;
      return { ok: false, error, issues: labelled([...issues, issueOf(error)], label), ...label };
    }
  }

  /** Rules know paths only: their issues get the offsets of the tokens these name. */
  private place(generation: string, text: string, base: number, issues: readonly Issue[]): readonly Issue[] {
    if (issues.every(({ offset }) => offset !== undefined)) return issues;
    return attachIssues(this.spansOf(generation, text, base), issues);
  }

  private spansOf(generation: string | undefined, text: string, base: number, name = ""): Span {
    const end = base + textByteLength(text);
    const form = this.variants.get(generation ?? this.info.name)?.form;
    const children = clamp(form?.spans(text, base) ?? [], base, end);
    return { name, path: "", start: base, end, kind: "struct", children, issues: [] };
  }

  private write(value: T, options: WriteOptions = {}): string {
    const generation = this.generationOf(value, options);
    const source = (value as { [SOURCE]?: Source })[SOURCE];
    const text = source?.generation === generation ? source.text : undefined;
    return this.formOf(generation).write(value, text);
  }

  private generationOf(value: unknown, options: WriteOptions = {}): string {
    const newest = this.variants.keys().next().value as string;
    if (!this.tagged) return newest;
    return options.generation ?? (value as { generation?: string }).generation ?? newest;
  }

  private annotate(bytes: Uint8Array, options: ReadOptions = {}): Span {
    const { base = 0, partial = false } = options;
    const reading = this.read(bytes, options);
    const name = this.tagged ? `${this.info.name} ${reading.generation}` : this.info.name;
    const root = this.spansOf(reading.generation, textOf(bytes, partial), base, name);
    root.end = base + bytes.length;
    attachIssues(root, reading.issues);
    return root;
  }

  private describe() {
    const generations = [...this.variants].map(([name, { form, when, doc }]) => ({
      name,
      ...(when === undefined ? {} : { when }),
      ...(doc === undefined ? {} : { doc }),
      ...form.describe(),
    }));
    return {
      ...this.info,
      ...(this.detection === undefined ? {} : { detection: this.detection }),
      generations,
    };
  }

  private generate(random: RandomSource, options: WriteOptions = {}): T {
    const names = [...this.variants.keys()];
    const generation = options.generation ?? names[random.below(names.length)]!;
    const form = this.formOf(generation);
    const label = this.tagged ? { generation } : {};
    for (let tries = 0; tries < 200; tries++) {
      const value = { ...label, ...form.generate(random) } as T;
      const text = form.write(value, undefined);
      const issues: Issue[] = [];
      if (this.detect(text) !== generation || !this.readable(form, text, options, issues)) continue;
      if (!hasErrors(issues)) return value;
    }
    throw new TypeError(`the rules of ${this.info.name} reject 200 generated values: give it samples`);
  }

  private readable(form: TextForm<T>, text: string, options: WriteOptions, issues: Issue[]): boolean {
    try {
      form.read(text, { base: 0, params: options.params ?? {}, issues });
      return true;
    } catch (error) {
      if (error instanceof FormatError) return false;
      throw error;
    }
  }

  /** With the text itself where it is not the one the engine would write for the value. */
  private toJson(value: T): unknown {
    const generation = this.generationOf(value);
    const form = this.formOf(generation);
    const source = (value as { [SOURCE]?: Source })[SOURCE];
    const json = { ...(this.tagged ? { generation } : {}), ...form.toJson(value) };
    if (source === undefined) return json;
    const text = this.write(value);
    return text === canonical(form, value) ? json : { ...json, text };
  }

  private fromJson(json: unknown): T {
    const { generation: named, text, ...rest } = objectOf(json);
    const generation = this.generationOf({ generation: named });
    const value = this.formOf(generation).fromJson(rest);
    const source = typeof text === "string" ? { [SOURCE]: { text, generation } } : {};
    return { ...(this.tagged ? { generation } : {}), ...value, ...source } as T;
  }
}

function canonical<T>(form: TextForm<T>, value: T): string | undefined {
  try {
    return form.write(value, undefined);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** With `partial`, text ends at its first NUL. */
function textOf(bytes: Uint8Array, partial: boolean): string {
  const end = partial ? bytes.indexOf(0) : -1;
  return decodeText(end < 0 ? bytes : bytes.subarray(0, end));
}

function encodingIssues(text: string, base: number): Issue[] {
  const at = firstEscapedByte(text);
  if (at === undefined) return [];
  const { offset, byte } = at;
  const message = `byte 0x${byte.toString(16)} is not UTF-8`;
  return [{ code: "text-encoding", severity: "warning", path: "", offset: base + offset, message }];
}

const labelled = (issues: readonly Issue[], label: { generation?: string }): Issue[] =>
  issues.map((issue) => ({ ...issue, ...label }));

/** Ranges of damaged text may not leave it. */
function clamp(spans: readonly Span[], start: number, end: number): Span[] {
  return spans.map((span) => ({
    ...span,
    start: Math.min(Math.max(span.start, start), end),
    end: Math.min(Math.max(span.end, start), end),
    children: clamp(span.children, start, end),
  }));
}
