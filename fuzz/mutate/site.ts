/** The places of an input that a mutation may change, found by the declaration that reads it. */
import { declarationOf, type Format, type Node, type ReadOptions, type Span } from "../../src/codec/index.js";

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

/** Every field, element, token and gap, in the order of the bytes; damaged input has those it can be read up to. */
export function sitesOf(format: AnyFormat, bytes: Uint8Array, options: ReadOptions = {}): Site[] {
  const sites: Site[] = [];
  collect(format.annotate(bytes, options), undefined, sites);
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
