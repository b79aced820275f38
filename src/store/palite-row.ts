/** A row of a PALite table of pages as a page record. */

import { pageLogFlagSymbols, pageLogFlags } from "../../formats/page-log.js";
import { palitePageColumns as COLUMN } from "../../formats/palite.js";
import { type Issue, symbolList } from "../codec/index.js";
import type { TableShape } from "./sqlite/create-table.js";
import { RecordView } from "./sqlite/record.js";
import type { PageRecord, Place } from "./types.js";

/** Where a record belongs; numbers as SQLite has them, signed. */
export interface RowKey {
  readonly tableId: bigint;
  readonly pageId: bigint;
  readonly lsn: bigint;
}

/** Columns that order the records. */
export const ORDER = [COLUMN.tableId, COLUMN.pageId, COLUMN.lsn] as const;
/** Columns without which there is no record. */
export const NEEDED = [...ORDER, COLUMN.flags, COLUMN.data];
const NO_ISSUES: readonly Issue[] = Object.freeze([]);
const KNOWN_FLAGS = symbolList(pageLogFlagSymbols).reduce((all, [, mask]) => all | mask, 0);
const NO_DATA = new Uint8Array(0);

export const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);

export class RowReader {
  private readonly record = new RecordView();
  private readonly columns: ReadonlyMap<string, number>;
  /** Of the row in hand. */
  private issues: Issue[] = [];

  constructor(shape: TableShape) {
    this.columns = new Map(shape.stored.map(({ name }, index) => [name, index]));
  }

  /** Table, page and LSN of a row whose first columns are in `payload`. */
  key(payload: Uint8Array): RowKey | undefined {
    if (!this.record.read(payload)) return undefined;
    const [tableId, pageId, lsn] = ORDER.map((name) => this.record.integer(this.columns.get(name) as number));
    return tableId === undefined || pageId === undefined || lsn === undefined
      ? undefined
      : { tableId, pageId, lsn };
  }

  /** The record; undefined when the row is no record of columns. `key`: what the index says of it. */
  read(payload: Uint8Array, key: RowKey, place: Place, problem: string | undefined): PageRecord | undefined {
    if (!this.record.read(payload)) return undefined;
    this.issues = [];
    const flags = Number(BigInt.asUintN(32, this.number(COLUMN.flags) ?? 0n));
    if ((flags & ~KNOWN_FLAGS) !== 0) this.issues.push(unknownFlags(flags));
    const discarded = (flags & pageLogFlags.discarded) !== 0 || (this.number(COLUMN.discarded) ?? 0n) !== 0n;
    const timestamp = this.number(COLUMN.timestampMaterializedUs);
    const isDelta = this.isDelta(flags);
    this.compare(key);
    return {
      tableId: unsigned(key.tableId),
      pageId: unsigned(key.pageId),
      lsn: unsigned(key.lsn),
      isDelta,
      discarded,
      flags,
      backlinkLsn: unsigned(this.number(COLUMN.backlinkLsn) ?? 0n),
      baseLsn: unsigned(this.number(COLUMN.baseLsn) ?? 0n),
      ...(timestamp === undefined ? {} : { timestampMaterializedUs: unsigned(timestamp) }),
      data: this.data(discarded, problem),
      place,
      issues: this.issues.length === 0 ? NO_ISSUES : this.issues,
    };
  }

  /** Stored where the layout stores it, else a flag; where there are both they must agree. */
  private isDelta(flags: number): boolean {
    const byFlags = (flags & pageLogFlags.delta) !== 0;
    const name = this.columns.has(COLUMN.isDelta) ? COLUMN.isDelta : COLUMN.delta;
    const stored = this.number(name);
    if (stored !== undefined && (stored !== 0n) !== byFlags)
      this.report(name, "does not agree with the flags", { code: "delta-flag", actual: stored });
    return stored === undefined ? byFlags : stored !== 0n;
  }

  private data(discarded: boolean, problem: string | undefined): Uint8Array {
    const data = this.record.bytes(this.columns.get(COLUMN.data) as number);
    if (problem !== undefined)
      this.report(COLUMN.data, `the record's data is not whole: ${problem}`, { code: "record-data" });
    else if (data === undefined && !discarded) this.report(COLUMN.data, "no bytes");
    return data ?? NO_DATA;
  }

  private compare(key: RowKey): void {
    for (const name of ORDER) {
      const expected = key[KEY_OF[name]];
      const actual = this.number(name);
      if (actual !== undefined && actual !== expected)
        this.report(name, "not what the index says", {
          code: "palite-index",
          expected: unsigned(expected),
          actual: unsigned(actual),
        });
    }
  }

  /** An integer column of the row in hand, if the table has it; one that is another thing is an issue. */
  private number(name: string): bigint | undefined {
    const column = this.columns.get(name);
    if (column === undefined) return undefined;
    const value = this.record.integer(column);
    if (value === undefined) this.report(name, "not an integer");
    return value;
  }

  private report(path: string, message: string, details: Partial<Issue> = {}): void {
    this.issues.push({
      code: "palite-column",
      severity: "error",
      path,
      message: `${path}: ${message}`,
      ...details,
    });
  }
}

const KEY_OF = { table_id: "tableId", page_id: "pageId", lsn: "lsn" } as const;

const unknownFlags = (flags: number): Issue => ({
  code: "unknown-bits",
  severity: "info",
  path: COLUMN.flags,
  message: `bits without a meaning: 0x${((flags & ~KNOWN_FLAGS) >>> 0).toString(16)}`,
  actual: flags,
});
