/** What `inspect` shows: a page in parts, or what is in an input; as text, JSON and HTML. */
import type { Span } from "../codec/annotate.js";
import { hexdumpText } from "./hexdump.js";
import { escapeHtml, htmlPage } from "./html-page.js";
import { jsonDocument } from "./json.js";
import { type Palette, plainPalette } from "./palette.js";
import { spanJson } from "./span-json.js";
import type { Hide } from "./span-text.js";
import { cellText, type Row, tableText, words } from "./table.js";
import { treeText } from "./tree.js";
import { visible } from "./visible.js";

/** Bytes with what they mean. */
export interface InspectedPart {
  readonly title: string;
  /** Name of the format. */
  readonly format: string;
  readonly generation?: string;
  readonly bytes: Uint8Array;
  /** Offset of the first byte in its file, or in the image. */
  readonly base: number;
  readonly span: Span;
  /** The value, as `decode` prints it; absent when the bytes cannot be read. */
  readonly value?: unknown;
}

/** Rows of one kind. */
export interface InspectedTable {
  /** camelCase key of the JSON document. */
  readonly name: string;
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

export interface Inspection {
  readonly input: Row;
  readonly title: string;
  /** What is known besides the bytes. */
  readonly facts: Row;
  readonly parts: readonly InspectedPart[];
  readonly tables: readonly InspectedTable[];
}

export interface InspectionOptions {
  readonly palette?: Palette;
  /** User data to be masked; without it everything but key material is shown. */
  readonly hide?: Hide;
  /** Elements of a list (tree), rows of a table; 0 shows all. */
  readonly limit?: number;
  /** Rows of one field in the hexdump; 0 shows all. */
  readonly rows?: number;
  readonly show?: "both" | "tree" | "bytes";
}

const DEFAULT_LIMIT = 100;

/** Title, facts, tables; then of each part the tree and the annotated bytes. */
export function inspectionText(inspection: Inspection, options: InspectionOptions = {}): string {
  const { palette = plainPalette } = options;
  const { title, facts, tables, parts } = inspection;
  const sections = [
    `${palette("strong", visible(title))}\n${factLines(facts, palette)}`,
    ...tables.map((table) => tableSection(table, options)),
    ...parts.flatMap((part) => partSections(part, options)),
  ];
  return sections.join("\n");
}

function factLines(facts: Row, palette: Palette): string {
  const known = Object.entries(facts).filter(([, value]) => value !== undefined && cellText(value) !== "");
  const width = Math.max(0, ...known.map(([name]) => words(name).length));
  return known
    .map(([name, value]) => `  ${palette("faint", words(name).padEnd(width))}  ${cellText(value)}\n`)
    .join("");
}

function tableSection(
  { title, columns, rows }: InspectedTable,
  { palette = plainPalette, limit = DEFAULT_LIMIT }: InspectionOptions,
): string {
  const shown = limit === 0 ? rows : rows.slice(0, limit);
  const more = rows.length - shown.length;
  const rest = more > 0 ? `${palette("faint", `… ${more} more (--limit 0 shows all)`)}\n` : "";
  const body = rows.length === 0 ? `${palette("faint", "none")}\n` : tableText(columns, shown, palette);
  return `${palette("strong", visible(title))}\n${body}${rest}`;
}

function partSections(part: InspectedPart, options: InspectionOptions): string[] {
  const { palette = plainPalette, show = "both", limit = DEFAULT_LIMIT } = options;
  const { span, bytes, base } = part;
  const look = { palette, base, ...(options.hide && { hide: options.hide }) };
  const tree = treeText(span, bytes, { ...look, limit: limit === 0 ? Number.POSITIVE_INFINITY : limit });
  const dump = hexdumpText(span, bytes, {
    ...look,
    limit,
    ...(options.rows !== undefined && { rows: options.rows }),
  });
  const heading = `${palette("strong", visible(partTitle(part)))}\n`;
  return [
    show === "bytes" ? "" : heading + tree,
    show === "tree" ? "" : (show === "bytes" ? heading : "") + dump,
  ].filter((section) => section !== "");
}

const partTitle = ({ title, format, generation }: InspectedPart): string =>
  `${title} (${format}${generation === undefined ? "" : `, ${generation}`})`;

/** Keys: schemaVersion, input, title, facts, the tables by name, parts. */
export function inspectionJson(
  { input, title, facts, tables, parts }: Inspection,
  { hide }: InspectionOptions = {},
): string {
  return jsonDocument({
    schemaVersion: 1,
    input,
    title,
    facts,
    ...Object.fromEntries(tables.map(({ name, rows }) => [name, rows])),
    parts: parts.map((part) => partJson(part, hide)),
  });
}

/** A masked document has no `value`: it would hold what is masked. */
function partJson(part: InspectedPart, hide: Hide | undefined): Row {
  const { title, format, generation, bytes, base, span, value } = part;
  const tree = spanJson(span, bytes, { base, ...(hide && { hide }) });
  const place = { title, format, generation, offset: base, length: bytes.length };
  return { ...place, ...(hide === undefined && { value }), span: tree };
}

/** One self-contained page. */
export function inspectionHtml(
  inspection: Inspection,
  version: string,
  options: InspectionOptions = {},
): string {
  const { title, facts, tables, parts } = inspection;
  const plain = { ...options, palette: plainPalette };
  const body = [
    `<h1>${escapeHtml(title)}</h1>`,
    `<pre>${escapeLines(factLines(facts, plainPalette))}</pre>`,
    ...tables.map(
      (table) =>
        `<h2>${escapeHtml(table.title)}</h2>\n<pre>${escapeLines(tableText(table.columns, table.rows))}</pre>`,
    ),
    ...parts.flatMap((part) => partHtml(part, plain)),
    `<p class="faint">pugmark ${escapeHtml(version)}, document schema 1</p>`,
  ];
  return htmlPage(`pugmark: ${title}`, body.join("\n"));
}

function partHtml(part: InspectedPart, options: InspectionOptions): string[] {
  const sections = partSections({ ...part, title: part.title }, { ...options, show: "both" });
  return [
    `<h2>${escapeHtml(partTitle(part))}</h2>`,
    ...sections.map(
      (section, i) =>
        `<pre>${escapeLines(i === 0 ? section.slice(section.indexOf("\n") + 1) : section)}</pre>`,
    ),
  ];
}

const escapeLines = (text: string): string => text.split("\n").map(escapeHtml).join("\n");
