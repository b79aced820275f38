/** An index of our own over a table of pages, where SQLite's is missing or cannot be relied on, or rows are damaged. */
import { paliteTables } from "../../formats/palite.js";
import { integer, ORDER, ROW, type RowKey, type RowReader, unsigned } from "./palite-row.js";
import { RecordIndex } from "./record-index.js";
import { SqliteError, type SqliteFile, type SqliteRow } from "./sqlite.js";
import { ROWID, type RowRange, reachableRows } from "./sqlite-reachable.js";
import type { PageRecord } from "./types.js";

const KEYS = ORDER.join(", ");

export class PaliteSalvage {
  private readonly index = new RecordIndex();
  private readonly tableIds = new Set<bigint>();

  /** `index`: name of the index SQLite has, quoted. */
  constructor(
    private readonly file: SqliteFile,
    private readonly rows: RowReader,
    index: string | undefined,
  ) {
    const gaps = this.addRows();
    // A single id says itself which row is lost, once it is asked for.
    for (const { low, high } of gaps)
      file.log.add("palite-gap", file.place, `rows ${low} to ${high} of table pages cannot be read`, {
        path: `rows from ${low}`,
      });
    if (gaps.length > 0 && index !== undefined) this.addEntries(index, gaps);
    this.index.sort();
  }

  get tables(): bigint[] {
    return [...this.tableIds];
  }

  /** The records of a table in order, from behind `after` on. */
  *records(tableId: bigint, after?: RowKey): Generator<PageRecord> {
    const { index } = this;
    for (let at = index.firstOf(tableId); at < index.count && index.tableId(at) === tableId; at++) {
      const isBehind =
        after === undefined ||
        index.pageId(at) > after.pageId ||
        (index.pageId(at) === after.pageId && index.lsn(at) > after.lsn);
      const record = isBehind ? this.load(at) : undefined;
      if (record !== undefined) yield record;
    }
  }

  /** The records of a page from the LSN down. */
  *recordsDown(tableId: bigint, pageId: bigint, lsn: bigint): Generator<PageRecord> {
    const { index } = this;
    for (
      let at = index.lastAtOrBelow(tableId, pageId, lsn);
      at >= 0 && index.isPage(at, tableId, pageId);
      at--
    ) {
      const record = this.load(at);
      if (record !== undefined) yield record;
    }
  }

  private addRows(): RowRange[] {
    const rows = reachableRows(this.file, paliteTables.pages, KEYS);
    for (;;) {
      const step = rows.next();
      if (step.done === true) return step.value;
      const key = this.rows.key(step.value);
      if (key !== undefined) this.add(key, rowIdOf(step.value));
      else
        this.file.log.add("palite-row", this.file.place, "a row without table, page or LSN", {
          path: `row ${step.value[ROWID]}`,
        });
    }
  }

  /** Rows in the gaps, as far as SQLite's index knows them. */
  private addEntries(name: string, gaps: readonly RowRange[]): void {
    const seen = new Set<bigint>();
    for (const direction of ["ASC", "DESC"]) {
      const order = ORDER.map((column) => `${column} ${direction}`).join(", ");
      const sql = `SELECT ${KEYS}, ${ROWID} AS ${ROWID} FROM ${paliteTables.pages} INDEXED BY ${name} ORDER BY ${order}`;
      try {
        for (const entry of this.file.rows(sql)) this.addEntry(entry, gaps, seen);
        return;
      } catch (error) {
        if (!(error instanceof SqliteError)) throw error;
        this.file.damage(`index ${name}`, error);
      }
    }
  }

  private addEntry(entry: SqliteRow, gaps: readonly RowRange[], seen: Set<bigint>): void {
    const key = this.rows.key(entry);
    const rowId = rowIdOf(entry);
    if (key === undefined || seen.has(rowId)) return;
    if (!gaps.some(({ low, high }) => low <= rowId && rowId <= high)) return;
    seen.add(rowId);
    this.add(key, rowId);
  }

  private add({ tableId, pageId, lsn }: RowKey, rowId: bigint): void {
    this.tableIds.add(tableId);
    this.index.add(tableId, pageId, lsn, Number(rowId >> 32n), Number(rowId & 0xffff_ffffn));
  }

  private load(at: number): PageRecord | undefined {
    const { index } = this;
    const key = { tableId: index.tableId(at), pageId: index.pageId(at), lsn: index.lsn(at) };
    const rowId = (BigInt(index.first(at)) << 32n) | BigInt(index.second(at));
    const whole = this.row(this.rows.selection, rowId);
    if (!(whole instanceof SqliteError)) return this.recordOf(whole, key);
    const rest = this.row(this.rows.selectionWithoutData, rowId);
    if (!(rest instanceof SqliteError)) return this.recordOf(rest, key, whole.message);
    this.lose(key, `is damaged: ${rest.message}`);
    return undefined;
  }

  private row(columns: string, rowId: bigint): SqliteRow | undefined | SqliteError {
    try {
      return this.file.all(`SELECT ${columns} FROM ${paliteTables.pages} AS ${ROW} WHERE ${ROWID} = ?`, [
        rowId,
      ])[0];
    } catch (error) {
      if (error instanceof SqliteError) return error;
      throw error;
    }
  }

  private recordOf(row: SqliteRow | undefined, key: RowKey, problem?: string): PageRecord | undefined {
    if (row === undefined) this.lose(key, "is missing");
    else if (ORDER.some((name) => unsigned(integer(row[name]) ?? -1n) !== key[KEY_OF[name]]))
      this.lose(key, "is another one than the index says");
    else return this.rows.read(row, key, problem);
    return undefined;
  }

  private lose({ tableId, pageId, lsn }: RowKey, how: string): void {
    const row = `table ${tableId} page ${pageId} LSN ${lsn}`;
    this.file.log.add("palite-row", this.file.place, `the row of ${row} ${how}`, { path: row });
  }
}

const KEY_OF = { table_id: "tableId", page_id: "pageId", lsn: "lsn" } as const;
const rowIdOf = (row: SqliteRow): bigint => BigInt(row[ROWID] as number | bigint);
