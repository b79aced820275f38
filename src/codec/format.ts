/**
 * A named format: what callers hold. `format` makes one from a declaration, `generations` one from several layouts
 * that share a name; text formats implement the same interface.
 */
import { attachIssues, pathAt, type Span, SpanTracer, settleChecksums } from "./annotate.js";
import { checkChecksum, checkValue } from "./check.js";
import { Cursor, type Tracer, Writer } from "./cursor.js";
import { decoder, ReadScope, trailing } from "./decode.js";
import { type Description, describeNode } from "./describe.js";
import { encoder, fillChecksums, WriteScope } from "./encode.js";
import { FormatError } from "./error.js";
import { generate } from "./generate.js";
import { defined, hasErrors, type Issue, issueOf } from "./issue.js";
import { fromJson, type JsonOptions, toJson } from "./json.js";
import type { RandomSource } from "./random.js";
import type { Infer, Node, Type } from "./schema.js";

export interface ReadOptions {
  /** Forces a generation instead of detecting it. */
  readonly generation?: string;
  /** Values from outside that the declaration asks for (`param`). */
  readonly params?: Readonly<Record<string, number>>;
  /** Added to every reported offset: where the bytes begin in their file. */
  readonly base?: number;
  /** Allow bytes behind the value; `length` of the reading tells how many were used. */
  readonly partial?: boolean;
  /**
   * `false`: issues of a value that was read may be without offsets, and those of checksums without paths. Finding
   * them takes a second reading.
   */
  readonly places?: boolean;
}
export type WriteOptions = Pick<ReadOptions, "generation" | "params">;

/** The outcome of reading: never thrown, always with a place. */
export type Reading<T> = {
  /** Everything that is not as it should be; a failed reading ends with its error. */
  readonly issues: readonly Issue[];
  readonly generation?: string;
  /** Every generation the bytes fit, the chosen one first. */
  readonly fits?: readonly string[];
} & (
  | { readonly ok: true; readonly value: T; readonly length: number }
  | {
      readonly ok: false;
      readonly value?: undefined;
      readonly length?: undefined;
      readonly error: FormatError;
    }
);

export interface FormatInfo {
  /** Kebab-case name, as the command line has it. */
  readonly name: string;
  readonly title: string;
  /** The page of the format documents it was written from. */
  readonly source: string;
  readonly doc?: string;
  /** The names of `params` that mean something here, and what they mean. */
  readonly params?: Readonly<Record<string, string>>;
}

export interface Format<T> extends FormatInfo {
  /** Names of the generations, newest first; empty when there is one layout. */
  readonly generations: readonly string[];
  /**
   * The value of the bytes.
   * @throws FormatError for bytes that cannot be read, and for the first issue of severity error.
   */
  parse(bytes: Uint8Array, options?: ReadOptions): T;
  /** As `parse`, but damaged values are returned with their issues, and nothing is thrown. */
  read(bytes: Uint8Array, options?: ReadOptions): Reading<T>;
  /**
   * The bytes of a value; lengths, counts and checksums that are left out are computed.
   * @throws FormatError with the path of what does not fit.
   */
  build(value: T, options?: WriteOptions): Uint8Array;
  /** Every issue of the bytes. */
  validate(bytes: Uint8Array, options?: ReadOptions): readonly Issue[];
  /** Byte and bit ranges with their meaning; works on damaged input as far as it can be read. */
  annotate(bytes: Uint8Array, options?: ReadOptions): Span;
  describe(): Description;
  /** A valid value. */
  generate(random: RandomSource, options?: WriteOptions): T;
  toJson(value: T, options?: JsonOptions): unknown;
  /** @throws FormatError with the path of what is not of the format's shape. */
  fromJson(json: unknown): T;
}

/** A format with one layout. */
export function format<S extends Node>(
  info: FormatInfo,
  type: S,
): Format<Infer<S>> & { readonly type: Type<Infer<S>> } {
  const layout = new Layout<Infer<S>>(type);
  return {
    ...info,
    type: type as unknown as Type<Infer<S>>,
    generations: [],
    parse: (bytes, options) => strict(layout.read(bytes, options)),
    read: (bytes, options) => layout.read(bytes, options),
    build: (value, options) => layout.build(value, options),
    validate: (bytes, options) => layout.read(bytes, options).issues,
    annotate: (bytes, options) => layout.annotate(info.name, bytes, options),
    describe: () => ({ ...info, generations: [{ name: info.name, ...describeNode(type) }] }),
    generate: (random, options) => layout.generate(random, options),
    toJson: (value, options) => toJson(type, value, options),
    fromJson: (json) => fromJson(type, json) as Infer<S>,
  };
}

/** The value, or its first error thrown. */
export function strict<T>(reading: Reading<T>): T {
  if (!reading.ok) throw reading.error;
  const issue = reading.issues.find(({ severity }) => severity === "error");
  if (issue !== undefined) throw new FormatError(issue);
  return reading.value;
}

const NO_PARAMS: Readonly<Record<string, number>> = {};

/** One declared layout, with all that is derived from it. */
class Layout<T> {
  constructor(readonly type: Node) {}

  read(bytes: Uint8Array, options: ReadOptions = {}): Reading<T> {
    const cursor = new Cursor(bytes, options.base);
    try {
      const value = decodeWhole(this.type, cursor, options) as T;
      const found = this.issues(value, cursor, options);
      return {
        ok: true,
        value,
        length: cursor.pos,
        issues: found.length === 0 || options.places === false ? found : this.place(bytes, options, found),
      };
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      return { ok: false, error, issues: [issueOf(error)] };
    }
  }

  private issues(value: T, cursor: Cursor, { params }: ReadOptions): Issue[] {
    const issues = checkValue(this.type, value, params);
    for (const site of cursor.checksums) {
      const issue = checkChecksum(site);
      if (issue !== undefined) issues.push(issue);
    }
    return issues;
  }

  /** Second pass, only for damaged input: gives issues their offsets and paths. */
  private place(bytes: Uint8Array, options: ReadOptions, issues: readonly Issue[]): Issue[] {
    return placedIn(this.trace("", bytes, options, false).root, issues);
  }

  /** What is there, byte by byte; without a value when it cannot be read to its end. */
  private trace(name: string, bytes: Uint8Array, options: ReadOptions, explained = true): Trace<T> {
    const tracer = new SpanTracer(options.base ?? 0, name, bytes.length, explained);
    const read = trace<T>(this.type, bytes, options, tracer);
    return { root: tracer.finish(), ...read };
  }

  annotate(name: string, bytes: Uint8Array, options: ReadOptions = {}): Span {
    const { root, cursor, ...read } = this.trace(name, bytes, options);
    if ("error" in read) {
      attachIssues(root, [issueOf(read.error)]);
      return root;
    }
    placedIn(root, this.issues(read.value, cursor, options));
    settleChecksums(root);
    return root;
  }

  build(value: T, options: WriteOptions = {}): Uint8Array {
    const writer = new Writer();
    const patches: WriteScope["patches"] = [];
    const scope = new WriteScope(writer, {}, undefined, undefined, options.params ?? {}, 0, patches);
    encoder(this.type)(writer, value, scope);
    fillChecksums(writer, patches, 0);
    return writer.finish();
  }

  generate(random: RandomSource, options: WriteOptions = {}): T {
    let why: string | undefined;
    for (let tries = 0; tries < 200; tries++) {
      const value = generate(this.type, random, options.params) as T;
      why = this.rejection(value, options);
      if (why === undefined) return value;
    }
    throw new TypeError(`the declaration rejects 200 generated values (${why}): give it samples`);
  }

  /** Why a value is not valid. The rules may look at what building derives, so they are asked about what is built. */
  private rejection(value: T, options: WriteOptions): string | undefined {
    try {
      const { issues } = this.read(this.build(value, options), options);
      return issues.find(({ severity }) => severity === "error")?.message;
    } catch (error) {
      if (error instanceof FormatError) return error.message;
      throw error;
    }
  }
}

type Traced<T> = { readonly cursor: Cursor } & ({ readonly value: T } | { readonly error: FormatError });
type Trace<T> = { readonly root: Span } & Traced<T>;

function decodeWhole(type: Node, cursor: Cursor, { params = NO_PARAMS, partial }: ReadOptions): unknown {
  // A struct's fields are the root's own spans; any other value gets one that has no name in paths.
  const tracer = type.kind === "struct" ? undefined : cursor.tracer;
  tracer?.open("", type, cursor.pos);
  const value = decoder(type)(cursor, new ReadScope(cursor, undefined, params, cursor.pos));
  tracer?.close(cursor.place, value);
  cursor.align();
  if (partial !== true && cursor.left > 0) throw trailing(cursor);
  return value;
}

/** Shows a tracer what is read, as far as the bytes can be read. */
export function trace<T>(type: Node, bytes: Uint8Array, options: ReadOptions, tracer: Tracer): Traced<T> {
  const cursor = new Cursor(bytes, options.base);
  cursor.tracer = tracer;
  try {
    return { cursor, value: decodeWhole(type, cursor, options) as T };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    tracer.fail(cursor.place);
    return { cursor, error };
  }
}

/** Issues on the spans they are of, with their offsets and paths. */
function placedIn(root: Span, issues: readonly Issue[]): Issue[] {
  const named = issues.map((issue) =>
    issue.path === "" && issue.offset !== undefined ? { ...issue, path: pathAt(root, issue.offset) } : issue,
  );
  return attachIssues(root, named);
}

export interface Variant {
  readonly type: Node;
  /** When the engine wrote it. */
  readonly when?: string;
  readonly doc?: string;
}
type Variants = Readonly<Record<string, Variant>>;
/** The value of any generation, with its name. */
export type GenerationValue<V extends Variants> = {
  [K in keyof V & string]: { generation: K } & Infer<V[K]["type"]>;
}[keyof V & string];

export interface GenerationOptions<T> {
  /** How the generations are told apart, for the documentation. */
  readonly detection: string;
  /**
   * Chooses among the generations the bytes fit (in declared order). Default: the first.
   */
  readonly choose?: (
    fits: ReadonlyArray<Reading<T> & { ok: true }>,
    bytes: Uint8Array,
    options: ReadOptions,
  ) => string | undefined;
  /** The generation bytes look like when none fits: its error is the one reported. */
  readonly likely?: (bytes: Uint8Array, options: ReadOptions) => string | undefined;
  /** The generations worth trying where reading all would take long; at least one. Default: all. */
  readonly candidates?: (bytes: Uint8Array) => readonly string[];
}

/** A format whose layout changed over time. The first variant is preferred when several fit. */
export function generations<V extends Variants>(
  info: FormatInfo,
  variants: V,
  options: GenerationOptions<GenerationValue<V>>,
): Format<GenerationValue<V>> & { readonly variants: V } {
  type Value = GenerationValue<V>;
  const names = Object.keys(variants);
  const layouts = new Map(
    Object.entries(variants).map(([name, { type }]) => [name, new Layout<Value>(type)]),
  );
  const detect = (bytes: Uint8Array, read: ReadOptions = {}): Reading<Value> => {
    if (read.generation !== undefined) return readForced(read.generation, bytes, read);
    const readings = (options.candidates?.(bytes) ?? names).map((name) => readAs(name, bytes, read));
    const fits = readings.filter(isSound);
    if (fits.length === 0) return mostLikely(readings, options.likely?.(bytes, read));
    const chosen = options.choose?.(fits, bytes, read) ?? (fits[0] as Reading<Value>).generation;
    const reading = fits.find(({ generation }) => generation === chosen) ?? (fits[0] as Reading<Value>);
    const others = fits
      .map(({ generation }) => generation as string)
      .filter((name) => name !== reading.generation);
    return { ...reading, fits: [reading.generation as string, ...others] };
  };
  const readAs = (name: string, bytes: Uint8Array, read: ReadOptions): Reading<Value> =>
    tagged(layoutOf(name).read(bytes, read), name);
  const readForced = (name: string, bytes: Uint8Array, read: ReadOptions): Reading<Value> => {
    if (layouts.has(name)) return readAs(name, bytes, read);
    const error = unknownGeneration(name);
    return { ok: false, error, issues: [issueOf(error)] };
  };
  const unknownGeneration = (name: string): FormatError =>
    new FormatError({
      code: "unknown-generation",
      message: `${info.name} has no generation ${name}`,
      expected: names.join(", "),
      actual: name,
    });
  const layoutOf = (name: string): Layout<Value> => {
    const layout = layouts.get(name);
    if (layout !== undefined) return layout;
    throw unknownGeneration(name);
  };
  const nameOf = (value: unknown, write: WriteOptions = {}): string => {
    const named = write.generation ?? (value as { generation?: unknown } | null)?.generation;
    if (named === undefined) return names[0] as string;
    if (typeof named === "string") return named;
    throw unknownGeneration(typeof named);
  };
  const within = <R>(generation: string, work: (layout: Layout<Value>) => R): R => {
    const layout = layoutOf(generation);
    try {
      return work(layout);
    } catch (error) {
      if (error instanceof FormatError) error.generation ??= generation;
      throw error;
    }
  };
  return {
    ...info,
    variants,
    generations: names,
    parse: (bytes, read) => strict(detect(bytes, read)),
    read: detect,
    build: (value, write) => within(nameOf(value, write), (layout) => layout.build(value, write)),
    validate: (bytes, read) => detect(bytes, read).issues,
    annotate: (bytes, read = {}) => {
      const generation = read.generation ?? detect(bytes, read).generation ?? (names[0] as string);
      return layoutOf(generation).annotate(`${info.name} ${generation}`, bytes, read);
    },
    describe: () => ({
      ...info,
      detection: options.detection,
      generations: Object.entries(variants).map(([name, { type, when, doc }]) =>
        defined({ name, when, doc, ...describeNode(type) }),
      ),
    }),
    generate: (random, write = {}) => {
      const name = write.generation ?? (names[random.below(names.length)] as string);
      return { ...layoutOf(name).generate(random, write), generation: name };
    },
    toJson: (value, json) => {
      const generation = nameOf(value);
      return { generation, ...(toJson(layoutOf(generation).type, value, json) as object) };
    },
    fromJson: (json) => {
      const generation = nameOf(json);
      return { generation, ...(within(generation, ({ type }) => fromJson(type, json)) as object) } as Value;
    },
  };
}

const isSound = <T>(reading: Reading<T>): reading is Reading<T> & { ok: true } =>
  reading.ok && !hasErrors(reading.issues);

function tagged<T>(reading: Reading<T>, generation: string): Reading<T> {
  const issues = reading.issues.map((issue) => ({ ...issue, generation }));
  if (reading.ok) return { ...reading, value: { ...reading.value, generation }, generation, issues };
  reading.error.generation = generation;
  return { ...reading, generation, issues };
}

/** The reading to report when no generation fits: the one named, else the one that got furthest. */
function mostLikely<T>(readings: ReadonlyArray<Reading<T>>, likely: string | undefined): Reading<T> {
  const named = readings.find(({ generation }) => generation === likely);
  if (named !== undefined) return named;
  const reach = (reading: Reading<T>): number =>
    reading.ok ? Number.MAX_SAFE_INTEGER : (reading.error.offset ?? 0);
  return readings.reduce((best, reading) => (reach(reading) > reach(best) ? reading : best));
}
