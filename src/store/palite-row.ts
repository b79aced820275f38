/** A row of a PALite table of pages as a page record. */

import { pageLogFlags } from "../../formats/page-log.js";
import { palitePageColumns as COLUMN } from "../../formats/palite.js";
import type { Issue } from "../codec/index.js";
import { unknownFlags } from "./record-flags.js";
import type { SqliteRow, SqliteValue } from "./sqlite.js";
import type { PageRecord, Place } from "./types.js";

/** Where a record belongs. */
export interface RowKey {
  readonly tableId: bigint;
  readonly pageId: bigint;
  readonly lsn: bigint;
}

/** Columns that order the records. */
export const ORDER = [COLUMN.tableId, COLUMN.pageId, COLUMN.lsn] as const;
/** Columns without which there is no record. */
export const NEEDED = [...ORDER, COLUMN.flags, COLUMN.data];
/** Columns every layout has: records are read without them, and their links are not judged. */
export const LINKS = [COLUMN.backlinkLsn, COLUMN.baseLsn] as const;
/** Name of the table in statements that select a record. */
export const ROW = "row";
/** Columns that are read where the layout has them. */
const WANTED = [
  ...ORDER,
  COLUMN.flags,
  COLUMN.backlinkLsn,
  COLUMN.baseLsn,
  COLUMN.isDelta,
  COLUMN.delta,
  COLUMN.discarded,
  COLUMN.timestampMaterializedUs,
];
const NO_ISSUES: readonly Issue[] = Object.freeze([]);
const NO_DATA = new Uint8Array(0);

/** SQLite's integers are signed: those from 2^63 on are stored as negative ones. */
export const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
export const signed = (value: bigint): bigint => BigInt.asIntN(64, value);
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
/** Bytes of a blob or, as stored, of a text; null for anything else. */
export const asBytes = (column: string): string =>
  `iif(typeof(${column}) IN ('blob', 'text'), CAST(${column} AS BLOB), NULL)`;

/** An integer column; undefined when it is something else. */
export function integer(value: SqliteValue | undefined): bigint | undefined {
  if (typeof value === "bigint") return value;
  return Number.isSafeInteger(value) ? BigInt(value as number) : undefined;
}

export const compareIds = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
export const compareKeys = (a: RowKey, b: RowKey): number =>
  compareIds(a.tableId, b.tableId) || compareIds(a.pageId, b.pageId) || compareIds(a.lsn, b.lsn);

export class RowReader {
  /** What to select from the table as `ROW`: all columns; without the data, for rows whose data cannot be read. */
  readonly selection: string;
  readonly selectionWithoutData: string;
  private readonly names: ReadonlySet<string>;
  private readonly lacksLinks: boolean;
  /** Of the row in hand. */
  private row: SqliteRow = {};
  private issues: Issue[] = [];

  /** `stored`: the columns the table stores, as its definition spells them. */
  constructor(
    stored: readonly string[],
    private readonly place: Place,
  ) {
    const spelled = new Map(stored.map((name) => [name.toLowerCase(), quoted(name)]));
    this.names = new Set(spelled.keys());
    this.lacksLinks = LINKS.some((name) => !spelled.has(name));
    const columns = WANTED.flatMap((name) =>
      spelled.has(name) ? [`${ROW}.${spelled.get(name)} AS ${name}`] : [],
    );
    this.selectionWithoutData = columns.join(", ");
    this.selection = `${this.selectionWithoutData}, ${asBytes(`${ROW}.${spelled.get(COLUMN.data)}`)} AS ${COLUMN.data}`;
  }

  /** Table, page and LSN of a row, unsigned. */
  key(row: SqliteRow): RowKey | undefined {
    const [tableId, pageId, lsn] = ORDER.map((name) => integer(row[name]));
    return tableId === undefined || pageId === undefined || lsn === undefined
      ? undefined
      : { tableId: unsigned(tableId), pageId: unsigned(pageId), lsn: unsigned(lsn) };
  }

  /** `problem`: why the data is missing. */
  read(row: SqliteRow, { tableId, pageId, lsn }: RowKey, problem?: string): PageRecord {
    this.row = row;
    this.issues = [];
    const stored = unsigned(this.number(COLUMN.flags) ?? 0n);
    // As far as flags are known; SQLite has room for more.
    const flags = Number(BigInt.asUintN(32, stored));
    const unknown = unknownFlags(COLUMN.flags, stored);
    if (unknown !== undefined) this.issues.push(unknown);
    const discarded = (flags & pageLogFlags.discarded) !== 0 || (this.number(COLUMN.discarded) ?? 0n) !== 0n;
    const timestamp = this.number(COLUMN.timestampMaterializedUs);
    const isDelta = this.isDelta(flags);
    return {
      tableId,
      pageId,
      lsn,
      isDelta,
      discarded,
      flags,
      backlinkLsn: unsigned(this.number(COLUMN.backlinkLsn) ?? 0n),
      baseLsn: unsigned(this.number(COLUMN.baseLsn) ?? 0n),
      ...(this.lacksLinks ? { lacksLinks: true } : {}),
      ...(timestamp === undefined ? {} : { timestampMaterializedUs: unsigned(timestamp) }),
      data: this.data(discarded, problem),
      place: this.place,
      issues: this.issues.length === 0 ? NO_ISSUES : this.issues,
    };
  }

  /** Stored where the layout stores it, else a flag; where there are both they must agree. */
  private isDelta(flags: number): boolean {
    const byFlags = (flags & pageLogFlags.delta) !== 0;
    const name = this.names.has(COLUMN.isDelta) ? COLUMN.isDelta : COLUMN.delta;
    const stored = this.number(name);
    if (stored !== undefined && (stored !== 0n) !== byFlags)
      this.report(name, "does not agree with the flags", { code: "delta-flag", actual: stored });
    return stored === undefined ? byFlags : stored !== 0n;
  }

  private data(discarded: boolean, problem: string | undefined): Uint8Array {
    const data = this.row[COLUMN.data];
    if (data instanceof Uint8Array) return data;
    if (problem !== undefined)
      this.report(COLUMN.data, `the record's data cannot be read: ${problem}`, { code: "record-data" });
    else if (!discarded) this.report(COLUMN.data, "no bytes");
    return NO_DATA;
  }

  /** An integer column of the row in hand, if the table has it; one that is another thing is an issue. */
  private number(name: string): bigint | undefined {
    if (!this.names.has(name)) return undefined;
    const value = integer(this.row[name]);
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
