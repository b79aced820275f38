/** Tables of the documentation, and the marked places they go to. */

const cell = (text: string): string => text.replaceAll("|", "\\|");

export function markdownTable(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |\n`;
  return [line(head), `|${"---|".repeat(head.length)}\n`, ...rows.map(line)].join("");
}

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
