/** The tree of an input: offset, size, name, raw value, symbol, description; gaps and issues in their places. */
import type { Span } from "../codec/annotate.js";
import type { Issue } from "../codec/issue.js";
import { offsetDigits } from "./hexdump.js";
import { counted, grouped } from "./numbers.js";
import { type Palette, plainPalette } from "./palette.js";
import { messageText } from "./place.js";
import { type Hide, hiddenText, isHidden, spanBytes, spanRemarks, spanValue } from "./span-text.js";
import { visible } from "./visible.js";

export interface TreeOptions {
  readonly palette?: Palette;
  /** Elements of a list that are shown (default 100); the rest is one line saying how many. */
  readonly limit?: number;
  readonly hide?: Hide;
  /** The `base` given to `annotate`. */
  readonly base?: number;
}

interface Walk {
  readonly bytes: Uint8Array;
  readonly base: number;
  readonly palette: Palette;
  readonly limit: number;
  readonly hide: Hide | undefined;
  readonly digits: number;
  readonly lines: string[];
}

/** One line a span; ends with a newline. `bytes` are those given to `annotate`. */
export function treeText(root: Span, bytes: Uint8Array, options: TreeOptions = {}): string {
  const { palette = plainPalette, limit = 100, hide, base = 0 } = options;
  const digits = offsetDigits(base + bytes.length);
  const walk: Walk = { bytes, base, palette, limit, hide, digits, lines: [] };
  walk.lines.push(palette("faint", `${"offset".padEnd(digits)}     size  field`));
  visit(root, 0, true, walk);
  return `${walk.lines.join("\n")}\n`;
}

function visit(span: Span, depth: number, described: boolean, walk: Walk): void {
  walk.lines.push(`${columns(span, walk)}  ${"  ".repeat(depth)}${spanLine(span, described, walk)}`);
  for (const issue of span.issues) walk.lines.push(issueLine(issue, depth + 1, walk));
  if (isHidden(span, walk.hide)) return;
  const { children } = span;
  const shown = children[0]?.kind === "bits" ? setBits(children) : children.slice(0, listLimit(span, walk));
  shown.forEach((child, index) => {
    visit(child, depth + 1, described && (index === 0 || !child.name.startsWith("[")), walk);
  });
  const more = children[0]?.kind === "bits" ? 0 : children.length - shown.length;
  if (more > 0)
    walk.lines.push(
      `${blank(walk)}  ${"  ".repeat(depth + 1)}${walk.palette("faint", `… ${grouped(more)} more`)}`,
    );
}

const listLimit = (span: Span, walk: Walk): number => (isList(span) ? walk.limit : span.children.length);
const isList = ({ children }: Span): boolean =>
  children[0]?.name.startsWith("[") === true &&
  children.every(({ name, kind }) => kind === "gap" || name.startsWith("["));
const setBits = (bits: readonly Span[]): Span[] => bits.filter(({ value }) => value !== 0);

function spanLine(span: Span, described: boolean, { palette, hide, bytes, base }: Walk): string {
  const name = span.kind === "gap" ? palette("warning", span.name) : palette("name", visible(span.name));
  const hidden = isHidden(span, hide);
  const value = hidden ? hiddenText(span, spanBytes(span, bytes, base)) : valueText(span);
  const symbol = hidden || span.symbol === undefined ? "" : palette("symbol", visible(span.symbol));
  const words = [
    value,
    symbol,
    ...spanRemarks(span).map((remark) => palette(remarkRole(remark), remark)),
  ].filter((word) => word !== "");
  const doc =
    described && span.description !== undefined ? palette("faint", ` — ${visible(span.description)}`) : "";
  return `${name}${words.length === 0 ? "" : ": "}${words.join(" ")}${doc}`;
}

const valueText = (span: Span): string =>
  isList(span) ? counted(span.children.length, "element") : spanValue(span);
const remarkRole = (remark: string): "good" | "error" | "faint" =>
  remark === "(valid)" ? "good" : remark === "(invalid)" ? "error" : "faint";

function columns(span: Span, { digits, palette }: Walk): string {
  if (span.kind === "bits") return bitColumns(span, digits, palette);
  const whole = Math.floor(span.start);
  const offset = `${whole.toString(16).padStart(digits, "0")}${whole === span.start ? " " : "½"}`;
  return palette("faint", `${offset}${sizeText(span.end - span.start).padStart(8)}`);
}

const sizeText = (size: number): string =>
  size === 0.5 ? "½" : size % 1 === 0 ? grouped(size) : `${Math.floor(size)}½`;

function bitColumns(span: Span, digits: number, palette: Palette): string {
  const { from = 0, to = 0 } = span.bits ?? {};
  const text = to - from === 1 ? `bit ${from}` : `bits ${from}-${to - 1}`;
  return palette("faint", text.padStart(digits + 9));
}

const blank = ({ digits }: Walk): string => " ".repeat(digits + 9);

function issueLine(issue: Issue, depth: number, walk: Walk): string {
  const { severity, code } = issue;
  const text = visible(messageText(issue));
  return `${blank(walk)}  ${"  ".repeat(depth)}${walk.palette(severity, `! ${severity} ${code}`)}: ${text}`;
}
