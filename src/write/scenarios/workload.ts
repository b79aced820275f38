/** Rows and edits of scenarios, the same for the same seed, and what tables hold after them. */

import type { RandomSource } from "../../codec/random.js";
import { encodeText } from "../../codec/text.js";
import type { RowEdit, WriteRow } from "../types.js";

/** Rows of a table by the number of their key. */
export type TableContent = ReadonlyMap<number, string>;
/** Rows of tables by name. */
export type DatabaseContent = ReadonlyMap<string, TableContent>;

export interface EditCounts {
  readonly update?: number;
  readonly insert?: number;
  readonly remove?: number;
}

/** Digits of a key: they sort like numbers. */
const KEY_DIGITS = 10;
const MIN_VALUE = 20;
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** Key number `n` as it is stored: text with its NUL. */
export const keyBytes = (n: number): Uint8Array => encodeText(`${keyText(n)}\0`);
export const keyText = (n: number): string => `k${String(n).padStart(KEY_DIGITS, "0")}`;
export const valueBytes = (value: string): Uint8Array => encodeText(`${value}\0`);

export class Workload {
  private tables = new Map<string, Map<number, string>>();

  constructor(private readonly random: RandomSource) {}

  /** Everything given so far. */
  snapshot(): DatabaseContent {
    return new Map(Array.from(this.tables, ([name, rows]) => [name, new Map(rows)]));
  }

  /** Goes back to an earlier state: what was given since is lost. */
  restore(content: DatabaseContent): void {
    this.tables = new Map(Array.from(content, ([name, rows]) => [name, new Map(rows)]));
  }

  /** The first rows of a table, ascending; every other key number stays free. */
  rows(table: string, count: number): WriteRow[] {
    const content = this.table(table);
    return Array.from({ length: count }, (_, index) => {
      const value = this.value();
      content.set(2 * index, value);
      return { key: keyBytes(2 * index), value: valueBytes(value) };
    });
  }

  /** Changes of a table, ascending by key. */
  edits(table: string, { update = 0, insert = 0, remove = 0 }: EditCounts): RowEdit[] {
    const content = this.table(table);
    const present = [...content.keys()];
    const edits = new Map<number, string | undefined>();
    const pick = (): number => present[this.random.below(present.length)] ?? 0;
    for (let i = 0; i < update && present.length > 0; i++) edits.set(pick(), this.value());
    for (let i = 0; i < insert; i++) edits.set(pick() + 1 + 2 * this.random.below(4), this.value());
    for (let i = 0; i < remove && present.length > 0; i++) edits.set(pick(), undefined);
    for (const [key, value] of edits) {
      if (value === undefined) content.delete(key);
      else content.set(key, value);
    }
    return [...edits]
      .sort(([a], [b]) => a - b)
      .map(([key, value]) => ({
        key: keyBytes(key),
        ...(value === undefined ? {} : { value: valueBytes(value) }),
      }));
  }

  /** Rows whose values are known otherwise. */
  set(table: string, rows: Iterable<readonly [number, string]>): void {
    const content = this.table(table);
    for (const [key, value] of rows) content.set(key, value);
  }

  private table(name: string): Map<number, string> {
    const known = this.tables.get(name) ?? new Map<number, string>();
    this.tables.set(name, known);
    return known;
  }

  private value(): string {
    return randomText(this.random, MIN_VALUE + this.random.below(60));
  }
}

export function randomText(random: RandomSource, length: number): string {
  let text = "";
  while (text.length < length) text += LETTERS[random.below(LETTERS.length)];
  return text;
}
