/** Structures inside the byte strings of a page, put into its tree: cookies, extent lists. */
import { addressCookie } from "../../../formats/address-cookie.js";
import { classicAddressCookie } from "../../../formats/classic-cookie.js";
import { extentList } from "../../../formats/extent-list.js";
import type { Span } from "../../codec/annotate.js";
import { joinPath } from "../../codec/error.js";
import type { AnyFormat } from "../convert.js";

/** Opens what is known to lie inside a block's fields. `bytes` begin at `base`. */
export function openNested(root: Span, bytes: Uint8Array, base: number, classic: boolean): void {
  const cookie = (classic ? classicAddressCookie : addressCookie) as AnyFormat;
  const visit = (span: Span): void => {
    if (span.name === "cookie" && span.value instanceof Uint8Array) graft(span, cookie, span.value);
    else for (const child of span.children) visit(child);
  };
  visit(root);
  const extents = root.children.find(({ name }) => name === "extents");
  if (extents !== undefined) openExtents(root, extents, bytes.subarray(extents.start - base));
}

function graft(span: Span, format: AnyFormat, bytes: Uint8Array, partial = false): Span | undefined {
  if (bytes.length === 0) return undefined;
  const inner = format.annotate(bytes, { base: span.start, partial });
  span.children.push(...inner.children.map((child) => moved(child, span.path)));
  span.issues.push(...inner.issues.map((issue) => ({ ...issue, path: joinPath(span.path, issue.path) })));
  delete span.value;
  span.symbol = inner.name;
  return inner;
}

/** A span of the inner structure with its path in the outer one. */
const moved = (span: Span, prefix: string): Span => ({
  ...span,
  path: joinPath(prefix, span.path),
  children: span.children.map((child) => moved(child, prefix)),
  issues: span.issues.map((issue) => ({ ...issue, path: joinPath(prefix, issue.path) })),
});

/** The checkpoint info of an avail list lies behind the payload, in what is padding elsewhere. */
function openExtents(root: Span, extents: Span, rest: Uint8Array): void {
  if (graft(extents, extentList as AnyFormat, rest, true) === undefined) return;
  const used = Math.max(
    extents.end,
    ...extents.children.filter(({ kind }) => kind !== "gap").map(({ end }) => end),
  );
  const gaps = extents.children.filter(({ kind, start }) => kind === "gap" && start >= used);
  for (const gap of gaps) extents.children.splice(extents.children.indexOf(gap), 1);
  extents.end = used;
  const tail = root.children.findIndex(({ name }) => name === "tail");
  if (tail === -1) return;
  const { start, end } = root.children[tail] as Span;
  if (used >= end) root.children.splice(tail, 1);
  else if (used > start)
    root.children[tail] = {
      ...(root.children[tail] as Span),
      start: used,
      value: undefined,
      symbol: "padding",
    };
}
