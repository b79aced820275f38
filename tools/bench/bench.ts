/** What a bench is: a name for the command line and something that measures and prints. */

export interface BenchOptions {
  /** Row data of generated databases, MB (10⁶ bytes). */
  readonly mb: number;
  /** Measured pairs of runs (ours, peer's); the medians are printed. */
  readonly pairs: number;
  /** Only cases whose name contains this. */
  readonly only?: string;
}

export interface Bench {
  readonly name: string;
  /** One line: what is measured against what. */
  readonly title: string;
  run(options: BenchOptions): Promise<void>;
}

export const write = (line = ""): void => {
  process.stdout.write(`${line}\n`);
};

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
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
