/** The tables of the fuzz bench: one line a target, and for some of them how the rate falls with the size of inputs. */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { markdownTable, marked, replaceMarked, tableRows } from "../markdown.js";
import type { Result, Table } from "./bench.js";
import { SIZES } from "./fuzz-inputs.js";

const HEADS = ["target, mean length of its inputs", "empty target", "pugmark", "ratio"];

/** What was measured: a target, or a target on inputs of one size. */
const WHAT = /^(.+): size (\d+), \d+ bytes$/;

export const sizeName = (bytes: number): string => (bytes < 1024 ? `${bytes} bytes` : `${bytes / 1024} KiB`);

export function fuzzTables(results: readonly Result[]): readonly Table[] {
  const whole = results.filter(({ what }) => !WHAT.test(what));
  const rows = whole.map(({ what, peer = "", ours, ratio = "" }) => [what, peer, ours, ratio]);
  return [
    { heads: HEADS, rows },
    { heads: ["target", ...SIZES.map(sizeName)], rows: sizeRows(results) },
  ];
}

function sizeRows(results: readonly Result[]): string[][] {
  const rows = new Map<string, string[]>();
  for (const { what, ours, ratio } of results) {
    const [, target, size] = WHAT.exec(what) ?? [];
    if (target === undefined) continue;
    const row = rows.get(target) ?? [target, ...SIZES.map(() => "")];
    row[1 + SIZES.indexOf(Number(size))] = `${ours}, ${ratio}`;
    rows.set(target, row);
  }
  return [...rows.values()];
}

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../../..");
/** Where `--docs` keeps them, from the built bench. */
const PAGE = join(ROOT, "docs/fuzzing.md");
const MARKS = ["executions per second", "executions per second by size"] as const;

export function documentTables(tables: readonly Table[], order: readonly string[]): void {
  const page = readFileSync(PAGE, "utf8");
  const old = MARKS.map((mark) => ({ heads: [], rows: tableRows(marked(page, mark)) }));
  const whole = mergedTables(old, tables, order).reduce(
    (text, { heads, rows }, index) => replaceMarked(text, MARKS[index] as string, markdownTable(heads, rows)),
    page,
  );
  writeFileSync(PAGE, whole);
}

/** The target of a row, without the length of its inputs. */
const targetOf = (row: readonly string[]): string => (row[0] ?? "").replace(/, \d+ bytes$/, "");

/**
 * Tables as they stood with what was measured now: rows of other targets, and cells that were not measured, stay.
 * @param order Targets in the order of the rows.
 */
export function mergedTables(
  old: readonly Table[],
  now: readonly Table[],
  order: readonly string[],
): readonly Table[] {
  return now.map(({ heads, rows }, index) => {
    const known = new Map((old[index]?.rows ?? []).map((row) => [targetOf(row), row]));
    for (const row of rows) {
      const before = known.get(targetOf(row));
      known.set(
        targetOf(row),
        row.map((cell, column) => cell || (before?.[column] ?? "")),
      );
    }
    return { heads, rows: order.map((target) => known.get(target)).filter((row) => row !== undefined) };
  });
}
