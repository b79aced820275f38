/** What a bench is: a name for the command line and something that measures, prints and gives its results. */
import type { ProcessRun } from "./run-process.js";

export interface BenchOptions {
  /** Row data of generated databases, MB (10⁶ bytes). */
  readonly mb: number;
  /** Measured pairs of runs (ours, peer's); the medians are printed. */
  readonly pairs: number;
  /** Only cases whose name contains this; of `fuzz`, one of these, separated by commas. */
  readonly only?: string;
}

/** A line of the table at the end, as text. */
export interface Result {
  readonly what: string;
  /** Seconds of the peer, where there is one, or its rate. */
  readonly peer?: string;
  readonly ours: string;
  readonly rate?: string;
  readonly ratio?: string;
  /** Peak memory: the peer's, ours. */
  readonly memory?: string;
}

export interface Table {
  readonly heads: readonly string[];
  readonly rows: ReadonlyArray<readonly string[]>;
}

export interface Bench {
  readonly name: string;
  /** One line: what is measured against what. */
  readonly title: string;
  /** Who is measured beside us (default wt). */
  readonly peer?: string;
  run(options: BenchOptions): Promise<readonly Result[]>;
  /** Its results as tables of its own. */
  tables?(results: readonly Result[]): readonly Table[];
  /** Puts them into the documentation; what was not measured this time stays there. */
  document?(tables: readonly Table[]): void;
}

const MIB = 2 ** 20;

export const write = (line = ""): void => {
  process.stdout.write(`${line}\n`);
};

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export const seconds = (runs: readonly ProcessRun[]): number => median(runs.map((run) => run.seconds));

/** Highest peak memory of the runs, MiB. */
export function peak(runs: readonly ProcessRun[]): string {
  const peaks = runs.map((run) => run.peak);
  return peaks.includes(undefined) ? "?" : (Math.max(...(peaks as number[])) / MIB).toFixed(0);
}

/** A verdict other than "clean" would make the times meaningless. */
export function sound(what: string, run: ProcessRun): ProcessRun {
  if (run.code === 0) return run;
  throw new Error(`${what} ended with ${run.code}:\n${run.stderr || run.stdout}`);
}

/** Prints rows under their heads: the first column to the left, numbers to the right. */
export function writeTable(heads: readonly string[], rows: ReadonlyArray<readonly string[]>): void {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  write(line(heads));
  write(widths.map((width) => "-".repeat(width)).join("  "));
  for (const row of rows) write(line(row));
}

export function writeMarkdown(heads: readonly string[], rows: ReadonlyArray<readonly string[]>): void {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  write(line(heads));
  write(`|${"---|".repeat(heads.length)}`);
  for (const row of rows) write(line(row));
}
