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
  type ScalarRules,
  type StructNode,
  symbolList,
  type UnionNode,
} from "./schema.js";

type Values = Readonly<Record<string, unknown>>;
interface Walk {
  readonly params: Readonly<Record<string, number>>;
  readonly issues: Issue[];
}

/** Everything a value violates; offsets are left to the caller, who may know them. */
export function checkValue(
  node: Node,
  value: unknown,
  params: Readonly<Record<string, number>> = {},
): Issue[] {
  const walk: Walk = { params, issues: [] };
  visit(node, value, "", [], walk);
  return walk.issues;
}

function visit(node: Node, value: unknown, path: string, enclosing: Values[], walk: Walk): void {
  if (value === undefined) return;
  switch (node.kind) {
    case "int":
    case "packed":
    case "nibble":
      checkScalar(node, value as number | bigint, path, walk);
      return;
    case "bytes":
      checkBytes(node, value as Uint8Array, path, walk);
      return;
    case "struct":
      checkStruct(node, value as Values, path, enclosing, walk);
      return;
    case "array":
      (value as unknown[]).forEach((item, index) => {
        visit(node.of, item, `${path}[${index}]`, enclosing, walk);
      });
      return;
    case "optional":
    case "region":
      visit(node.of, value, path, enclosing, walk);
      return;
    case "union":
      checkUnion(node, value as Values, path, enclosing, walk);
  }
}

function report(walk: Walk, issue: Issue): void {
  walk.issues.push(defined(issue) as Issue);
}

function checkScalar(node: ScalarRules, value: number | bigint, path: string, walk: Walk): void {
  const { constant, min, max } = node;
  if (constant !== undefined && BigInt(value) !== BigInt(constant))
    report(walk, {
      code: "constant",
      severity: "error",
      path,
      message: "not the only valid value",
      expected: constant,
      actual: value,
    });
  if (node.reserved === true && BigInt(value) !== 0n)
    report(walk, {
      code: "reserved",
      severity: "warning",
      path,
      message: "reserved bytes are not zero",
      expected: 0,
      actual: value,
    });
  if (min !== undefined && value < min)
    report(walk, {
      code: "value-range",
      severity: "error",
      path,
      message: `below ${min}`,
      expected: `at least ${min}`,
      actual: value,
    });
  if (max !== undefined && value > max)
    report(walk, {
      code: "value-range",
      severity: "error",
      path,
      message: `above ${max}`,
      expected: `at most ${max}`,
      actual: value,
    });
  checkSymbols(node, value, path, walk);
}

function checkSymbols(node: ScalarRules, value: number | bigint, path: string, walk: Walk): void {
  if (node.symbols !== undefined && !symbolList(node.symbols).some(([, known]) => known === Number(value)))
    report(walk, {
      code: "unknown-value",
      severity: node.unknown ?? "warning",
      path,
      message: `${value} has no meaning here`,
      expected: symbolList(node.symbols)
        .map(([name, known]) => `${known} ${name}`)
        .join(", "),
      actual: value,
    });
  if (node.flags === undefined) return;
  const unknown = symbolList(node.flags).reduce((rest, [, mask]) => rest & ~BigInt(mask), BigInt(value));
  if (unknown !== 0n)
    report(walk, {
      code: "unknown-bits",
      severity: node.unknown ?? "info",
      path,
      message: `bits without a meaning: 0x${unknown.toString(16)}`,
      actual: value,
    });
}

function checkBytes(node: BytesNode, value: Uint8Array, path: string, walk: Walk): void {
  if (node.reserved === true && value.some((byte) => byte !== 0))
    report(walk, { code: "reserved", severity: "warning", path, message: "reserved bytes are not zero" });
  const { constant } = node;
  if (
    constant !== undefined &&
    (value.length !== constant.length || value.some((byte, i) => byte !== constant[i]))
  )
    report(walk, { code: "constant", severity: "error", path, message: "not the only valid bytes" });
}

function checkStruct(node: StructNode, value: Values, path: string, enclosing: Values[], walk: Walk): void {
  const inner = [value, ...enclosing];
  for (const [name, field] of node.fields) visit(field, value[name], joinPath(path, name), inner, walk);
  for (const rule of node.rules) {
    const violation = rule.check(value, { params: walk.params, enclosing });
    if (violation === undefined) continue;
    const { path: where = "", message = rule.doc, expected, actual } = violation;
    report(walk, {
      code: rule.code,
      severity: rule.severity ?? "error",
      path: joinPath(path, where),
      message,
      expected,
      actual,
    });
  }
}

function checkUnion(node: UnionNode, value: Values, path: string, enclosing: Values[], walk: Walk): void {
  const chosen = node.cases.find((entry) => entry.name === value.kind)?.node ?? node.otherwise?.node;
  if (chosen !== undefined) visit(chosen, value, path, enclosing, walk);
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
