/**
 * The vocabulary of declarations. A declaration is plain data (plus named rules); everything else in `src/codec`
 * is derived from it. Value types are inferred: `Infer<typeof pageHeader>`.
 */

import type { Cursor, Writer } from "./cursor.js";
import type { Expr } from "./expression.js";
import type { RandomSource } from "./random.js";

declare const VALUE: unique symbol;

/** A declaration whose parsed value is a `T`. */
export type Type<T> = Node & { readonly [VALUE]?: readonly [T] };
export type Infer<S> = S extends { readonly [VALUE]?: readonly [infer T] } ? T : never;

export type Severity = "error" | "warning" | "info";

/** Symbolic names of values: `{ rowLeaf: 7 }` or `{ rowLeaf: [7, "row-store leaf page"] }`. */
export type Symbols = Readonly<Record<string, number | readonly [number, string]>>;

export interface Common {
  /** What the field means, for the documentation and annotations. */
  readonly doc?: string;
  /** Format whose documentation has what is inside; it is not repeated here. */
  readonly see?: string;
  /** Overrides the generated value of this field. */
  readonly sample?: (random: RandomSource, scope: Readonly<Record<string, unknown>>) => unknown;
}

export interface ScalarRules extends Common {
  /** Names of values; others are kept and reported as `unknown-value`. */
  readonly symbols?: Symbols;
  /** Severity of a value without a name (default warning). */
  readonly unknown?: Severity;
  /** Names of bits (masks); other bits are kept and reported as `unknown-bits` (default info). */
  readonly flags?: Symbols;
  /** The only valid value: a magic number (error `constant` otherwise). */
  readonly constant?: number | bigint;
  /** Always written 0 today: other values are kept and reported as `reserved` (warning). */
  readonly reserved?: true;
  readonly min?: number | bigint;
  readonly max?: number | bigint;
  /** The newest version that can be read: above it reading stops with `unsupported-version`. */
  readonly supported?: number;
  /** When building: computed when the value leaves the field out. */
  readonly derive?: Expr;
  /** Shown in hexadecimal. */
  readonly hex?: true;
}

/** Which bytes a checksum covers; the checksum field itself counts as zero. */
export interface ChecksumRule {
  readonly algorithm: "crc32c";
  /** First and one-past-last byte, relative to the enclosing region. Default: all of it. */
  readonly from?: Expr;
  readonly to?: Expr;
  /** Without it (default true) the field lies outside the range. */
  readonly zeroed?: boolean;
}

export interface IntNode extends ScalarRules {
  readonly kind: "int";
  readonly size: 1 | 2 | 4 | 8;
  readonly little: boolean;
  readonly checksum?: ChecksumRule;
}
export interface PackedNode extends ScalarRules {
  readonly kind: "packed";
  readonly signed: boolean;
  /** True: the value is a number bounded by `max`; false: a bigint. */
  readonly small: boolean;
  /** Stored is `<that field> − value`; the value is what it stands for. */
  readonly differenceFrom?: string;
}
export interface NibbleNode extends ScalarRules {
  readonly kind: "nibble";
}
export interface BytesNode extends Common {
  readonly kind: "bytes";
  /** Byte length; absent = up to the end of the region. */
  readonly length?: Expr;
  readonly reserved?: true;
  /** Never shown: annotations and JSON give length and fingerprint only. */
  readonly secret?: true;
  readonly constant?: Uint8Array;
}
export interface TextNode extends Common {
  readonly kind: "text";
  /** `nul`: up to and without a NUL byte, which is written back. */
  readonly length: Expr | "nul" | "rest";
}
export interface StructNode extends Common {
  readonly kind: "struct";
  readonly fields: ReadonlyArray<readonly [string, Node]>;
  readonly rules: readonly Rule[];
  readonly computed?: Readonly<Record<string, Computed>>;
}
/** What the stored fields stand for: in the documentation and in JSON, never in the bytes or the parsed value. */
export interface Computed {
  readonly doc: string;
  readonly of: (
    // biome-ignore lint/suspicious/noExplicitAny: the struct's value type is checked by `struct`.
    value: any,
    params: Readonly<Record<string, number>>,
  ) => number | bigint | string | boolean | undefined;
}
export interface ArrayNode extends Common {
  readonly kind: "array";
  readonly of: Node;
  /** Number of elements; absent = up to the end of the region. */
  readonly count?: Expr;
  /** Ends before an element once this holds, e.g. the next byte is zero. */
  readonly until?: Expr;
}
export interface OptionalNode extends Common {
  readonly kind: "optional";
  readonly of: Node;
  /** Present when this holds; absent = when bytes remain. */
  readonly when: Expr;
}
export interface UnionNode extends Common {
  readonly kind: "union";
  readonly tag: Expr;
  /** What `tag` is, in words. */
  readonly by?: string;
  readonly cases: ReadonlyArray<{ readonly tag: number; readonly name: string; readonly node: Node }>;
  /** For tags without a case. */
  readonly otherwise?: { readonly name: string; readonly node: Node };
}
export interface RegionNode extends Common {
  readonly kind: "region";
  readonly of: Node;
  /** Byte length of the region; the inner declaration must use all of it. */
  readonly length: Expr;
}
type Fields = Readonly<Record<string, unknown>>;
/** A hand-written leaf: everything the engine derives for other nodes is given here. */
export interface CustomNode extends Common {
  readonly kind: "custom";
  readonly name: string;
  /** `fields`: those of the enclosing struct that stand before this one. */
  readonly decode: (cursor: Cursor, fields: Fields) => unknown;
  readonly encode: (writer: Writer, value: unknown, fields: Fields) => void;
  readonly generate: (random: RandomSource) => unknown;
  readonly toJson: (value: unknown) => unknown;
  readonly fromJson: (json: unknown) => unknown;
  readonly show?: (value: unknown) => string;
}

export type Node =
  | IntNode
  | PackedNode
  | NibbleNode
  | BytesNode
  | TextNode
  | StructNode
  | ArrayNode
  | OptionalNode
  | UnionNode
  | RegionNode
  | CustomNode;

/** What a rule may look at besides the value of its struct. */
export interface RuleContext {
  readonly params: Readonly<Record<string, number>>;
  /** The values of the enclosing structs, innermost first. */
  readonly enclosing: ReadonlyArray<Readonly<Record<string, unknown>>>;
}
export interface Violation {
  /** Field the violation is about, relative to the struct. */
  readonly path?: string;
  readonly message?: string;
  readonly expected?: unknown;
  readonly actual?: unknown;
}
/** A constraint between fields. `check` gives undefined when it holds. */
export interface Rule {
  readonly code: string;
  readonly doc: string;
  readonly severity?: Severity;
  // biome-ignore lint/suspicious/noExplicitAny: the struct's value type is checked by `struct`.
  readonly check: (value: any, context: RuleContext) => Violation | undefined;
}

type ScalarOptions = ScalarRules;
const int =
  (size: 1 | 2 | 4 | 8, little: boolean) =>
  (options: ScalarOptions & { checksum?: ChecksumRule } = {}): IntNode => ({
    kind: "int",
    size,
    little,
    ...options,
  });

type Numeric = (options?: ScalarOptions & { checksum?: ChecksumRule }) => Type<number>;
type Big = (options?: ScalarOptions) => Type<bigint>;
export const u8 = int(1, true) as Numeric;
export const u16le = int(2, true) as Numeric;
export const u32le = int(4, true) as Numeric;
export const u64le = int(8, true) as Big;
export const u16be = int(2, false) as Numeric;
export const u32be = int(4, false) as Numeric;
export const u64be = int(8, false) as Big;

/** CRC32C field, computed when the value to be built leaves it out. */
export const crc32cField = (
  rule: Omit<ChecksumRule, "algorithm"> = {},
  options: ScalarOptions = {},
): Type<number> => u32le({ hex: true, ...options, checksum: { algorithm: "crc32c", ...rule } });

/** Packed unsigned integer as a bigint. */
export const packed = (options: ScalarOptions & { differenceFrom?: string } = {}): Type<bigint> => ({
  kind: "packed",
  signed: false,
  small: false,
  ...options,
});
/** Packed unsigned integer of at most `max` (default 2^32 − 1) as a number. */
export const packed32 = (options: ScalarOptions = {}): Type<number> => ({
  kind: "packed",
  signed: false,
  small: true,
  max: 0xffffffff,
  ...options,
});
/** Packed signed integer as a bigint. */
export const packedSigned = (options: ScalarOptions = {}): Type<bigint> => ({
  kind: "packed",
  signed: true,
  small: false,
  ...options,
});
/** One number of a nibble-packed stream; neighbours share it, and it ends at the next other field. */
export const nibble = (options: ScalarOptions = {}): Type<number> => ({ kind: "nibble", ...options });

export const bytes = (length?: Expr, options: Omit<BytesNode, "kind" | "length"> = {}): Type<Uint8Array> => ({
  kind: "bytes",
  ...(length === undefined ? {} : { length }),
  ...options,
});
export const text = (length: Expr | "nul" | "rest", options: Common = {}): Type<string> => ({
  kind: "text",
  length,
  ...options,
});

type Simplify<T> = { [K in keyof T]: T[K] } & {};
type Optionals<F> = { [K in keyof F]: undefined extends Infer<F[K]> ? K : never }[keyof F];
/** The value type of a struct: optional declarations become optional properties. */
export type StructValue<F> = Simplify<
  { [K in Exclude<keyof F, Optionals<F>>]: Infer<F[K]> } & {
    [K in Optionals<F> & keyof F]?: Exclude<Infer<F[K]>, undefined>;
  }
>;
export interface StructOptions<F> extends Common {
  readonly rules?: ReadonlyArray<
    Omit<Rule, "check"> & { check: (value: StructValue<F>, context: RuleContext) => Violation | undefined }
  >;
  readonly computed?: Readonly<
    Record<
      string,
      Omit<Computed, "of"> & {
        of: (value: StructValue<F>, params: RuleContext["params"]) => ReturnType<Computed["of"]>;
      }
    >
  >;
}

/** Fields in the order they are stored. */
export function struct<F extends Record<string, Node>>(
  fields: F,
  options: StructOptions<F> = {},
): Type<StructValue<F>> {
  const { rules, ...rest } = options;
  if (Object.hasOwn(fields, "__proto__")) throw new TypeError("a field cannot be called __proto__");
  return {
    kind: "struct",
    fields: Object.entries(fields),
    rules: (rules ?? []) as readonly Rule[],
    ...rest,
  } as Type<StructValue<F>>;
}

/** `count` elements, or up to the end of the region. */
export const array = <T>(of: Type<T>, options: { count?: Expr; until?: Expr } & Common = {}): Type<T[]> =>
  ({ kind: "array", of, ...options }) as Type<T[]>;

export const optional = <T>(of: Type<T>, when: Expr, options: Common = {}): Type<T | undefined> =>
  ({ kind: "optional", of, when, ...options }) as Type<T | undefined>;

export const region = <T>(of: Type<T>, length: Expr, options: Common = {}): Type<T> =>
  ({ kind: "region", of, length, ...options }) as Type<T>;

type Tagged<C> = {
  [K in keyof C & string]: Simplify<{ kind: K } & Infer<C[K] extends readonly [number, infer N] ? N : never>>;
}[keyof C & string];

/**
 * One of several structs, chosen by an expression; the value carries the case's name as `kind`.
 * A tag without a case is an error (`union-tag`) unless `otherwise` is given.
 */
export function union<
  C extends Record<string, readonly [number, Node]>,
  O extends Record<string, Node> = never,
>(
  tag: Expr,
  cases: C,
  otherwise?: O,
  options: Common & { readonly by?: string } = {},
): Type<
  | Tagged<C>
  | ([O] extends [never]
      ? never
      : { [K in keyof O & string]: Simplify<{ kind: K } & Infer<O[K]>> }[keyof O & string])
> {
  const fallback = otherwise === undefined ? undefined : Object.entries(otherwise)[0];
  for (const node of [...Object.values(cases).map((entry) => entry[1]), ...Object.values(otherwise ?? {})])
    if (withoutFields.has(node.kind))
      throw new TypeError(`the case of a union is a struct, not ${node.kind}`);
  return {
    kind: "union",
    tag,
    cases: Object.entries(cases).map(([name, [value, node]]) => ({ tag: value, name, node })),
    ...(fallback === undefined ? {} : { otherwise: { name: fallback[0], node: fallback[1] } }),
    ...options,
  } as never;
}

export const custom = <T>(node: {
  name: string;
  decode: (cursor: Cursor, fields: Fields) => T;
  encode: (writer: Writer, value: T, fields: Fields) => void;
  generate: (random: RandomSource) => T;
  toJson: (value: T) => unknown;
  fromJson: (json: unknown) => T;
  show?: (value: T) => string;
  doc?: string;
  sample?: Common["sample"];
}): Type<T> => ({ kind: "custom", ...node }) as unknown as Type<T>;

/** What has no room for the `kind` that a union puts beside a case's fields. */
const withoutFields: ReadonlySet<Node["kind"]> = new Set([
  "int",
  "packed",
  "nibble",
  "bytes",
  "text",
  "array",
]);

/** `[name, value, description]` of every symbol. */
export function symbolList(symbols: Symbols): SymbolList {
  const known = symbolLists.get(symbols);
  if (known !== undefined) return known;
  const list: SymbolList = Object.entries(symbols).map(([name, entry]) =>
    typeof entry === "number" ? [name, entry, undefined] : [name, entry[0], entry[1]],
  );
  symbolLists.set(symbols, list);
  return list;
}

type SymbolList = ReadonlyArray<readonly [name: string, value: number, doc: string | undefined]>;
/** Tables are declared once and asked at every value. */
const symbolLists = new WeakMap<Symbols, SymbolList>();

/** The plain numbers of a symbol table, for code that needs them: `{ rowLeaf: 7 }`. */
export function symbolValues<S extends Symbols>(symbols: S): { readonly [K in keyof S]: number } {
  return Object.fromEntries(symbolList(symbols).map(([name, value]) => [name, value])) as {
    [K in keyof S]: number;
  };
}
