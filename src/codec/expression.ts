/**
 * Small expressions over fields already read: lengths, counts and conditions of a declaration. They are data, so
 * that the same declaration can be compiled, documented and exported.
 */
import { packedSize } from "./packed.js";

export type Expr =
  | number
  | { readonly op: "ref"; readonly name: string }
  | { readonly op: "param"; readonly name: string }
  | { readonly op: "remaining" | "position" | "peek" }
  | { readonly op: "lengthOf" | "countOf" | "packedSizeOf"; readonly name: string }
  | { readonly op: "selfSized"; readonly of: Expr }
  | { readonly op: Binary; readonly left: Expr; readonly right: Expr }
  | { readonly op: "not"; readonly of: Expr }
  | { readonly op: "if"; readonly test: Expr; readonly then: Expr; readonly otherwise: Expr };

type Binary =
  | "add"
  | "sub"
  | "mul"
  | "ceilDiv"
  | "shr"
  | "band"
  | "eq"
  | "ne"
  | "lt"
  | "ge"
  | "and"
  | "or"
  | "min";

/** A field read earlier in this struct, or in an enclosing one (`header.type` looks inside a struct); 0 when absent. */
export const ref = (name: string): Expr => ({ op: "ref", name });
/** A value given by the caller (`options.params`), 0 when not given. */
export const param = (name: string): Expr => ({ op: "param", name });
/** Bytes left in the enclosing region. */
export const remaining: Expr = { op: "remaining" };
/** Bytes from the start of the enclosing struct to here. */
export const position: Expr = { op: "position" };
/** The next byte, −1 at the end of the region. */
export const peek: Expr = { op: "peek" };
/** When building: the byte length of a sibling field. */
export const lengthOf = (name: string): Expr => ({ op: "lengthOf", name });
/** When building: the number of elements of a sibling array. */
export const countOf = (name: string): Expr => ({ op: "countOf", name });

/** The bytes a field read earlier takes as an unsigned packed integer. */
export const packedSizeOf = (name: string): Expr => ({ op: "packedSizeOf", name });
/** `of` plus the bytes of the result itself as an unsigned packed integer: a size that counts its own field. */
export const selfSized = (of: Expr): Expr => ({ op: "selfSized", of });

const binary =
  (op: Binary) =>
  (left: Expr, right: Expr): Expr => ({ op, left, right });

export const add = binary("add");
export const sub = binary("sub");
export const mul = binary("mul");
export const ceilDiv = binary("ceilDiv");
export const shr = binary("shr");
export const band = binary("band");
export const eq = binary("eq");
export const ne = binary("ne");
export const lt = binary("lt");
export const ge = binary("ge");
export const min = binary("min");
export const and = (first: Expr, ...rest: Expr[]): Expr =>
  rest.reduce<Expr>((left, right) => ({ op: "and", left, right }), first);
export const or = (first: Expr, ...rest: Expr[]): Expr =>
  rest.reduce<Expr>((left, right) => ({ op: "or", left, right }), first);
export const not = (of: Expr): Expr => ({ op: "not", of });
export const select = (test: Expr, then: Expr, otherwise: Expr): Expr => ({
  op: "if",
  test,
  then,
  otherwise,
});
/** True when any bit of `mask` is set. */
export const has = (value: Expr, mask: number): Expr => ne(band(value, mask), 0);

/** What an expression can see. */
export interface Scope {
  readonly values: Readonly<Record<string, unknown>>;
  readonly parent: Scope | undefined;
  readonly params: Readonly<Record<string, number>>;
  remaining(): number;
  position(): number;
  peek(): number;
  lengthOf(name: string): number;
  countOf(name: string): number;
}

/** Turns an expression into a function; conditions give 0 or 1. */
export function compileExpr(expr: Expr): (scope: Scope) => number {
  if (typeof expr === "number") return () => expr;
  switch (expr.op) {
    case "ref":
      return (scope) => lookup(scope, expr.name);
    case "param":
      return (scope) => scope.params[expr.name] ?? 0;
    case "remaining":
      return (scope) => scope.remaining();
    case "position":
      return (scope) => scope.position();
    case "peek":
      return (scope) => scope.peek();
    case "lengthOf":
      return (scope) => scope.lengthOf(expr.name);
    case "countOf":
      return (scope) => scope.countOf(expr.name);
    case "packedSizeOf":
      return (scope) => sizeOfPacked(find(scope, expr.name));
    case "selfSized": {
      const of = compileExpr(expr.of);
      return (scope) => addOwnSize(of(scope));
    }
    case "not": {
      const of = compileExpr(expr.of);
      return (scope) => (of(scope) === 0 ? 1 : 0);
    }
    case "if": {
      const test = compileExpr(expr.test);
      const then = compileExpr(expr.then);
      const otherwise = compileExpr(expr.otherwise);
      return (scope) => (test(scope) !== 0 ? then(scope) : otherwise(scope));
    }
    default:
      return compileBinary(expr.op, compileExpr(expr.left), compileExpr(expr.right));
  }
}

type Compiled = (scope: Scope) => number;

function compileBinary(op: Binary, left: Compiled, right: Compiled): Compiled {
  switch (op) {
    case "add":
      return (scope) => left(scope) + right(scope);
    case "sub":
      return (scope) => left(scope) - right(scope);
    case "mul":
      return (scope) => left(scope) * right(scope);
    case "ceilDiv":
      return (scope) => Math.ceil(left(scope) / right(scope));
    case "shr":
      return (scope) => left(scope) >>> right(scope);
    case "band":
      return (scope) => (left(scope) & right(scope)) >>> 0;
    case "eq":
      return (scope) => Number(left(scope) === right(scope));
    case "ne":
      return (scope) => Number(left(scope) !== right(scope));
    case "lt":
      return (scope) => Number(left(scope) < right(scope));
    case "ge":
      return (scope) => Number(left(scope) >= right(scope));
    case "min":
      return (scope) => Math.min(left(scope), right(scope));
    case "and":
      return (scope) => (left(scope) !== 0 ? right(scope) : 0);
    case "or":
      return (scope) => left(scope) || right(scope);
  }
}

function lookup(scope: Scope, name: string): number {
  return Number(find(scope, name));
}

function find(scope: Scope, name: string): number | bigint {
  const dot = name.indexOf(".");
  if (dot !== -1) return findInside(scope, name.slice(0, dot), name.slice(dot + 1));
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    const value = at.values[name];
    if (typeof value === "number" || typeof value === "bigint") return value;
    if (name in at.values) return 0;
  }
  return 0;
}

function findInside(scope: Scope, outer: string, inner: string): number | bigint {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    const value = (at.values[outer] as Readonly<Record<string, unknown>> | undefined)?.[inner];
    if (typeof value === "number" || typeof value === "bigint") return value;
    if (outer in at.values) return 0;
  }
  return 0;
}

/** Not a number for what cannot be packed: building says so when it comes to that field. */
const sizeOfPacked = (value: number | bigint): number =>
  typeof value === "bigint" || Number.isSafeInteger(value) ? packedSize(BigInt(value)) : Number.NaN;

function addOwnSize(size: number): number {
  let total = size + 1;
  while (total - size < sizeOfPacked(total)) total++;
  return total;
}

/** Whether `test` holds for the expression or any part of it. */
export function someExpr(expr: Expr, test: (part: Exclude<Expr, number>) => boolean): boolean {
  if (typeof expr === "number") return false;
  if (test(expr)) return true;
  if ("left" in expr) return someExpr(expr.left, test) || someExpr(expr.right, test);
  if ("of" in expr) return someExpr(expr.of, test);
  return "test" in expr && [expr.test, expr.then, expr.otherwise].some((part) => someExpr(part, test));
}

/** Whether the value is only known while reading: it looks at the input, not at fields. */
export const looksAtInput = (expr: Expr): boolean =>
  someExpr(expr, ({ op }) => op === "remaining" || op === "peek" || op === "position");

const symbols: Record<Binary, string> = {
  add: "+",
  sub: "−",
  mul: "×",
  ceilDiv: "÷↑",
  shr: ">>",
  band: "&",
  eq: "=",
  ne: "≠",
  lt: "<",
  ge: "≥",
  and: "and",
  or: "or",
  min: "min",
};

/** An expression as a reader of the documentation sees it. */
export function describeExpr(expr: Expr): string {
  if (typeof expr === "number") return expr > 9 ? `0x${expr.toString(16)}` : String(expr);
  switch (expr.op) {
    case "ref":
      return expr.name;
    case "param":
      return `<${expr.name}>`;
    case "remaining":
      return "bytes left";
    case "position":
      return "position";
    case "peek":
      return "next byte";
    case "lengthOf":
      return `length of ${expr.name}`;
    case "countOf":
      return `count of ${expr.name}`;
    case "packedSizeOf":
      return `packed size of ${expr.name}`;
    case "selfSized":
      return `${describeExpr(expr.of)} + its own packed size`;
    case "not":
      return `not (${describeExpr(expr.of)})`;
    case "if":
      return `${describeExpr(expr.test)} ? ${describeExpr(expr.then)} : ${describeExpr(expr.otherwise)}`;
    case "ne":
      if (expr.right === 0) return describeExpr(expr.left);
  }
  return `(${describeExpr(expr.left)} ${symbols[expr.op]} ${describeExpr(expr.right)})`;
}
