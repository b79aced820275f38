/** One SQLite database with a table of pages: its rows in the order of (table, page, LSN). */
import { paliteTables } from "../../formats/palite.js";
import {
  compareIds,
  integer,
  LINKS,
  NEEDED,
  ORDER,
  quoted,
  ROW,
  type RowKey,
  RowReader,
  signed,
  unsigned,
} from "./palite-row.js";
import { PaliteSalvage } from "./palite-salvage.js";
import { SqliteError, type SqliteFile, type SqliteRow, type SqliteValue } from "./sqlite.js";
import { ROWID } from "./sqlite-reachable.js";
import type { PageRecord } from "./types.js";

const MAX = (1n << 63n) - 1n;
const MIN = -(1n << 63n);
/** SQLite's numbers are signed: in unsigned order the negative ones come last. */
const HALVES = [
  [0n, MAX],
  [MIN, -1n],
] as const;
const [TABLE_ID, PAGE_ID, LSN_COLUMN] = ORDER;
/** Names in statements: the table as its index has it, and whether that agrees with the row. */
const ENTRY = "entry";
const AGREES = "agrees";
const [TABLE, PAGE, LSN] = ORDER.map((column) => `${ENTRY}.${column}`) as [string, string, string];
const DISORDER = "its entries are out of order";

export class PaliteShard {
  private readonly rows: RowReader;
  /** Quoted; undefined when there is none to go by. */
  private readonly index: string | undefined;
  /** What is used instead of the index, as soon as that is not what it should be. */
  private salvage: PaliteSalvage | undefined;
  private tableIds: readonly bigint[] | undefined;

  /** Undefined when the database has no table of pages, or none that can be read. */
  static of(file: SqliteFile): PaliteShard | undefined {
    const { pages } = paliteTables;
    if (!file.tables.has(pages)) return undefined;
    try {
      const stored = file.storedColumns(pages);
      const names = stored?.map((name) => name.toLowerCase());
      if (stored !== undefined && NEEDED.every((name) => names?.includes(name))) {
        reportLinks(file, stored, names ?? []);
        return new PaliteShard(file, stored, file.indexOn(pages, ORDER));
      }
      file.log.add("palite-columns", file.place, `table ${pages} is no table of pages of a page log`, {
        expected: NEEDED.join(", "),
        actual: names?.join(", ") ?? "rows without ids",
      });
    } catch (error) {
      if (!(error instanceof SqliteError)) throw error;
      file.damage(`table ${pages}`, error);
    }
    return undefined;
  }

  private constructor(
    readonly file: SqliteFile,
    /** Columns the table stores. */
    readonly stored: readonly string[],
    index: string | undefined,
  ) {
    this.rows = new RowReader(stored, file.place);
    this.index = index === undefined ? undefined : quoted(index);
  }

  /** Ids of the tables that have rows here. */
  get tables(): readonly bigint[] {
    this.tableIds ??= this.findTables();
    return this.tableIds;
  }

  /** The records of a table in order. */
  *records(tableId: bigint): Generator<PageRecord> {
    let last: RowKey | undefined;
    if (this.ready() === undefined)
      try {
        for (const row of this.rowsOfTable(signed(tableId))) {
          last = this.checked(row);
          yield this.rows.read(row, last);
        }
        return;
      } catch (error) {
        this.distrust(error);
      }
    yield* this.salvaged().records(tableId, last);
  }

  /** The records of a page from the LSN down. */
  *recordsDown(tableId: bigint, pageId: bigint, lsn: bigint): Generator<PageRecord> {
    let next = lsn;
    if (this.ready() === undefined)
      try {
        for (const [low, high] of rangesDown(lsn))
          for (const row of this.select(
            `${TABLE} = ? AND ${PAGE} = ? AND ${LSN} BETWEEN ? AND ? ORDER BY ${LSN} DESC`,
            [signed(tableId), signed(pageId), low, high],
          )) {
            const key = this.checked(row);
            yield this.rows.read(row, key);
            if (key.lsn === 0n) return;
            next = key.lsn - 1n;
          }
        return;
      } catch (error) {
        this.distrust(error);
      }
    yield* this.salvaged().recordsDown(tableId, pageId, next);
  }

  /** Rows of a table in unsigned order of page and LSN. */
  private *rowsOfTable(tableId: bigint): Generator<SqliteRow> {
    for (const [low, high] of HALVES)
      for (let from: bigint | undefined = low; from !== undefined; ) {
        let negative: bigint | undefined;
        for (const row of this.select(`${TABLE} = ? AND ${PAGE} BETWEEN ? AND ? ORDER BY ${PAGE}, ${LSN}`, [
          tableId,
          from,
          high,
        ])) {
          if ((integer(row[LSN_COLUMN]) ?? 0n) >= 0n) yield row;
          else {
            negative = integer(row[PAGE_ID]);
            break;
          }
        }
        if (negative !== undefined) yield* this.rowsOfPage(tableId, negative);
        from = negative === undefined || negative >= high ? undefined : negative + 1n;
      }
  }

  /** Rows of a page that has LSNs from 2^63 on. */
  private *rowsOfPage(tableId: bigint, pageId: bigint): Generator<SqliteRow> {
    for (const [low, high] of HALVES)
      yield* this.select(`${TABLE} = ? AND ${PAGE} = ? AND ${LSN} BETWEEN ? AND ? ORDER BY ${LSN}`, [
        tableId,
        pageId,
        low,
        high,
      ]);
  }

  /** What the index leads to; says of each row whether it is the one the index means. */
  private select(condition: string, values: SqliteValue[]): Generator<SqliteRow> {
    const { pages } = paliteTables;
    const keys = (table: string): string => ORDER.map((column) => `${table}.${column}`).join(", ");
    return this.file.rows(
      `SELECT ${this.rows.selection}, (${keys(ENTRY)}) = (${keys(ROW)}) AS ${AGREES}
      FROM ${pages} AS ${ENTRY} INDEXED BY ${this.index}
      LEFT JOIN ${pages} AS ${ROW} NOT INDEXED ON ${ROW}.${ROWID} = ${ENTRY}.${ROWID} WHERE ${condition}`,
      values,
    );
  }

  private checked(row: SqliteRow): RowKey {
    const key = row[AGREES] === 1 ? this.rows.key(row) : undefined;
    if (key !== undefined) return key;
    throw SqliteError.damage("a row is missing or another one than the index says");
  }

  private findTables(): bigint[] {
    if (this.ready() === undefined)
      try {
        const ids: bigint[] = [];
        const sql = `SELECT ${TABLE_ID} FROM ${paliteTables.pages} INDEXED BY ${this.index} WHERE ${TABLE_ID} >= ? ORDER BY ${TABLE_ID} LIMIT 1`;
        for (let from: bigint | undefined = MIN; from !== undefined; ) {
          const [row] = this.file.all(sql, [from]);
          const id = integer(row?.[TABLE_ID]);
          if (row !== undefined && (id === undefined || id < from)) throw SqliteError.damage(DISORDER);
          if (id !== undefined) ids.push(unsigned(id));
          from = id === undefined || id === MAX ? undefined : id + 1n;
        }
        return ids.sort(compareIds);
      } catch (error) {
        this.distrust(error);
      }
    return this.salvaged().tables.sort(compareIds);
  }

  /** Undefined as long as the database's own index serves: it must be in order and have as many entries as there are rows. */
  private ready(): PaliteSalvage | undefined {
    if (this.salvage !== undefined || this.isCounted) return this.salvage;
    this.isCounted = true;
    if (this.index === undefined) return this.salvaged();
    try {
      const count = (how: string): SqliteValue | undefined =>
        this.file.all(`SELECT count(*) AS count FROM ${paliteTables.pages} ${how}`)[0]?.count;
      const [rows, entries] = [count("NOT INDEXED"), count(`INDEXED BY ${this.index}`)];
      if (rows !== entries) throw SqliteError.damage(`${entries} entries for ${rows} rows`);
      if (this.file.all(this.disorder()).length > 0) throw SqliteError.damage(DISORDER);
    } catch (error) {
      this.distrust(error);
      return this.salvaged();
    }
    return undefined;
  }
  private isCounted = false;

  /** Entries that are not above the one before, which seeks and scans would take different ways around. */
  private disorder(): string {
    const before = ORDER.map((column) => `lag(${column}) OVER w`).join(", ");
    const entries = `SELECT (${ORDER.join(", ")}) <= (${before}) AS wrong FROM ${paliteTables.pages} INDEXED BY ${this.index} WINDOW w AS (ORDER BY ${ORDER.join(", ")})`;
    return `SELECT 1 FROM (${entries}) WHERE wrong LIMIT 1`;
  }

  private salvaged(): PaliteSalvage {
    this.salvage ??= new PaliteSalvage(this.file, this.rows, this.index);
    return this.salvage;
  }

  private distrust(error: unknown): void {
    if (!(error instanceof SqliteError)) throw error;
    this.file.damage(`index of table ${paliteTables.pages}`, error);
  }
}

/** A link that no record of the shard has is told once. */
function reportLinks(file: SqliteFile, stored: readonly string[], names: readonly string[]): void {
  const missing = LINKS.filter((name) => !names.includes(name)).join(" and ");
  if (missing === "") return;
  const message = `table ${paliteTables.pages} has no column ${missing}: links between records are not checked`;
  file.log.add("palite-columns", file.place, message, {
    path: paliteTables.pages,
    actual: stored.join(", "),
  });
}

/** Signed ranges of LSNs at or below an unsigned one, the upper one first. */
function rangesDown(lsn: bigint): Array<readonly [bigint, bigint]> {
  const top = signed(lsn);
  return top >= 0n ? [[0n, top]] : [[MIN, top], HALVES[0]];
}
