/** The bytes of an input, each row beside the field it belongs to. hexy makes the rows; addresses are ours. */
import { hexy } from "hexy";
import type { Span } from "../codec/annotate.js";
import { counted, grouped } from "./numbers.js";
import { type Palette, plainPalette, rangeRole } from "./palette.js";
import { type Hide, isHidden, isLeaf, spanRemarks, spanValue } from "./span-text.js";
import { visible } from "./visible.js";

export interface HexdumpOptions {
  readonly palette?: Palette;
  /** Rows shown of one field (default 4); the rest is one line saying how many bytes. 0 shows all. */
  readonly rows?: number;
  /** Elements shown of a list (default 100); the rest is one line saying how many. 0 shows all. */
  readonly limit?: number;
  readonly hide?: Hide;
  /** The `base` given to `annotate`: the offset of the first byte. */
  readonly base?: number;
}

const WIDTH = 16;
const HEX_COLUMNS = 3 * WIDTH - 1;

/** Hexadecimal digits of offsets up to `end`: 8, or 12 from 4 GiB on. */
export const offsetDigits = (end: number): number => (end > 0x1_0000_0000 ? 12 : 8);

/** Annotated rows, in the order of the bytes; ends with a newline. `bytes` are those given to `annotate`. */
export function hexdumpText(root: Span, bytes: Uint8Array, options: HexdumpOptions = {}): string {
  const { palette = plainPalette, rows = 4, limit = 100, hide, base = 0 } = options;
  const grid = new HexGrid(bytes, base);
  const digits = offsetDigits(base + bytes.length);
  const most = limit === 0 ? Number.POSITIVE_INFINITY : limit;
  const lines = leavesOf(root, hide, most).flatMap((leaf) =>
    leafLines(leaf, grid, { palette, rows, digits }),
  );
  return lines.map((line) => `${line}\n`).join("");
}

/** Rows of 16 bytes without annotations. */
export function plainHexdump(bytes: Uint8Array, base = 0): string {
  const grid = new HexGrid(bytes, base);
  const digits = offsetDigits(base + bytes.length);
  let text = "";
  for (let at = base; at < base + bytes.length; at = nextRow(at)) {
    const { hex, ascii } = grid.cells(at, Math.min(nextRow(at), base + bytes.length), false);
    text += `${(at - (at % WIDTH)).toString(16).padStart(digits, "0")}  ${hex}  ${ascii.trimEnd()}\n`;
  }
  return text;
}

const nextRow = (offset: number): number => offset - (offset % WIDTH) + WIDTH;

/** A field of the dump: the innermost span, and which top-level field it lies in (for its colour). */
interface Leaf {
  readonly span: Span;
  readonly hidden: boolean;
  readonly group: number;
  /** Elements of the list that are left out behind the ones shown. */
  readonly omitted?: number;
}

function leavesOf(root: Span, hide: Hide | undefined, most: number): Leaf[] {
  const leaves: Leaf[] = [];
  const collect = (span: Span, hidden: boolean, group: number): void => {
    const masked = hidden || isHidden(span, hide);
    if (isLeaf(span) || masked) {
      if (span.end > span.start) leaves.push({ span, hidden: masked, group });
      return;
    }
    const list = span.children[0]?.name === "[0]";
    const shown = list ? span.children.slice(0, most) : span.children;
    shown.forEach((child, index) => {
      collect(child, masked, span === root || list ? group + index : group);
    });
    const omitted = span.children.length - shown.length;
    if (omitted > 0) leaves.push({ span, hidden: masked, group, omitted });
  };
  collect(root, false, 0);
  return leaves;
}

interface Look {
  readonly palette: Palette;
  readonly rows: number;
  readonly digits: number;
}

function leafLines(leaf: Leaf, grid: HexGrid, { palette, rows, digits }: Look): string[] {
  const { span, hidden, group, omitted } = leaf;
  if (omitted !== undefined)
    return [palette("faint", `${" ".repeat(digits)}  … ${counted(omitted, "more element")} of ${span.path}`)];
  const lines: string[] = [];
  const end = Math.min(Math.ceil(span.end), grid.end);
  for (let at = Math.floor(span.start), row = 0; at < end; at = nextRow(at), row++) {
    if (rows > 0 && row === rows - 1 && nextRow(at) < end) {
      lines.push(palette("faint", `${" ".repeat(digits)}  … ${grouped(end - at)} more bytes`));
      break;
    }
    const { hex, ascii } = grid.cells(at, Math.min(nextRow(at), end), hidden);
    const address = palette("faint", (at - (at % WIDTH)).toString(16).padStart(digits, "0"));
    const cells = palette(rangeRole(group), `${hex}  ${ascii}`);
    lines.push(
      row === 0
        ? `${address}  ${cells}  ${annotation(span, hidden, palette)}`
        : `${address}  ${cells.trimEnd()}`,
    );
  }
  return lines;
}

const MAX_VALUE = 56;

function annotation(span: Span, hidden: boolean, palette: Palette): string {
  const name = visible(span.kind === "gap" ? `${span.path} ${span.name}`.trim() : span.path);
  const value = hidden ? "(hidden)" : short(besideBytes(span));
  const words = [value, hidden ? "" : visible(span.symbol ?? ""), ...spanRemarks(span)].filter(
    (word) => word !== "",
  );
  const text = `${name}${words.length === 0 ? "" : " = "}${words.join(" ")}`;
  const worst = span.issues.find(({ severity }) => severity === "error") ?? span.issues[0];
  return worst === undefined ? text : `${text} ${palette(worst.severity, `! ${worst.code}`)}`;
}

/** The value, unless it is the very bytes beside it. */
const besideBytes = (span: Span): string => {
  const { value } = span;
  return value instanceof Uint8Array ? counted(value.length, "byte") : spanValue(span);
};

const short = (text: string): string => (text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text);

/** Bytes as rows aligned to multiples of 16 of their offsets, made in windows as they are asked for. */
class HexGrid {
  readonly end: number;
  private window: readonly string[] = [];
  private windowStart = -1;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly base: number,
  ) {
    this.end = base + bytes.length;
  }

  /** The bytes `from` up to `to` of one row, in their columns; the rest of the row is blank. */
  cells(from: number, to: number, masked: boolean): { hex: string; ascii: string } {
    const column = from % WIDTH;
    const count = to - from;
    const row = this.row(from - column);
    const hex = masked
      ? Array(count).fill("··").join(" ")
      : row.hex.slice(3 * column, 3 * (column + count) - 1);
    const ascii = masked ? "·".repeat(count) : row.ascii.slice(column, column + count);
    return {
      hex: (" ".repeat(3 * column) + hex).padEnd(HEX_COLUMNS),
      ascii: (" ".repeat(column) + ascii).padEnd(WIDTH),
    };
  }

  private row(start: number): { hex: string; ascii: string } {
    const windowStart = start - (start % WINDOW);
    if (windowStart !== this.windowStart) this.load(windowStart);
    const line = this.window[(start - windowStart) / WIDTH] ?? "";
    return { hex: line.slice(0, HEX_COLUMNS), ascii: line.slice(ASCII_COLUMN).replaceAll("\x7f", ".") };
  }

  /** hexy lets DEL through, takes plain arrays everywhere (a Uint8Array it would read as UTF-8) and fails at addresses from 4 GiB on. */
  private load(start: number): void {
    const lead = Math.max(0, this.base - start);
    const from = Math.max(0, start - this.base);
    const part = this.bytes.subarray(from, Math.max(from, start + WINDOW - this.base));
    const padded = [...new Array<number>(lead).fill(0), ...part];
    this.window = hexy(padded, { bytesPerLine: WIDTH, bytesPerGroup: 1, showAddress: false }).split("\n");
    this.windowStart = start;
  }
}

const WINDOW = 4096;
/** Where hexy puts the text of a row of 16 single bytes. */
const ASCII_COLUMN = 51;
