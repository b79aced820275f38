/** Values made from a declaration: the seed of property tests and fuzzing. */
import { compileExpr, type Expr, looksAtInput, type Scope, someExpr } from "./expression.js";
import { type RandomSource, randomU64 } from "./random.js";
import {
  type ArrayNode,
  type BytesNode,
  type IntNode,
  type NibbleNode,
  type Node,
  type OptionalNode,
  type PackedNode,
  type StructNode,
  type Symbols,
  symbolList,
  type TextNode,
  type UnionNode,
} from "./schema.js";

type Params = Readonly<Record<string, number>>;
const MAX_BYTES = 80;
const MAX_ELEMENTS = 6;

class GenerateScope implements Scope {
  readonly values: Record<string, unknown> = {};
  /** Fields left out because building derives them. */
  readonly derived = new Set<string>();
  constructor(
    readonly parent: GenerateScope | undefined,
    readonly params: Params,
  ) {}
  remaining(): number {
    return 0;
  }
  position(): number {
    return 0;
  }
  peek(): number {
    return -1;
  }
  lengthOf(): number {
    return 0;
  }
  countOf(): number {
    return 0;
  }
  leavesOut(name: string): boolean {
    return this.derived.has(name) || (!(name in this.values) && (this.parent?.leavesOut(name) ?? false));
  }
}

/** A value of the declaration; lengths, counts and checksums are left for building to derive. */
export function generate(node: Node, random: RandomSource, params: Params = {}): unknown {
  return make(node, random, new GenerateScope(undefined, params));
}

function make(node: Node, random: RandomSource, scope: GenerateScope): unknown {
  if (node.sample !== undefined) return node.sample(random, scope.values);
  switch (node.kind) {
    case "int":
    case "packed":
    case "nibble":
      return makeScalar(node, random, scope);
    case "bytes":
      return makeBytes(node, random, scope);
    case "text":
      return makeText(node, random, scope);
    case "struct":
      return makeStruct(node, random, scope);
    case "array":
      return makeArray(node, random, scope);
    case "optional":
      return present(node, random, scope) ? make(node.of, random, scope) : undefined;
    case "region":
      return make(node.of, random, scope);
    case "union":
      return makeUnion(node, random, scope);
    case "custom":
      return node.generate(random);
  }
}

function makeStruct(node: StructNode, random: RandomSource, parent: GenerateScope): Record<string, unknown> {
  const scope = new GenerateScope(parent, parent.params);
  for (const [name, field] of node.fields) {
    const of = field.kind === "optional" ? field.of : field;
    if (
      field.sample === undefined &&
      (("derive" in of && of.derive !== undefined) || (of.kind === "int" && of.checksum !== undefined))
    ) {
      scope.derived.add(name);
      continue;
    }
    const value = make(field, random, scope);
    if (value !== undefined) scope.values[name] = value;
  }
  return scope.values;
}

function makeScalar(
  node: IntNode | PackedNode | NibbleNode,
  random: RandomSource,
  scope: GenerateScope,
): number | bigint {
  const big = (node.kind === "int" && node.size === 8) || (node.kind === "packed" && !node.small);
  const value = rawScalar(node, random, scope);
  return big ? value : Number(value);
}

function rawScalar(
  node: IntNode | PackedNode | NibbleNode,
  random: RandomSource,
  scope: GenerateScope,
): bigint {
  if (node.constant !== undefined) return BigInt(node.constant);
  if (node.reserved === true) return 0n;
  if (node.symbols !== undefined) return BigInt(pick(node.symbols, random));
  if (node.flags !== undefined)
    return symbolList(node.flags).reduce((all, [, mask]) => (random.below(2) ? all | BigInt(mask) : all), 0n);
  const [low, high] = bounds(node, scope);
  const value = low + (randomU64(random) % (high - low + 1n));
  return value > high ? high : value;
}

const pick = (symbols: Symbols, random: RandomSource): number => {
  const list = symbolList(symbols);
  return (list[random.below(list.length)] as readonly [string, number, unknown])[1];
};

function bounds(node: IntNode | PackedNode | NibbleNode, scope: GenerateScope): [bigint, bigint] {
  const widths = { int: node.kind === "int" ? 8 * node.size : 0, packed: 64, nibble: 12 };
  let high = (1n << BigInt(widths[node.kind])) - 1n;
  let low = 0n;
  if (node.kind === "packed" && node.signed) [low, high] = [-(1n << 63n), (1n << 63n) - 1n];
  if (node.kind === "packed" && node.differenceFrom !== undefined)
    high = scope.values[node.differenceFrom] as bigint;
  if (node.min !== undefined) low = BigInt(node.min);
  for (const most of [node.max, node.supported])
    if (most !== undefined && BigInt(most) < high) high = BigInt(most);
  return [low, high < low ? low : high];
}

/** A length the other fields fix, or undefined when building will derive it. */
function fixed(expr: Expr | undefined, scope: GenerateScope): number | undefined {
  if (expr === undefined || looksAtInput(expr)) return undefined;
  if (someExpr(expr, (part) => part.op === "ref" && scope.leavesOut(part.name))) return undefined;
  return compileExpr(expr)(scope);
}

function makeBytes(node: BytesNode, random: RandomSource, scope: GenerateScope): Uint8Array {
  if (node.constant !== undefined) return node.constant.slice();
  const length = fixed(node.length, scope) ?? random.below(MAX_BYTES);
  return node.reserved === true ? new Uint8Array(length) : random.bytes(length);
}

function makeText(node: TextNode, random: RandomSource, scope: GenerateScope): string {
  const length =
    (typeof node.length === "string" ? undefined : fixed(node.length, scope)) ?? random.below(24);
  return Array.from({ length }, () => String.fromCharCode(0x20 + random.below(0x5f))).join("");
}

function makeArray(node: ArrayNode, random: RandomSource, scope: GenerateScope): unknown[] {
  const length = fixed(node.count, scope) ?? random.below(MAX_ELEMENTS);
  return Array.from({ length }, () => make(node.of, random, scope));
}

function present(node: OptionalNode, random: RandomSource, scope: GenerateScope): boolean {
  return looksAtInput(node.when) ? random.below(2) === 1 : compileExpr(node.when)(scope) !== 0;
}

function makeUnion(node: UnionNode, random: RandomSource, scope: GenerateScope): unknown {
  const tag = fixed(node.tag, scope) ?? node.cases[random.below(node.cases.length)]?.tag;
  const chosen = node.cases.find((entry) => entry.tag === tag) ?? node.otherwise ?? node.cases[0];
  if (chosen === undefined) throw new TypeError("a union without cases");
  return { kind: chosen.name, ...(make(chosen.node, random, scope) as object) };
}
