import {
  formatSigned64,
  formatSize,
  parseBoolean,
  parseHex64,
  parseSigned64,
  parseSize,
  parseUnsigned64,
} from "./config-scalar.js";
import { FormatError } from "./error.js";
import { bytesToHex, hexToBytes } from "./json.js";
import { type RandomSource, randomU64 } from "./random.js";
import type { Severity, Violation } from "./schema.js";

/**
 * The vocabulary of records written as configuration text. A record is data: keys with types, documentation and
 * bounds, and rules with stable codes. Everything else is derived from it (config-record.ts).
 */

declare const VALUE: unique symbol;
/** Carries the type of a declaration's value; no such property exists. */
export interface Valued<T> {
  readonly [VALUE]?: readonly [T];
}
/** A declaration whose value is a `T`. */
export type ConfigType<T> = ConfigNode & Valued<T>;
export type ConfigInfer<N> = N extends Valued<infer T> ? T : never;

export interface KeyOptions {
  readonly doc?: string;
  /** The key in the text; the property's name in snake_case unless told. Empty: a struct without a key. */
  readonly key?: string;
  /** Keys on the way to a value that lies deeper than its property; the last one is the key itself. */
  readonly at?: readonly string[];
  /** Names the key had for a while. */
  readonly aliases?: readonly string[];
  /** What stands in front of the key unless it comes first; a comma unless told. */
  readonly before?: string;
  /** Smallest and largest valid number; others are read, and reported as `value-range`. */
  readonly min?: number | bigint;
  readonly max?: number | bigint;
  /** Names of special numbers, for the documentation and annotations. */
  readonly symbols?: Readonly<Record<string, string>>;
  /** First version of the format that knows the key. */
  readonly since?: number;
}
interface NodeBase extends KeyOptions {
  readonly optional?: true;
  /** The value that an absent key stands for. */
  readonly fallback?: unknown;
}

export interface ScalarNode extends NodeBase {
  readonly kind: "scalar";
  /** For the documentation. */
  readonly type: string;
  /** Written with quotes. */
  readonly quoted: boolean;
  readonly read: (text: string) => unknown;
  readonly accepts: (value: unknown) => boolean;
  readonly write: (value: never) => string;
  readonly generate: (random: RandomSource) => unknown;
  readonly toJson: (value: never) => unknown;
  readonly fromJson: (json: unknown) => unknown;
}
/** Any value, kept as its configuration text. */
export interface RawNode extends NodeBase {
  readonly kind: "raw";
}
/** A struct of known keys. */
export interface RecordNode extends NodeBase {
  readonly kind: "record";
  readonly fields: ReadonlyArray<readonly [string, ConfigNode]>;
  readonly rules: readonly ConfigRule[];
  /** `fatal`: a key that comes twice is an error. `last`: the later one counts. */
  readonly duplicates: "fatal" | "last";
  /** The bracket it is written with, `(` unless told. */
  readonly open?: "(" | "[";
}
/** A struct of records under names of their own, in order: `(NAME=(…),NAME=(…))`. */
export interface NamedNode extends NodeBase {
  readonly kind: "named";
  readonly of: RecordNode;
  /** How an empty list is written: `()` or nothing. */
  readonly whenEmpty: "()" | "";
  readonly sampleName: (random: RandomSource, index: number) => string;
}
/** Bare items in a fixed order: `(1,24)`. */
export interface TupleNode extends NodeBase {
  readonly kind: "tuple";
  readonly items: ReadonlyArray<readonly [string, ScalarNode]>;
}
export type ConfigNode = ScalarNode | RawNode | RecordNode | NamedNode | TupleNode;

export interface ConfigRuleContext {
  /** Values from outside: `readerVersion`, … */
  readonly params: Readonly<Record<string, number>>;
  /** True when the text has the key itself, not just a value that an absent key stands for. */
  has(key: string): boolean;
}
/** A constraint between keys; `check` gives undefined when it holds. Paths of violations are keys of the text. */
export interface ConfigRule {
  readonly code: string;
  readonly doc: string;
  readonly severity?: Severity;
  /** Comes before errors that stop the reading; its keys are declared first. */
  readonly gate?: true;
  // biome-ignore lint/suspicious/noExplicitAny: the record's value type is checked by `record`.
  readonly check: (value: any, context: ConfigRuleContext) => Violation | undefined;
}

interface ScalarSpec<T> {
  readonly type: string;
  readonly read: (text: string) => T;
  readonly accepts: (value: unknown) => boolean;
  readonly write?: (value: T) => string;
  readonly generate: (random: RandomSource) => T;
  readonly toJson?: (value: T) => unknown;
  readonly fromJson: (json: unknown) => T;
}
interface ScalarOptions extends KeyOptions {
  readonly quoted?: boolean;
}

function scalar<T>(spec: ScalarSpec<T>, options: ScalarOptions): ScalarNode & Valued<T> {
  const { quoted = false, ...rest } = options;
  const plain = { kind: "scalar", quoted, write: String, toJson: (value: unknown) => value } as const;
  return { ...plain, ...spec, ...rest } as ScalarNode & Valued<T>;
}

const max64 = (1n << 64n) - 1n;
const isU64 = (value: unknown): boolean => typeof value === "bigint" && value >= 0n && value <= max64;
const isCount = (limit: number) => (value: unknown) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= limit;

/** A random value within the bounds of the options. */
function bounded(random: RandomSource, options: KeyOptions, limit: bigint): bigint {
  const low = BigInt(options.min ?? 0);
  const high = options.max === undefined ? limit : BigInt(options.max);
  return low + (randomU64(random) % (high - low + 1n));
}

const bigintJson = {
  toJson: (value: bigint): unknown => value.toString(),
  fromJson: (json: unknown): bigint => jsonInteger(json),
};

const unsigned = (
  options: KeyOptions,
  type: string,
  read: (text: string) => bigint,
  write: (value: bigint) => string,
) =>
  scalar<bigint>(
    {
      type,
      read,
      write,
      accepts: isU64,
      generate: (random) => bounded(random, options, max64),
      ...bigintJson,
    },
    options,
  );

/** Signed decimal text of a 64-bit value, read as unsigned: `-1` is 2^64 − 1. */
export const signed64 = (options: ScalarOptions = {}) =>
  unsigned(options, "signed decimal, reinterpreted as u64", parseSigned64, formatSigned64);
/** Unsigned decimal text of a 64-bit value. */
export const unsigned64 = (options: ScalarOptions = {}) =>
  unsigned(options, "decimal u64", parseUnsigned64, String);
/** Hexadecimal text of a 64-bit value without 0x; `prefix` lets the reader accept one. */
export const hex64 = (options: ScalarOptions & { prefix?: boolean } = {}) => {
  const { prefix = false, ...rest } = options;
  const read = (text: string) => parseHex64(text, prefix);
  return unsigned(rest, "hexadecimal u64", read, (value) => value.toString(16));
};
/** Hexadecimal text of a 32-bit value as a number. */
export const hex32 = (options: ScalarOptions & { prefix?: boolean } = {}) => {
  const { prefix = false, ...rest } = options;
  const limit = 0xffffffff;
  return count(
    "hexadecimal u32",
    limit,
    rest,
    (text) => parseHex64(text, prefix),
    (value) => value.toString(16),
  );
};
/** Decimal text of a number up to 2^32 − 1. */
export const decimal32 = (options: ScalarOptions = {}) =>
  count("decimal u32", 0xffffffff, options, parseUnsigned64, String);
/** A number of bytes, with a multiplier (`4KB`) where one divides it; a string in JSON, as it may need 53 bits. */
export const size = (options: ScalarOptions = {}): ScalarNode & Valued<number> => ({
  ...count("size in bytes", Number.MAX_SAFE_INTEGER, options, parseSize, (value) =>
    formatSize(BigInt(value)),
  ),
  toJson: String,
});

function count(
  type: string,
  limit: number,
  options: ScalarOptions,
  read: (text: string) => bigint,
  write: (value: number) => string,
): ScalarNode & Valued<number> {
  return scalar<number>(
    {
      type,
      read: (text) => narrow(read(text), limit),
      write,
      accepts: isCount(limit),
      generate: (random) => Number(bounded(random, options, BigInt(limit))),
      fromJson: (json) => narrow(jsonInteger(json), limit),
    },
    options,
  );
}

function narrow(value: bigint, limit: number): number {
  if (value >= 0n && value <= BigInt(limit)) return Number(value);
  throw new FormatError({
    code: "config-number-range",
    message: `${value} is out of range (0..${limit})`,
    expected: `0..${limit}`,
    actual: value,
  });
}

export const boolean = (options: ScalarOptions = {}) =>
  scalar<boolean>(
    {
      type: "boolean",
      read: parseBoolean,
      accepts: (value) => typeof value === "boolean",
      generate: (random) => random.below(2) === 1,
      fromJson: (json) => jsonOf<boolean>(json, "boolean"),
    },
    options,
  );

const letters = "abcdefghijklmnopqrstuvwxyz0123456789_-./";

export const text = (options: ScalarOptions & { sample?: readonly string[] } = {}) => {
  const { sample, ...rest } = options;
  return scalar<string>(
    {
      type: "text",
      read: (value) => value,
      accepts: (value) => typeof value === "string",
      generate: (random) => sample?.[random.below(sample.length)] ?? sampleText(random),
      fromJson: (json) => jsonOf<string>(json, "string"),
    },
    rest,
  );
};

/** A short word, at times empty or one that needs quotes. */
export function sampleText(random: RandomSource): string {
  if (random.below(8) === 0) return random.below(2) === 0 ? "" : 'two "words", ü';
  return Array.from({ length: 1 + random.below(8) }, () => letters[random.below(letters.length)]).join("");
}

/** Bytes as hexadecimal digits. */
export const hexBytes = (options: ScalarOptions & { maxSample?: number } = {}) => {
  const { maxSample = 40, ...rest } = options;
  return scalar<Uint8Array>(
    {
      type: "bytes in hexadecimal",
      read: readHexBytes,
      write: bytesToHex,
      accepts: (value) => value instanceof Uint8Array,
      generate: (random) => random.bytes(random.below(maxSample)),
      toJson: bytesToHex,
      fromJson: (json) => hexToBytes(jsonOf<string>(json, "string")),
    },
    rest,
  );
};

/** No white space between digits, which `hexToBytes` would allow. */
function readHexBytes(digits: string): Uint8Array {
  const bad = /[^0-9A-Fa-f]/.exec(digits);
  if (bad === null) return hexToBytes(digits);
  throw new FormatError({
    code: "hex-digit",
    message: `not a hex digit: ${JSON.stringify(bad[0])}`,
    expected: "hexadecimal digits",
    actual: bad[0],
  });
}

/** Any value as its configuration text. */
export const raw = (options: KeyOptions = {}): ConfigType<string> => ({ kind: "raw", ...options });

type Simplify<T> = { [K in keyof T]: T[K] } & {};
type Fields = Readonly<Record<string, ConfigNode>>;
type Optionals<F> = { [K in keyof F]: undefined extends ConfigInfer<F[K]> ? K : never }[keyof F];
/** The value of a record: its keys, and in `other` the text of entries it does not know, in order. */
export type ConfigRecordValue<F> = Simplify<
  { [K in Exclude<keyof F, Optionals<F>>]: ConfigInfer<F[K]> } & {
    [K in Optionals<F> & keyof F]?: Exclude<ConfigInfer<F[K]>, undefined>;
  } & { other?: readonly string[] }
>;
export interface RecordOptions<F> extends KeyOptions {
  readonly open?: "(" | "[";
  readonly duplicates?: "fatal" | "last";
  readonly rules?: ReadonlyArray<
    Omit<ConfigRule, "check"> & {
      check: (value: ConfigRecordValue<F>, context: ConfigRuleContext) => Violation | undefined;
    }
  >;
}

/** Keys in the order they are written. */
export function record<F extends Fields>(
  fields: F,
  options: RecordOptions<F> = {},
): RecordNode & Valued<ConfigRecordValue<F>> {
  const { rules = [], duplicates = "last", ...rest } = options;
  return {
    kind: "record",
    fields: Object.entries(fields),
    rules: rules as readonly ConfigRule[],
    duplicates,
    ...rest,
  } as RecordNode & Valued<ConfigRecordValue<F>>;
}

/** Records under names of their own; the name is the property `name` of each. */
export function named<T>(
  of: RecordNode & Valued<T>,
  options: KeyOptions & { whenEmpty?: "()" | ""; sampleName?: NamedNode["sampleName"] } = {},
): NamedNode & Valued<Array<Simplify<{ name: string } & T>>> {
  const defaults = {
    whenEmpty: "()",
    sampleName: (_random: RandomSource, index: number) => `name${index}`,
  } as const;
  return { kind: "named", of, ...defaults, ...options };
}

/** Bare items in a fixed order. */
export function tuple<F extends Readonly<Record<string, ScalarNode>>>(
  items: F,
  options: KeyOptions = {},
): TupleNode & Valued<{ [K in keyof F]: ConfigInfer<F[K]> }> {
  return { kind: "tuple", items: Object.entries(items), ...options };
}

/** A key that may be absent. */
export function optional<T>(node: ConfigType<T>): ConfigType<T | undefined> {
  return { ...(node as ConfigNode), optional: true };
}

/** A key whose absence stands for a value. */
export function fallback<T>(node: ConfigType<T>, value: T): ConfigType<T> {
  return { ...(node as ConfigNode), optional: true, fallback: value };
}

/** `newestStopTs` as the text has it: `newest_stop_ts`. */
export const keyOf = (name: string, node: ConfigNode): string =>
  node.key ?? node.at?.at(-1) ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function jsonInteger(json: unknown): bigint {
  if (typeof json === "string" && /^\d{1,20}$/.test(json)) return BigInt(json);
  if (typeof json === "number" && Number.isSafeInteger(json)) return BigInt(json);
  throw typeError("an integer is needed (64-bit ones as decimal strings)", "integer", json);
}

function jsonOf<T>(json: unknown, type: "string" | "boolean"): T {
  if (typeof json !== type) throw typeError(`a ${type} is needed`, type, json);
  return json as T;
}

/** The error of a value of the wrong type. */
export function typeError(message: string, expected: string, actual: unknown): FormatError {
  const found = actual === null ? "null" : Array.isArray(actual) ? "array" : typeof actual;
  return new FormatError({ code: "value-type", message, expected, actual: found });
}
