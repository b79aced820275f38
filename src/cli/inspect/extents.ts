/** The extent list on a page of type 1, put into the page's tree. */
import { extentList } from "../../../formats/extent-list.js";
import type { Span } from "../../codec/annotate.js";
import { joinPath } from "../../codec/error.js";
import type { AnnotatedBytes } from "../../page/index.js";

/** The checkpoint info of an avail list lies behind the payload, in what is padding elsewhere. */
export function openExtents({ bytes, base, span: root }: AnnotatedBytes): void {
  const extents = root.children.find(({ name }) => name === "extents");
  if (extents === undefined || extents.end === extents.start) return;
  const list = extentList.annotate(bytes.subarray(extents.start - base), {
    base: extents.start,
    partial: true,
  });
  const children = list.children.filter(({ kind }) => kind !== "gap");
  extents.end = Math.max(extents.end, ...children.map(({ end }) => end));
  extents.children.push(...children.map((child) => below(child, extents.path)));
  extents.issues.push(
    ...list.issues.map((issue) => ({ ...issue, path: joinPath(extents.path, issue.path) })),
  );
  extents.symbol = list.name;
  delete extents.value;
  shortenTail(root, extents.end);
}

/** Only what is behind the list is left over. */
function shortenTail(root: Span, used: number): void {
  const at = root.children.findIndex(({ name }) => name === "tail");
  const tail = root.children[at];
  if (tail === undefined || tail.start >= used) return;
  if (tail.end <= used) root.children.splice(at, 1);
  else root.children[at] = { ...tail, start: used, value: undefined, symbol: "padding" };
}

const below = (span: Span, path: string): Span => ({
  ...span,
  path: joinPath(path, span.path),
  children: span.children.map((child) => below(child, path)),
  issues: span.issues.map((issue) => ({ ...issue, path: joinPath(path, issue.path) })),
});
