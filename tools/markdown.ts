/** Tables of the documentation, and the marked places they go to. */

const cell = (text: string): string => text.replaceAll("|", "\\|");

export function markdownTable(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |\n`;
  return [line(head), `|${"---|".repeat(head.length)}\n`, ...rows.map(line)].join("");
}

/** What is between `<!-- name -->` and `<!-- /name -->`; empty when the marks are not there. */
export function marked(text: string, name: string): string {
  const start = `<!-- ${name} -->`;
  const from = text.indexOf(start);
  return from < 0 ? "" : text.slice(from + start.length, text.indexOf(`<!-- /${name} -->`, from)).trim();
}

/** The cells of the lines of a table below its heads. */
export const tableRows = (table: string): string[][] =>
  table
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(1)
    .map((line) => line.slice(2, -2).split(" | "));

/**
 * The text with what is between `<!-- name -->` and `<!-- /name -->` replaced.
 * @throws RangeError when the marks are not there.
 */
export function replaceMarked(text: string, name: string, by: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new RangeError(`no marks ${start} … ${end}`);
  return `${text.slice(0, from + start.length)}\n\n${by.trimEnd()}\n\n${text.slice(to)}`;
}
