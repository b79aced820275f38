/** Rows of values as aligned text. */
import { type Palette, plainPalette } from "./palette.js";
import { visible } from "./visible.js";

export type Row = Readonly<Record<string, unknown>>;

/** A heading line, then a line a row; ends with a newline. Columns without any value are left out. */
export function tableText(
  columns: readonly string[],
  rows: readonly Row[],
  palette: Palette = plainPalette,
): string {
  const used = columns.filter((column) =>
    rows.some((row) => row[column] !== undefined && row[column] !== ""),
  );
  const cells = rows.map((row) => used.map((column) => cellText(row[column])));
  const widths = used.map((column, i) =>
    Math.max(words(column).length, ...cells.map((line) => (line[i] as string).length)),
  );
  const numeric = used.map((column) =>
    rows.every((row) => row[column] === undefined || isNumber(row[column])),
  );
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => (numeric[i] ? text.padStart(widths[i] as number) : text.padEnd(widths[i] as number)))
      .join("  ")
      .trimEnd();
  return [palette("faint", line(used.map(words))), ...cells.map(line), ""].join("\n");
}

const isNumber = (value: unknown): boolean => typeof value === "number" || typeof value === "bigint";

/** `pageId` as a heading: `page id`. */
export const words = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();

/** Ids, LSNs and offsets are copied into commands, so digits are not grouped. */
export function cellText(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map(cellText).join(", ");
  return visible(String(value));
}
