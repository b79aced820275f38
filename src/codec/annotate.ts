/** What each byte and bit of an input is: the tree behind `inspect`, with gaps visible. */
import type { Tracer } from "./cursor.js";
import { joinPath } from "./error.js";
import type { Issue } from "./issue.js";
import {
  type IntNode,
  type NibbleNode,
  type Node,
  type PackedNode,
  type Symbols,
  symbolList,
} from "./schema.js";

/** A named range of bytes. Offsets are absolute (the caller's `base` included). */
export interface Span {
  readonly name: string;
  readonly path: string;
  /** First byte; a nibble that begins in the middle of a byte gives x.5. */
  readonly start: number;
  end: number;
  /** For flags: the bits of the integer, counted from the least significant one. */
  readonly bits?: { readonly from: number; readonly to: number };
  readonly kind: Node["kind"] | "bits" | "gap";
  /** The stored value: absent for containers. */
  value?: unknown;
  /** The name of the value, or of the flags set. */
  symbol?: string;
  /** What the value or the field means. */
  description?: string;
  /** True when the value is computed, not stored as such (a difference, for example). */
  derived?: true;
  /** Key material: neither value nor bytes may be shown. */
  secret?: true;
  /** Best shown in hexadecimal. */
  hex?: true;
  /** For a checksum field: whether it fits its bytes; unchecked when the input could not be read to its end. */
  checksum?: "valid" | "invalid" | "unchecked";
  readonly children: Span[];
  readonly issues: Issue[];
}

/** What the spans of binary formats were declared as; kept beside them, so that spans stay plain data. */
const declarations = new WeakMap<Span, Node>();

/** The declaration a span was read by, optional and region unwrapped; undefined for gaps, bits and text. */
export const declarationOf = (span: Span): Node | undefined => declarations.get(span);

export class SpanTracer implements Tracer {
  readonly root: Span;
  private readonly stack: Span[];
  private readonly nodes: Node[] = [];

  /** @param explained Without it there are only names, paths and offsets: enough for issues to find their places. */
  constructor(
    private readonly base: number,
    name: string,
    length: number,
    private readonly explained = true,
  ) {
    this.root = { name, path: "", start: base, end: base + length, kind: "struct", children: [], issues: [] };
    this.stack = [this.root];
  }

  open(name: string | number, node: unknown, start: number): void {
    const parent = this.stack[this.stack.length - 1] as Span;
    const step = typeof name === "number" ? `[${name}]` : name;
    const declared = innermost(node as Node);
    const path = joinPath(parent.path, step);
    const span: Span = {
      name: step === "" ? "value" : step,
      path,
      start: this.base + start,
      end: this.base + start,
      kind: declared.kind,
      children: [],
      issues: [],
    };
    if (this.explained) declarations.set(span, declared);
    parent.children.push(span);
    this.stack.push(span);
    this.nodes.push(node as Node);
  }

  close(end: number, value: unknown): void {
    const span = this.stack.pop() as Span;
    const node = this.nodes.pop() as Node;
    span.end = this.base + end;
    if (value === undefined && node.kind === "optional")
      (this.stack[this.stack.length - 1] as Span).children.pop();
    else if (this.explained) explain(span, node, value);
  }

  fail(end: number): void {
    while (this.stack.length > 1) {
      const span = this.stack.pop() as Span;
      span.end = this.base + end;
    }
    this.nodes.length = 0;
  }

  /** Makes every byte nobody claimed a visible gap. */
  finish(): Span {
    if (this.explained) fillGaps(this.root);
    return this.root;
  }
}

/** Puts issues on the spans their paths name and gives them those spans' offsets. */
export function attachIssues(root: Span, issues: readonly Issue[]): Issue[] {
  const spans = new Map<string, Span>();
  const collect = (span: Span): void => {
    if (span.kind === "gap") return; // it bears the path of the span it lies in
    spans.set(span.path, span);
    span.children.forEach(collect);
  };
  collect(root);
  return issues.map((issue) => {
    const span = nearest(spans, issue.path) ?? root;
    const placed = issue.offset === undefined ? { ...issue, offset: Math.floor(span.start) } : issue;
    span.issues.push(placed);
    return placed;
  });
}

/** Once every checksum of the input was compared and `issues` are attached: says so on their fields. */
export function settleChecksums(span: Span): void {
  if (span.checksum !== undefined)
    span.checksum = span.issues.some(({ code }) => code === "checksum") ? "invalid" : "valid";
  span.children.forEach(settleChecksums);
}

function nearest(spans: ReadonlyMap<string, Span>, path: string): Span | undefined {
  for (let at = path; ; at = at.slice(0, Math.max(at.lastIndexOf("."), at.lastIndexOf("["), 0))) {
    const span = spans.get(at);
    if (span !== undefined || at === "") return span;
  }
}

/** The path of the innermost field that holds the byte at `offset`. */
export function pathAt(root: Span, offset: number): string {
  const child = root.children.find(
    (span) => span.start <= offset && offset < span.end && span.kind !== "gap",
  );
  return child === undefined || child.kind === "bits" ? root.path : pathAt(child, offset);
}

/** What an optional or bounded declaration is about. */
const innermost = (node: Node): Node =>
  node.kind === "optional" || node.kind === "region" ? innermost(node.of) : node;

function explain(span: Span, node: Node, value: unknown): void {
  if (node.kind === "optional" || node.kind === "region") {
    explain(span, node.of, value);
    if (node.doc !== undefined) span.description ??= node.doc;
    return;
  }
  if (node.doc !== undefined) span.description = node.doc;
  switch (node.kind) {
    case "int":
    case "packed":
    case "nibble":
      explainScalar(span, node, value as number | bigint);
      return;
    case "bytes":
      if (node.secret === true) span.secret = true;
      else span.value = value;
      return;
    case "text":
      span.value = value;
      return;
    case "custom":
      span.value = value;
      if (node.show !== undefined) span.symbol = node.show(value);
      return;
    case "union":
      span.symbol = (value as { kind: string }).kind;
  }
}

function explainScalar(span: Span, node: IntNode | PackedNode | NibbleNode, value: number | bigint): void {
  span.value = value;
  if (node.hex === true) span.hex = true;
  if (node.kind === "int" && node.checksum !== undefined) span.checksum = "unchecked";
  if (node.kind === "packed" && node.differenceFrom !== undefined) span.derived = true;
  if (node.symbols !== undefined) {
    const known = symbolList(node.symbols).find(([, number]) => number === Number(value));
    if (known !== undefined) {
      span.symbol = known[0];
      if (known[2] !== undefined) span.description = known[2];
    }
  }
  if (node.flags !== undefined) explainFlags(span, node.flags, BigInt(value));
}

/** Masks have at most 32 bits. */
function explainFlags(span: Span, flags: Symbols, value: bigint): void {
  const low = Number(BigInt.asIntN(32, value));
  const set = symbolList(flags).filter(([, mask]) => (low & mask) !== 0);
  span.symbol = set.map(([name]) => name).join("|") || "none";
  for (const [name, mask, doc] of symbolList(flags)) {
    const from = lowestBit(mask);
    span.children.push({
      name,
      path: joinPath(span.path, name),
      start: span.start,
      end: span.end,
      bits: { from, to: from + bitCount(mask) },
      kind: "bits",
      value: (low & mask) >>> from,
      ...(doc === undefined ? {} : { description: doc }),
      children: [],
      issues: [],
    });
  }
  explainUnnamed(span, flags, value);
}

/** Bits that are set although nobody named them: each run of neighbours is one span. */
function explainUnnamed(span: Span, flags: Symbols, value: bigint): void {
  const rest = symbolList(flags).reduce((left, [, mask]) => left & ~BigInt(mask), value);
  if (rest === 0n) return;
  const lowestFirst = [...rest.toString(2)].reverse().join("");
  for (const { 0: run, index: from } of lowestFirst.matchAll(/1+/g)) {
    const to = from + run.length;
    const name = to === from + 1 ? `bit ${from}` : `bits ${from}–${to - 1}`;
    span.children.push({
      name,
      path: joinPath(span.path, name),
      start: span.start,
      end: span.end,
      bits: { from, to },
      kind: "bits",
      value: 2 ** run.length - 1,
      description: "without a meaning",
      children: [],
      issues: [],
    });
  }
}

const lowestBit = (mask: number): number => 31 - Math.clz32(mask & -mask);
function bitCount(mask: number): number {
  let count = 0;
  for (let left = mask; left !== 0; left &= left - 1) count++;
  return count;
}

function fillGaps(span: Span): void {
  if (span.children.length === 0 || span.children[0]?.kind === "bits") return;
  const filled: Span[] = [];
  let at = span.start;
  for (const child of span.children) {
    if (child.start > at) filled.push(gap(span.path, at, child.start));
    fillGaps(child);
    filled.push(child);
    at = Math.max(at, child.end);
  }
  if (at < span.end) filled.push(gap(span.path, at, span.end));
  span.children.splice(0, span.children.length, ...filled);
}

const gap = (path: string, start: number, end: number): Span => ({
  name: "(gap)",
  path,
  start,
  end,
  kind: "gap",
  description: "not understood",
  children: [],
  issues: [],
});
