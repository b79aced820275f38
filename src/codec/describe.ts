/** The documentation of a declaration, as data and as Markdown. */
import { describeExpr, type Expr } from "./expression.js";
import { bytesToHex } from "./json.js";
import { type Node, type Rule, type ScalarRules, symbolList } from "./schema.js";

export interface FieldDescription {
  readonly name: string;
  /** Byte offset from the start of the form, while that is fixed. */
  readonly offset?: number;
  /** Bytes, while that is fixed. */
  readonly size?: number;
  readonly type: string;
  readonly doc?: string;
  /** The only valid value; of 64-bit fields a bigint, of bytes their hex. */
  readonly constant?: number | bigint | string;
  /** Smallest and largest valid value; of 64-bit fields bigints. */
  readonly min?: number | bigint;
  readonly max?: number | bigint;
  /** The newest version that is read. */
  readonly supported?: number;
  /** True: written as 0, other values are kept and reported. */
  readonly reserved?: true;
  /** True: `values` are masks of bits, any of which may be set. */
  readonly bits?: true;
  readonly values?: ReadonlyArray<{ name: string; value: number; doc?: string }>;
  readonly fields?: readonly FieldDescription[];
}
/** What limits the values of a field. */
export type Limits = Pick<FieldDescription, "constant" | "min" | "max" | "supported" | "reserved">;
export interface GenerationDescription {
  readonly name: string;
  readonly when?: string;
  readonly doc?: string;
  readonly fields: readonly FieldDescription[];
  readonly rules: ReadonlyArray<{ code: string; doc: string }>;
}
export interface Description {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly doc?: string;
  /** Values from outside: name and meaning. */
  readonly params?: Readonly<Record<string, string>>;
  /** How the generations are told apart. */
  readonly detection?: string;
  readonly generations: readonly GenerationDescription[];
}

export function describeNode(node: Node): Pick<GenerationDescription, "fields" | "rules"> {
  const rules: Array<{ code: string; doc: string }> = [];
  const fields = describeFields(node, rules);
  return { fields, rules };
}

function describeFields(node: Node, rules: Array<{ code: string; doc: string }>): FieldDescription[] {
  if (node.kind !== "struct") return [describeField("value", node, 0, rules)];
  for (const { code, doc } of node.rules as readonly Rule[])
    if (!rules.some((rule) => rule.code === code && rule.doc === doc)) rules.push({ code, doc });
  let offset: number | undefined = 0;
  const stored = node.fields.map(([name, field]) => {
    const described = describeField(name, field, offset, rules);
    offset = offset === undefined || described.size === undefined ? undefined : offset + described.size;
    return described;
  });
  const computed = Object.entries(node.computed ?? {}).map(([name, { doc }]) => ({
    name,
    type: "computed",
    doc,
  }));
  return [...stored, ...computed];
}

function describeField(
  name: string,
  node: Node,
  offset: number | undefined,
  rules: Array<{ code: string; doc: string }>,
): FieldDescription {
  const size = fixedSize(node);
  const inner = seeOf(node) === undefined ? innerStruct(node) : undefined;
  return {
    name,
    ...(offset === undefined ? {} : { offset }),
    ...(size === undefined ? {} : { size }),
    type: typeName(node),
    ...docOf(node),
    ...limitsOf(node),
    ...valueTable(node),
    ...(inner === undefined ? {} : { fields: inner.flatMap((part) => describeFields(part, rules)) }),
  };
}

/** The format that documents what is inside. */
function seeOf(node: Node): string | undefined {
  if (node.see !== undefined) return node.see;
  return "of" in node ? seeOf(node.of) : undefined;
}

function docOf(node: Node): { doc?: string } {
  if (node.doc !== undefined) return { doc: node.doc };
  return node.kind === "optional" || node.kind === "region" ? docOf(node.of) : {};
}

function innerStruct(node: Node): Node[] | undefined {
  if (node.kind === "struct") return [node];
  if (node.kind === "array" || node.kind === "optional" || node.kind === "region")
    return innerStruct(node.of);
  if (node.kind !== "union") return undefined;
  const cases = node.otherwise === undefined ? node.cases : [...node.cases, node.otherwise];
  return cases.map((entry) => ({ kind: "struct", fields: [[entry.name, entry.node]], rules: [] }) as Node);
}

/** What a field's own rules are about: the scalar or the bytes behind conditions and lists. */
function leafOf(node: Node): Node {
  return node.kind === "optional" || node.kind === "region" || node.kind === "array" ? leafOf(node.of) : node;
}

function limitsOf(field: Node): Limits {
  const node = leafOf(field);
  if (node.kind === "bytes")
    return {
      ...(node.constant === undefined ? {} : { constant: bytesToHex(node.constant) }),
      ...(node.reserved === true ? { reserved: true } : {}),
    };
  if (node.kind !== "int" && node.kind !== "packed" && node.kind !== "nibble") return {};
  const { constant, min, max, supported, reserved } = node;
  const big = node.kind === "int" ? node.size === 8 : node.kind === "packed" && !node.small;
  const exact = (value: number | bigint) => (big ? BigInt(value) : Number(value));
  return {
    ...(constant === undefined ? {} : { constant: exact(constant) }),
    ...(min === undefined ? {} : { min: exact(min) }),
    ...(max === undefined ? {} : { max: exact(max) }),
    ...(supported === undefined ? {} : { supported }),
    ...(reserved === true ? { reserved: true } : {}),
  };
}

function valueTable(node: Node): Pick<FieldDescription, "bits" | "values"> {
  const { symbols, flags } = leafOf(node) as ScalarRules;
  const named = symbols ?? flags;
  if (named === undefined) return {};
  const values = symbolList(named).map(([name, value, doc]) => ({
    name,
    value,
    ...(doc === undefined ? {} : { doc }),
  }));
  return { ...(symbols === undefined && { bits: true }), values };
}

/** Bytes a node always takes, or undefined. */
export function fixedSize(node: Node): number | undefined {
  switch (node.kind) {
    case "int":
      return node.size;
    case "bytes":
    case "text":
      return typeof node.length === "number" ? node.length : undefined;
    case "struct": {
      const sizes = node.fields.map(([, field]) => fixedSize(field));
      return sizes.includes(undefined) ? undefined : (sizes as number[]).reduce((sum, size) => sum + size, 0);
    }
    case "array": {
      const size = fixedSize(node.of);
      return typeof node.count === "number" && size !== undefined ? node.count * size : undefined;
    }
    case "region":
      return typeof node.length === "number" ? node.length : undefined;
    default:
      return undefined;
  }
}

function typeName(node: Node): string {
  if (node.see !== undefined) return node.kind === "array" ? `list of \`${node.see}\`` : `\`${node.see}\``;
  switch (node.kind) {
    case "int": {
      const order = node.size === 1 ? "" : node.little ? " LE" : " BE";
      return `u${8 * node.size}${order}${node.checksum === undefined ? "" : ` CRC32C${rangeText(node.checksum.from, node.checksum.to)}`}`;
    }
    case "packed":
      return `packed ${node.signed ? "signed" : "unsigned"}${node.small ? ", 32 bits" : ""}${node.differenceFrom === undefined ? "" : ` (stored: ${node.differenceFrom} − value)`}`;
    case "nibble":
      return "nibble-packed";
    case "bytes":
      return `bytes${lengthText(node.length)}${node.reserved === true ? ", reserved" : ""}${node.secret === true ? ", secret" : ""}`;
    case "text":
      return node.length === "nul"
        ? "text, NUL-terminated"
        : `text${node.length === "rest" ? "" : lengthText(node.length)}`;
    case "struct":
      return "struct";
    case "array":
      return `list of ${typeName(node.of)}${node.count === undefined ? "" : `, count ${describeExpr(node.count)}`}`;
    case "optional":
      return `${typeName(node.of)}, if ${describeExpr(node.when)}`;
    case "region":
      return `${typeName(node.of)} in ${describeExpr(node.length)} bytes`;
    case "union":
      return `one of, by ${node.by ?? describeExpr(node.tag)}: ${node.cases.map((entry) => `${entry.tag} ${entry.name}`).join(", ")}`;
    case "custom":
      return node.name;
  }
}

const lengthText = (length: Expr | undefined): string =>
  length === undefined
    ? " to the end"
    : typeof length === "number"
      ? `[${length}]`
      : `[${describeExpr(length)}]`;

function rangeText(from: Expr | undefined, to: Expr | undefined): string {
  if (from === undefined && to === undefined) return "";
  return ` over ${from === undefined ? "0" : describeExpr(from)}..${to === undefined ? "end" : describeExpr(to)}`;
}

/** The manual page of a format. */
export function toMarkdown(description: Description): string {
  const { name, title, source, doc, params = {}, detection, generations } = description;
  const lines = [`# ${name}: ${title}`, "", `Source: ${source}`, ""];
  if (doc !== undefined) lines.push(doc, "");
  const outside = Object.entries(params).map(([param, meaning]) => `- \`${param}\`: ${meaning}`);
  if (outside.length > 0) lines.push("## Params", "", ...outside, "");
  if (detection !== undefined) lines.push("## Telling generations apart", "", detection, "");
  for (const generation of generations) lines.push(...generationMarkdown(generation));
  return `${lines.join("\n").trimEnd()}\n`;
}

function generationMarkdown({ name, when, doc, fields, rules }: GenerationDescription): string[] {
  const lines = [`## ${name}${when === undefined ? "" : ` (${when})`}`, ""];
  if (doc !== undefined) lines.push(doc, "");
  lines.push("| off | size | field | type | meaning |", "|---|---|---|---|---|");
  for (const field of fields) lines.push(...fieldRows(field, ""));
  lines.push("");
  if (rules.length > 0)
    lines.push("Rules:", "", ...rules.map((rule) => `- \`${rule.code}\`: ${rule.doc}`), "");
  return lines;
}

function fieldRows(field: FieldDescription, indent: string): string[] {
  const meaning = [field.doc, limitText(field), valueText(field)]
    .filter((part) => part !== undefined && part !== "")
    .join(". ");
  const row = `| ${field.offset ?? ""} | ${field.size ?? ""} | ${indent}${field.name} | ${field.type} | ${meaning} |`;
  return [row, ...(field.fields ?? []).flatMap((inner) => fieldRows(inner, `${indent}· `))];
}

/** How a packed number of 32 bits is declared: its type says as much. */
const MAX_32 = 0xffffffff;

function limitText({ type, constant, min, max, supported, reserved }: FieldDescription): string {
  const most = max === MAX_32 && type.startsWith("packed") ? undefined : max;
  return [
    constant === undefined ? "" : `Always ${typeof constant === "string" ? constant : numberText(constant)}`,
    reserved === true && !type.includes("reserved") ? "Reserved: 0" : "",
    rangeOf(min, most),
    supported === undefined ? "" : `The newest version read is ${supported}`,
  ]
    .filter((part) => part !== "")
    .join(". ");
}

function rangeOf(min: number | bigint | undefined, max: number | bigint | undefined): string {
  if (min !== undefined && max !== undefined) return min === max ? `Always ${min}` : `From ${min} to ${max}`;
  if (min !== undefined) return `At least ${min}`;
  return max === undefined ? "" : `At most ${max}`;
}

/** In both bases, as a magic number may be looked for by either. */
const numberText = (value: number | bigint): string =>
  value > 9 ? `${value} (0x${value.toString(16)})` : String(value);

function valueText({ bits, constant, values = [] }: FieldDescription): string {
  if (bits === true && values.length === 0) return "No bit has a meaning";
  const shown = bits === true ? values : values.filter(({ value }) => value === (constant ?? value));
  const named = shown.map(
    ({ name, value, doc }) =>
      `${value > 9 ? `0x${value.toString(16)}` : value} ${name}${doc === undefined ? "" : ` (${doc})`}`,
  );
  return `${bits === true ? "Bits: " : ""}${named.join(", ")}`;
}
