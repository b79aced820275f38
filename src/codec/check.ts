/** Rules of a declaration checked on a value: symbols, flags, bounds, constants and the named rules of structs. */
import type { ChecksumSite } from "./cursor.js";
import { regionChecksum } from "./encode.js";
import { joinPath } from "./error.js";
import type { Scope } from "./expression.js";
import { defined, type Issue } from "./issue.js";
import {
  type BytesNode,
  type IntNode,
  type Node,
  type Rule,
  type ScalarRules,
  type StructNode,
  symbolList,
  type UnionNode,
} from "./schema.js";

type Values = Readonly<Record<string, unknown>>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Walk {
  readonly params: Readonly<Record<string, number>>;
  /** Paths begin at what is being checked; each step outwards puts its name in front, so that none is built for what is fine. */
  readonly issues: Array<Mutable<Issue>>;
}
type Check = (value: unknown, enclosing: readonly Values[], walk: Walk) => void;

/** Everything a value violates; offsets are left to the caller, who may know them. */
export function checkValue(
  node: Node,
  value: unknown,
  params: Readonly<Record<string, number>> = {},
): Issue[] {
  const walk: Walk = { params, issues: [] };
  if (value !== undefined) checkOf(node)?.(value, NOTHING, walk);
  return walk.issues;
}

const NOTHING: readonly Values[] = [];
const cache = new WeakMap<Node, { readonly check: Check | undefined }>();

/** The rules of a declaration, compiled once; undefined where every value keeps them. */
function checkOf(node: Node): Check | undefined {
  let known = cache.get(node);
  if (known === undefined) {
    known = { check: compile(node) };
    cache.set(node, known);
  }
  return known.check;
}

function compile(node: Node): Check | undefined {
  switch (node.kind) {
    case "int":
    case "packed":
    case "nibble":
      return scalarCheck(node);
    case "bytes":
      return bytesCheck(node);
    case "struct":
      return structCheck(node);
    case "array": {
      const of = checkOf(node.of);
      return of && arrayCheck(of);
    }
    case "optional":
    case "region":
      return checkOf(node.of);
    case "union":
      return unionCheck(node);
    default:
      return undefined;
  }
}

function report(
  { issues }: Walk,
  { code, severity, message, expected, actual }: Omit<Issue, "path">,
  path = "",
): void {
  issues.push(defined({ code, severity, path, message, expected, actual }) as Issue);
}

/** Checks what is inside a value, and puts the step to it in front of the paths of what was found. */
function checkStep(
  check: Check,
  step: string | number,
  value: unknown,
  enclosing: readonly Values[],
  walk: Walk,
): void {
  const { issues } = walk;
  const before = issues.length;
  check(value, enclosing, walk);
  for (let i = before; i < issues.length; i++) {
    const issue = issues[i] as Mutable<Issue>;
    issue.path = joinPath(step, issue.path);
  }
}

const arrayCheck =
  (of: Check): Check =>
  (value, enclosing, walk) => {
    const elements = value as unknown[];
    for (let i = 0; i < elements.length; i++) checkStep(of, i, elements[i], enclosing, walk);
  };

function scalarCheck(node: ScalarRules): Check | undefined {
  const checks = [constantCheck(node), reservedCheck(node), boundsCheck(node), symbolsCheck(node)]
    .concat(flagsCheck(node))
    .filter((check) => check !== undefined);
  if (checks.length === 0) return undefined;
  return (value, enclosing, walk) => {
    for (const check of checks) check(value, enclosing, walk);
  };
}

/** Also of a number and a bigint. */
const differ = (a: number | bigint, b: number | bigint): boolean => a < b || a > b;

function constantCheck({ constant }: ScalarRules): Check | undefined {
  if (constant === undefined) return undefined;
  return (value, _, walk) => {
    if (differ(value as number | bigint, constant))
      report(walk, {
        code: "constant",
        severity: "error",
        message: "not the only valid value",
        expected: constant,
        actual: value,
      });
  };
}

function reservedCheck({ reserved }: ScalarRules): Check | undefined {
  if (reserved !== true) return undefined;
  return (value, _, walk) => {
    if (differ(value as number | bigint, 0))
      report(walk, {
        code: "reserved",
        severity: "warning",
        message: "reserved bytes are not zero",
        expected: 0,
        actual: value,
      });
  };
}

function boundsCheck({ min, max }: ScalarRules): Check | undefined {
  if (min === undefined && max === undefined) return undefined;
  const outside = (message: string, expected: string, actual: unknown) =>
    ({ code: "value-range", severity: "error", message, expected, actual }) as const;
  return (value, _, walk) => {
    const number = value as number | bigint;
    if (min !== undefined && number < min) report(walk, outside(`below ${min}`, `at least ${min}`, value));
    if (max !== undefined && number > max) report(walk, outside(`above ${max}`, `at most ${max}`, value));
  };
}

function symbolsCheck({ symbols, unknown = "warning" }: ScalarRules): Check | undefined {
  if (symbols === undefined) return undefined;
  const known = new Set(symbolList(symbols).map(([, value]) => value));
  const expected = symbolList(symbols)
    .map(([name, value]) => `${value} ${name}`)
    .join(", ");
  return (value, _, walk) => {
    if (!known.has(Number(value)))
      report(walk, {
        code: "unknown-value",
        severity: unknown,
        message: `${value} has no meaning here`,
        expected,
        actual: value,
      });
  };
}

function flagsCheck({ flags, unknown = "info" }: ScalarRules): Check | undefined {
  if (flags === undefined) return undefined;
  const all = symbolList(flags).reduce((masks, [, mask]) => masks | BigInt(mask), 0n);
  return (value, _, walk) => {
    const rest = BigInt(value as number | bigint) & ~all;
    if (rest !== 0n)
      report(walk, {
        code: "unknown-bits",
        severity: unknown,
        message: `bits without a meaning: 0x${rest.toString(16)}`,
        actual: value,
      });
  };
}

function bytesCheck({ reserved, constant }: BytesNode): Check | undefined {
  if (reserved !== true && constant === undefined) return undefined;
  return (value, _, walk) => {
    const bytes = value as Uint8Array;
    if (reserved === true && bytes.some((byte) => byte !== 0))
      report(walk, { code: "reserved", severity: "warning", message: "reserved bytes are not zero" });
    if (
      constant !== undefined &&
      (bytes.length !== constant.length || bytes.some((byte, i) => byte !== constant[i]))
    )
      report(walk, { code: "constant", severity: "error", message: "not the only valid bytes" });
  };
}

function structCheck({ fields, rules }: StructNode): Check | undefined {
  const checks = fields.flatMap(([name, field]) => {
    const check = checkOf(field);
    return check === undefined ? [] : [{ name, check }];
  });
  if (checks.length === 0 && rules.length === 0) return undefined;
  return (value, enclosing, walk) => {
    const values = value as Values;
    const inner = [values, ...enclosing];
    for (const { name, check } of checks) {
      const field = values[name];
      if (field !== undefined) checkStep(check, name, field, inner, walk);
    }
    for (const rule of rules) checkRule(rule, values, enclosing, walk);
  };
}

function checkRule(rule: Rule, value: Values, enclosing: readonly Values[], walk: Walk): void {
  const violation = rule.check(value, { params: walk.params, enclosing });
  if (violation === undefined) return;
  const { code, severity = "error" } = rule;
  const { path, message = rule.doc, expected, actual } = violation;
  report(walk, { code, severity, message, expected, actual }, path);
}

function unionCheck({ cases, otherwise }: UnionNode): Check | undefined {
  const checks = new Map(cases.map(({ name, node }) => [name, checkOf(node)]));
  const fallback = otherwise && checkOf(otherwise.node);
  return (value, enclosing, walk) => {
    const { kind } = value as { kind: string };
    const check = checks.has(kind) ? checks.get(kind) : fallback;
    check?.(value, enclosing, walk);
  };
}

/** The issue of a checksum that does not fit its range. */
export function checkChecksum(site: ChecksumSite): Issue | undefined {
  const rule = (site.node as IntNode).checksum;
  if (rule === undefined) return undefined;
  const expected = regionChecksum(site.region, site.fieldOffset, rule, site.scope as Scope);
  if (expected === site.stored) return undefined;
  return {
    code: "checksum",
    severity: "error",
    path: "",
    offset: site.regionOffset + site.fieldOffset,
    message: `checksum is ${hex32(site.stored)}, the bytes give ${hex32(expected)}`,
    expected,
    actual: site.stored,
  };
}

const hex32 = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;
