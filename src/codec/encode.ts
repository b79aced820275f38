/** Declarations compiled to closures that write. Left-out lengths, counts and checksums are computed. */
import { crc32c, crc32cWithZeroedField } from "./crc32c.js";
import { Writer } from "./cursor.js";
import { fixedSize } from "./describe.js";
import { FormatError } from "./error.js";
import { compileExpr, type Expr, looksAtInput, type Scope } from "./expression.js";
import { writePackedSigned, writePackedUnsigned } from "./packed.js";
import type {
  ArrayNode,
  BytesNode,
  ChecksumRule,
  IntNode,
  NibbleNode,
  Node,
  OptionalNode,
  PackedNode,
  RegionNode,
  StructNode,
  TextNode,
  UnionNode,
} from "./schema.js";
import { encodeText } from "./text.js";

export type Encode = (writer: Writer, value: unknown, scope: WriteScope) => void;

interface Patch {
  readonly at: number;
  readonly little: boolean;
  readonly rule: ChecksumRule;
  readonly scope: WriteScope;
}

/** The fields of the struct being written; also collects the checksums to be filled in. */
export class WriteScope implements Scope {
  readonly values: Record<string, unknown>;
  /** The values of the struct written last inside this one. */
  inner: unknown;
  constructor(
    readonly writer: Writer,
    values: unknown,
    readonly node: StructNode | undefined,
    readonly parent: WriteScope | undefined,
    readonly params: Readonly<Record<string, number>>,
    readonly start: number,
    /** Checksums to be filled in; undefined while only a length is asked for, before everything is derived. */
    readonly patches: Patch[] | undefined,
  ) {
    this.values = { ...(values as object) };
  }
  remaining(): number {
    throw new TypeError("remaining is for reading");
  }
  peek(): number {
    throw new TypeError("peek is for reading");
  }
  position(): number {
    return this.writer.length - this.start;
  }
  lengthOf(name: string): number {
    const field = this.node?.fields.find(([fieldName]) => fieldName === name)?.[1];
    const value = this.values[name];
    if (field === undefined) return this.parent?.lengthOf(name) ?? 0;
    const fixed = fixedSize(field);
    if (fixed !== undefined) return fixed;
    if (value === undefined && field.kind !== "optional") return 0;
    const content = value === undefined ? field : contentOf(field);
    if (value instanceof Uint8Array && content.kind === "bytes") return value.length;
    if (typeof value === "string" && content.kind === "text")
      return encodeText(value).length + (content.length === "nul" ? 1 : 0);
    const writer = new Writer();
    const scope = new WriteScope(writer, this.values, this.node, this.parent, this.params, 0, undefined);
    encodeStep(writer, scope, name, content, value, encoder(content));
    return writer.length;
  }
  countOf(name: string): number {
    const value = this.values[name];
    if (value === undefined) return this.parent?.countOf(name) ?? 0;
    return Array.isArray(value) ? value.length : 0;
  }
}

/** What a present field holds, without the length that is only about to be derived from it. */
function contentOf(node: Node): Node {
  return node.kind === "optional" || node.kind === "region" ? contentOf(node.of) : node;
}

const cache = new WeakMap<Node, Encode>();

/** The writer of a declaration, compiled once. */
export function encoder(node: Node): Encode {
  let encode = cache.get(node);
  if (encode === undefined) {
    encode = compile(node);
    cache.set(node, encode);
  }
  return encode;
}

function compile(node: Node): Encode {
  switch (node.kind) {
    case "int":
      return compileInt(node);
    case "packed":
      return compilePacked(node);
    case "nibble":
      return (writer, value) => writeNibbles(writer, wholeNumber(value, 0n, 0xffffffffn, node));
    case "bytes":
      return compileBytes(node);
    case "text":
      return compileText(node);
    case "struct":
      return compileStruct(node);
    case "array":
      return compileArray(node);
    case "optional":
      return compileOptional(node);
    case "union":
      return compileUnion(node);
    case "region":
      return compileRegion(node);
    case "custom":
      return (writer, value, scope) => node.encode(writer, value, scope.values);
  }
}

function valueError(code: string, message: string, expected?: unknown, actual?: unknown): FormatError {
  return new FormatError({ code, message, expected, actual });
}

function wholeNumber(
  value: unknown,
  low: bigint,
  high: bigint,
  node: IntNode | PackedNode | NibbleNode,
): bigint {
  if (typeof value !== "bigint" && !(typeof value === "number" && Number.isSafeInteger(value)))
    throw valueError("value-type", `${node.kind} needs an integer`, "integer", typeof value);
  const whole = BigInt(value);
  if (whole < low || whole > high)
    throw valueError("value-range", `${whole} does not fit`, `${low}..${high}`, whole);
  return whole;
}

function compileInt(node: IntNode): Encode {
  const { size, little, checksum } = node;
  const high = (1n << BigInt(8 * size)) - 1n;
  return (writer, value, scope) => {
    if (value === undefined && checksum !== undefined) {
      scope.patches?.push({ at: writer.length, little, rule: checksum, scope });
      writer.integer(4, little, 0);
    } else writer.integer(size, little, wholeNumber(value, 0n, high, node));
  };
}

function compilePacked(node: PackedNode): Encode {
  const high = node.signed
    ? (1n << 63n) - 1n
    : node.small
      ? BigInt(node.max ?? 0xffffffff)
      : (1n << 64n) - 1n;
  const low = node.signed ? -(1n << 63n) : 0n;
  return (writer, value, scope) => {
    let whole = wholeNumber(value, low, high, node);
    if (node.differenceFrom !== undefined) whole = difference(whole, scope, node.differenceFrom);
    const out: number[] = [];
    if (node.signed) writePackedSigned(out, whole);
    else writePackedUnsigned(out, whole);
    writer.bytes(out);
  };
}

function difference(value: bigint, scope: WriteScope, from: string): bigint {
  const minuend = scope.values[from];
  if (typeof minuend !== "bigint" && !Number.isSafeInteger(minuend))
    throw valueError("value-type", `${from} is needed to store this`, "integer", typeof minuend);
  const whole = BigInt(minuend as bigint);
  if (value <= whole) return whole - value;
  throw valueError("difference-range", `${value} is above ${from} ${whole}`, `at most ${whole}`, value);
}

function writeNibbles(writer: Writer, value: bigint): void {
  let rest = value;
  for (let first = true; ; first = false) {
    if (!first) rest -= 1n;
    const more = rest > 7n;
    writer.nibble(Number(rest & 7n) | (more ? 8 : 0));
    if (!more) return;
    rest >>= 3n;
  }
}

function compileBytes(node: BytesNode): Encode {
  const expected = node.length === undefined ? undefined : fixedLength(node.length);
  return (writer, value, scope) => {
    if (!(value instanceof Uint8Array))
      throw valueError("value-type", "bytes needed", "Uint8Array", typeof value);
    checkLength(expected, value.length, scope);
    writer.bytes(value);
  };
}

function fixedLength(length: Expr): ((scope: Scope) => number) | undefined {
  return looksAtInput(length) ? undefined : compileExpr(length);
}

function checkLength(
  expected: ((scope: Scope) => number) | undefined,
  actual: number,
  scope: WriteScope,
): void {
  const length = scope.patches === undefined ? undefined : expected?.(scope);
  if (length !== undefined && length !== actual)
    throw valueError("length-mismatch", `${actual} bytes where ${length} are declared`, length, actual);
}

function compileText(node: TextNode): Encode {
  const { length } = node;
  const expected = typeof length === "string" ? undefined : fixedLength(length);
  return (writer, value, scope) => {
    if (typeof value !== "string") throw valueError("value-type", "text needed", "string", typeof value);
    const stored = encodeText(value);
    if (length === "nul" && stored.includes(0))
      throw valueError("unterminated", "NUL inside NUL-terminated text");
    checkLength(expected, stored.length, scope);
    writer.bytes(stored);
    if (length === "nul") writer.integer(1, true, 0);
  };
}

function compileStruct(node: StructNode): Encode {
  const known = new Set(["kind", "generation", ...node.fields.map(([name]) => name)]);
  const steps = node.fields.map(([name, field]) => ({
    name,
    field,
    encode: encoder(field),
    derive: derivation(field) ?? zeros(field),
  }));
  return (writer, value, parent) => {
    if (!isObject(value)) throw valueError("value-type", "object needed", "object", typeof value);
    for (const name of Object.keys(value))
      if (!known.has(name)) throw valueError("unknown-field", `no field is called ${name}`).within(name);
    const scope = new WriteScope(writer, value, node, parent, parent.params, writer.length, parent.patches);
    for (const { name, field, encode, derive } of steps) {
      if (writer.halfByte && field.kind !== "nibble") writer.halfByte = false;
      if (scope.values[name] === undefined) {
        const derived = derive?.(scope);
        if (derived !== undefined)
          scope.values[name] = typeof derived === "number" ? bigIfNeeded(field, derived) : derived;
      }
      encodeStep(writer, scope, name, field, scope.values[name], encode);
      // With what was derived inside, for expressions of the fields behind.
      if (field.kind === "struct") scope.values[name] = scope.inner;
    }
    writer.halfByte = false;
    parent.inner = scope.values;
  };
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);

/** How a field that was left out is computed; undefined where it stays out. */
function derivation(field: Node): ((scope: Scope) => number | undefined) | undefined {
  const of = field.kind === "optional" ? field.of : field;
  if (!("derive" in of) || of.derive === undefined) return undefined;
  const derive = compileExpr(of.derive);
  if (field.kind !== "optional") return derive;
  // What is present for want of other evidence is present because it was given.
  if (looksAtInput(field.when)) return undefined;
  const when = compileExpr(field.when);
  return (scope) => (when(scope) === 0 ? undefined : derive(scope));
}

const MAX_RESERVED = 1 << 16;

/** Reserved fields that were left out are zero. */
function zeros(field: Node): ((scope: Scope) => number | Uint8Array | undefined) | undefined {
  if (field.kind === "int" && field.reserved === true) return () => 0;
  if (field.kind !== "bytes" || field.reserved !== true) return undefined;
  const length = fixedLength(field.length ?? 0);
  return (scope) => {
    const count = length?.(scope);
    return count !== undefined && count >= 0 && count <= MAX_RESERVED ? new Uint8Array(count) : undefined;
  };
}

function bigIfNeeded(field: Node, value: number): number | bigint {
  const of = field.kind === "optional" ? field.of : field;
  const big = (of.kind === "int" && of.size === 8) || (of.kind === "packed" && !of.small);
  return big && Number.isSafeInteger(value) ? BigInt(value) : value;
}

function encodeStep(
  writer: Writer,
  scope: WriteScope,
  name: string | number,
  node: Node,
  value: unknown,
  encode: Encode,
): void {
  try {
    if (value === undefined && node.kind !== "optional" && !isChecksum(node))
      throw valueError("missing-field", "a value is needed");
    encode(writer, value, scope);
  } catch (error) {
    throw error instanceof FormatError ? error.within(name) : error;
  }
}

const isChecksum = (node: Node): boolean => node.kind === "int" && node.checksum !== undefined;

function compileArray(node: ArrayNode): Encode {
  const element = encoder(node.of);
  const count = node.count === undefined || looksAtInput(node.count) ? undefined : compileExpr(node.count);
  return (writer, value, scope) => {
    if (!Array.isArray(value)) throw valueError("value-type", "array needed", "array", typeof value);
    const expected = scope.patches === undefined ? undefined : count?.(scope);
    if (expected !== undefined && expected !== value.length)
      throw valueError(
        "count-mismatch",
        `${value.length} elements where ${expected} are declared`,
        expected,
        value.length,
      );
    for (let i = 0; i < value.length; i++) encodeStep(writer, scope, i, node.of, value[i], element);
  };
}

function compileOptional(node: OptionalNode): Encode {
  const of = encoder(node.of);
  const when = looksAtInput(node.when) ? undefined : compileExpr(node.when);
  return (writer, value, scope) => {
    const present = when === undefined ? value !== undefined : when(scope) !== 0;
    if (present && value === undefined && !isChecksum(node.of))
      throw valueError("missing-field", "the other fields demand this one");
    if (!present && value !== undefined)
      throw valueError("unexpected-field", "the other fields forbid this one");
    if (present) of(writer, value, scope);
  };
}

function compileUnion(node: UnionNode): Encode {
  const tag = looksAtInput(node.tag) ? undefined : compileExpr(node.tag);
  const cases = new Map(
    node.cases.map((entry) => [entry.name, { tag: entry.tag, encode: encoder(entry.node) }]),
  );
  const { otherwise } = node;
  const fallback = otherwise === undefined ? undefined : encoder(otherwise.node);
  return (writer, value, scope) => {
    const given = (value as { kind?: unknown } | null)?.kind;
    const kind = typeof given === "string" ? given : typeof given;
    const chosen = typeof given === "string" ? cases.get(kind) : undefined;
    const actual = tag?.(scope);
    if (chosen === undefined && (fallback === undefined || given !== otherwise?.name))
      throw valueError("union-kind", `no case is called ${kind}`, [...cases.keys()].join(", "), kind);
    const declared =
      chosen === undefined ? node.cases.every((entry) => entry.tag !== actual) : chosen.tag === actual;
    if (actual !== undefined && !declared)
      throw valueError("union-tag", `case ${kind} does not go with tag ${actual}`, chosen?.tag, actual);
    (chosen?.encode ?? (fallback as Encode))(writer, value, scope);
  };
}

function compileRegion(node: RegionNode): Encode {
  const of = encoder(node.of);
  const expected = fixedLength(node.length);
  return (writer, value, scope) => {
    const start = writer.length;
    const inner = new WriteScope(
      writer,
      scope.values,
      scope.node,
      scope.parent,
      scope.params,
      scope.start,
      scope.patches && [],
    );
    of(writer, value, inner);
    writer.halfByte = false;
    fillChecksums(writer, inner.patches ?? [], start);
    checkLength(expected, writer.length - start, scope);
  };
}

/** Writes the checksums left out of the value, now that the region from `start` on is complete. */
export function fillChecksums(writer: Writer, patches: readonly Patch[], start: number): void {
  for (const { at, little, rule, scope } of patches) {
    const region = writer.written(start);
    writer.patchU32(at, little, regionChecksum(region, at - start, rule, scope));
  }
}

/** The checksum a region should have at `fieldOffset` under `rule`. */
export function regionChecksum(
  region: Uint8Array,
  fieldOffset: number,
  rule: ChecksumRule,
  scope: Scope,
): number {
  const from = rule.from === undefined ? 0 : Math.max(compileExpr(rule.from)(scope), 0);
  const end = rule.to === undefined ? region.length : Math.max(compileExpr(rule.to)(scope), 0);
  const to = Math.min(end, region.length);
  if (rule.zeroed === false) return crc32c(region.subarray(from, to));
  return crc32cWithZeroedField(region, from, to, fieldOffset);
}
