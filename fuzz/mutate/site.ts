/** The places of an input that a mutation may change, found by the declaration that reads it. */
import type { Tracer } from "../../src/codec/cursor.js";
import { trace } from "../../src/codec/format.js";
import {
  declarationOf,
  type Format,
  hasFixedLayout,
  joinPath,
  type Node,
  type ReadOptions,
  type Span,
} from "../../src/codec/index.js";

export interface Site {
  readonly path: string;
  /** Byte range; nibbles are widened to whole bytes. */
  readonly start: number;
  readonly end: number;
  /** `field`: a leaf with its declaration; `element`: of an array; `text`: a token of configuration text; `gap`. */
  readonly kind: "field" | "element" | "text" | "gap";
  readonly node: Node | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: any format will do.
export type AnyFormat = Format<any>;

/**
 * Every field, element, token and gap, in the order of the bytes; damaged input has those it can be read up to.
 * Offsets are those in `bytes`.
 */
export function sitesOf(format: AnyFormat, bytes: Uint8Array, options: ReadOptions = {}): Site[] {
  const type = typeOf(format, options.generation ?? detected(format, bytes, options));
  if (type === undefined) return annotatedSites(format, bytes, options);
  const tracer = new SiteTracer();
  trace(type, bytes, { ...options, base: 0 }, tracer);
  return tracer.finish(bytes.length);
}

const detected = (format: AnyFormat, bytes: Uint8Array, options: ReadOptions): string | undefined =>
  format.generations.length === 0 ? undefined : format.read(bytes, { ...options, places: false }).generation;

/** The declaration of a format's layout; text formats have none. */
export function typeOf(format: AnyFormat, generation?: string): Node | undefined {
  const { type, variants } = format as {
    type?: Node;
    variants?: Readonly<Record<string, { readonly type?: Node }>>;
  };
  return type ?? (generation === undefined ? undefined : variants?.[generation]?.type);
}

const rigid = new WeakMap<Node, boolean>();

/** Whether inputs of one length have the same sites: fields have their places whatever is in them. */
export function hasSameSites(format: AnyFormat, generation: string | undefined): boolean {
  const type = typeOf(format, generation);
  if (type === undefined) return false;
  const known = rigid.get(type) ?? (hasFixedLayout(type) && !stopsAtVersions(type));
  rigid.set(type, known);
  return known;
}

/** Of fixed layouts: whether reading ends at a version that is too new. */
function stopsAtVersions(node: Node): boolean {
  if (node.kind === "struct") return node.fields.some(([, field]) => stopsAtVersions(field));
  if (node.kind === "array" || node.kind === "region") return stopsAtVersions(node.of);
  return "supported" in node && node.supported !== undefined;
}

interface Open {
  readonly path: string;
  /** Optional and region unwrapped; undefined for the whole input. */
  readonly node: Node | undefined;
  readonly isOptional: boolean;
  readonly start: number;
  /** Up to here every byte belongs to what was read inside. */
  end: number;
  hasParts: boolean;
  readonly element: Mutable<Site> | undefined;
}
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What annotating finds, without what the values mean. */
export class SiteTracer implements Tracer {
  private readonly sites: Site[] = [];
  private readonly stack: Open[] = [
    { path: "", node: undefined, isOptional: false, start: 0, end: 0, hasParts: false, element: undefined },
  ];

  open(name: string | number, declared: unknown, start: number): void {
    const parent = this.top();
    this.fill(parent, start);
    const node = innermost(declared as Node);
    const path = joinPath(parent.path, typeof name === "number" ? `[${name}]` : name);
    const element: Mutable<Site> | undefined =
      parent.node?.kind === "array"
        ? { path, start: Math.floor(start), end: start, kind: "element", node }
        : undefined;
    if (element !== undefined) this.sites.push(element);
    const isOptional = (declared as Node).kind === "optional";
    this.stack.push({ path, node, isOptional, start, end: start, hasParts: false, element });
  }

  close(end: number, value: unknown): void {
    const closed = this.stack.pop() as Open;
    if (value !== undefined || !closed.isOptional) this.settle(closed, end, this.top());
    else if (closed.element !== undefined) this.sites.pop();
  }

  fail(end: number): void {
    while (this.stack.length > 1) {
      const failed = this.stack.pop() as Open;
      this.settle(failed, end, this.top());
    }
  }

  finish(length: number): Site[] {
    this.settle(this.stack.pop() as Open, length, undefined);
    return this.sites;
  }

  private top = (): Open => this.stack[this.stack.length - 1] as Open;

  private settle(open: Open, end: number, parent: Open | undefined): void {
    const { path, node, start, element } = open;
    if (element !== undefined) element.end = Math.ceil(end);
    if (open.hasParts) this.fill(open, end);
    else if (end > start) this.add(path, start, end, node === undefined ? "text" : "field", node);
    if (parent === undefined) return;
    parent.hasParts = true;
    parent.end = Math.max(parent.end, end);
  }

  /** A gap up to where the next part begins. */
  private fill(open: Open, to: number): void {
    if (to <= open.end) return;
    this.add(open.path, open.end, to, "gap", undefined);
    open.end = to;
  }

  private add(path: string, start: number, end: number, kind: Site["kind"], node: Node | undefined): void {
    this.sites.push({ path, start: Math.floor(start), end: Math.ceil(end), kind, node });
  }
}

const innermost = (node: Node): Node =>
  node.kind === "optional" || node.kind === "region" ? innermost(node.of) : node;

/** The same of any format. */
export function annotatedSites(format: AnyFormat, bytes: Uint8Array, options: ReadOptions = {}): Site[] {
  const sites: Site[] = [];
  collect(format.annotate(bytes, { ...options, base: 0 }), undefined, sites);
  return sites;
}

function collect(span: Span, parent: Node | undefined, sites: Site[]): void {
  const node = declarationOf(span);
  if (parent?.kind === "array" && span.kind !== "gap") sites.push(siteOf(span, "element", node));
  const inner = span.children.filter(({ kind }) => kind !== "bits");
  for (const child of inner) collect(child, node, sites);
  if (inner.length === 0 && span.end > span.start) sites.push(siteOf(span, leafKind(span, node), node));
}

const leafKind = (span: Span, node: Node | undefined): Site["kind"] => {
  if (span.kind === "gap") return "gap";
  return node === undefined ? "text" : "field";
};

const siteOf = (span: Span, kind: Site["kind"], node: Node | undefined): Site => ({
  path: span.path,
  start: Math.floor(span.start),
  end: Math.ceil(span.end),
  kind,
  node,
});
