/** One SQLite database with a table of pages: its rows in the order of (table, page, LSN). */
import { paliteTables } from "../../formats/palite.js";
import { NEEDED, ORDER, type RowKey, RowReader, unsigned } from "./palite-row.js";
import { RecordIndex } from "./record-index.js";
import { countRows } from "./sqlite/count.js";
import { parseCreateIndex, parseCreateTable, type TableShape } from "./sqlite/create-table.js";
import { SqliteCursor } from "./sqlite/cursor.js";
import type { SchemaEntry, SqliteDatabase } from "./sqlite/database.js";
import { RecordView } from "./sqlite/record.js";
import type { PageRecord, Place } from "./types.js";

const MAX = (1n << 63n) - 1n;
const MIN = -(1n << 63n);
/** SQLite's numbers are signed: in unsigned order the negative ones come last. */
const HALVES = [
  [0n, MAX],
  [MIN, -1n],
] as const;
const signed = (value: bigint): bigint => BigInt.asIntN(64, value);

/** An entry of the index: where a row belongs and which one it is. */
interface Entry extends RowKey {
  readonly rowid: number;
  readonly place: Place;
}

/** The tables that have rows, and an index of our own where the database's cannot be relied on. */
interface Ordered {
  readonly tables: readonly bigint[];
  readonly index?: RecordIndex;
}

export class PaliteShard {
  private readonly indexRoot: number | undefined;
  private readonly rows: RowReader;
  private readonly entry = new RecordView();
  private ordered: Ordered | undefined;
  private lookup: { readonly keys: SqliteCursor; readonly rows: SqliteCursor } | undefined;

  /** Undefined when the database has no table of pages, or none that can be read. */
  static of(database: SqliteDatabase): PaliteShard | undefined {
    const table = database.schema.find(({ type, name }) => type === "table" && name === paliteTables.pages);
    if (table === undefined) return undefined;
    const shape = parseCreateTable(table.sql);
    const names = new Set(shape?.stored.map(({ name }) => name));
    if (shape !== undefined && !shape.withoutRowid && NEEDED.every((name) => names.has(name)))
      return new PaliteShard(database, table, shape);
    const message = `table ${table.name} is no table of pages of a page log`;
    database.log.add("palite-columns", { file: database.path }, message, {
      expected: NEEDED.join(", "),
      actual: table.sql,
    });
    return undefined;
  }

  private constructor(
    readonly database: SqliteDatabase,
    private readonly table: SchemaEntry,
    readonly shape: TableShape,
  ) {
    this.rows = new RowReader(shape);
    this.indexRoot = this.findIndex();
  }

  /** Ids of the tables that have rows here. */
  get tables(): readonly bigint[] {
    return this.ready().tables;
  }

  /** The records of a table in order. */
  *records(tableId: bigint): Generator<PageRecord> {
    const { index } = this.ready();
    const rows = this.rowCursor().watchOverflow();
    for (const entry of index === undefined ? this.entries(signed(tableId)) : this.indexed(index, tableId)) {
      const record = this.fetch(entry, rows);
      if (record !== undefined) yield record;
    }
  }

  /** The records of a page from the LSN down. */
  *recordsDown(tableId: bigint, pageId: bigint, lsn: bigint): Generator<PageRecord> {
    const { index } = this.ready();
    this.lookup ??= { keys: this.indexCursor(), rows: this.rowCursor() };
    const { keys, rows } = this.lookup;
    const entries =
      index === undefined
        ? this.entriesDown(keys, signed(tableId), signed(pageId), lsn)
        : this.indexedDown(index, tableId, pageId, lsn);
    for (const entry of entries) {
      const record = this.fetch(entry, rows);
      if (record !== undefined) yield record;
    }
  }

  private fetch(entry: Entry, rows: SqliteCursor): PageRecord | undefined {
    const found = rows.seekRow(entry.rowid);
    const payload = found ? rows.payload() : undefined;
    const record =
      payload === undefined ? undefined : this.rows.read(payload, entry, rows.place, rows.payloadProblem);
    if (record !== undefined) return record;
    const [tableId, pageId, lsn] = [entry.tableId, entry.pageId, entry.lsn].map(unsigned);
    const message = `the row of table ${tableId} page ${pageId} LSN ${lsn} is ${found ? "damaged" : "missing"}`;
    this.database.log.add("palite-row", entry.place, message);
    return undefined;
  }

  /** Entries of a table in unsigned order of page and LSN. */
  private *entries(tableId: bigint): Generator<Entry> {
    const cursor = this.indexCursor();
    for (const [low, high] of HALVES) {
      let more = cursor.seek([tableId, low]);
      while (more) {
        const entry = this.entryAt(cursor);
        if (entry === undefined) more = cursor.next();
        else if (entry.tableId !== tableId || entry.pageId > high) break;
        else if (entry.lsn >= 0n) {
          yield entry;
          more = cursor.next();
        } else {
          yield* this.entriesOfPage(tableId, entry.pageId);
          more = entry.pageId < high && cursor.seek([tableId, entry.pageId + 1n]);
        }
      }
    }
  }

  /** Entries of a page that has LSNs from 2^63 on. */
  private *entriesOfPage(tableId: bigint, pageId: bigint): Generator<Entry> {
    const cursor = this.indexCursor();
    for (const [low, high] of HALVES)
      for (let more = cursor.seek([tableId, pageId, low]); more; more = cursor.next()) {
        const entry = this.entryAt(cursor);
        if (entry === undefined) continue;
        if (entry.tableId !== tableId || entry.pageId !== pageId || entry.lsn > high) break;
        yield entry;
      }
  }

  private *entriesDown(cursor: SqliteCursor, tableId: bigint, pageId: bigint, lsn: bigint): Generator<Entry> {
    const top = signed(lsn);
    const ranges = top >= 0n ? [[0n, top] as const] : [[MIN, top] as const, HALVES[0]];
    for (const [low, high] of ranges)
      for (let more = this.seekDown(cursor, tableId, pageId, high); more; more = cursor.previous()) {
        const entry = this.entryAt(cursor);
        if (entry === undefined) continue;
        if (entry.tableId !== tableId || entry.pageId !== pageId || entry.lsn < low) break;
        yield entry;
      }
  }

  /** To the last entry that is not above the key. */
  private seekDown(cursor: SqliteCursor, tableId: bigint, pageId: bigint, lsn: bigint): boolean {
    if (!cursor.seek([tableId, pageId, lsn])) return cursor.last();
    const entry = this.entryAt(cursor);
    const isExact = entry?.lsn === lsn && entry.pageId === pageId && entry.tableId === tableId;
    return isExact || cursor.previous();
  }

  private entryAt(cursor: SqliteCursor): Entry | undefined {
    const { entry } = this;
    const sound = entry.read(cursor.payloadStart());
    const tableId = sound ? entry.integer(0) : undefined;
    const pageId = sound ? entry.integer(1) : undefined;
    const lsn = sound ? entry.integer(2) : undefined;
    // Behind the columns it sorts by, an index has the row's id.
    const rowid = sound ? entry.integer(ORDER.length) : undefined;
    if (tableId !== undefined && pageId !== undefined && lsn !== undefined && rowid !== undefined)
      return { tableId, pageId, lsn, rowid: Number(rowid), place: cursor.place };
    this.database.log.add("palite-index", cursor.place, "an entry of the index cannot be read");
    return undefined;
  }

  private ready(): Ordered {
    this.ordered ??= this.checkIndex() ?? this.makeIndex();
    return this.ordered;
  }

  /** By the database's own index; undefined when that is missing, damaged or does not have all rows. */
  private checkIndex(): Ordered | undefined {
    if (this.indexRoot === undefined) return undefined;
    const { log } = this.database;
    const issuesBefore = log.list.length;
    const tables = new Set<bigint>();
    const cursor = this.indexCursor().watchForLoops();
    let count = 0;
    let inOrder = true;
    let before: Entry | undefined;
    for (let more = cursor.first(); more; more = cursor.next()) {
      count++;
      const entry = this.entryAt(cursor);
      if (entry === undefined) continue;
      if (before === undefined || before.tableId !== entry.tableId) tables.add(unsigned(entry.tableId));
      if (before !== undefined && compareKeys(before, entry) >= 0) inOrder = false;
      before = entry;
    }
    const rows = countRows(this.database, this.table.root);
    if (inOrder && rows === count && log.list.length === issuesBefore) return { tables: sorted(tables) };
    const problem = inOrder ? `${count} entries for ${rows} rows` : "its entries are out of order";
    const place = this.database.place(this.indexRoot);
    log.add("palite-index", place, `the index of table ${this.table.name} is not used: ${problem}`, {
      path: "index",
    });
    return undefined;
  }

  /** An index of our own, from the rows themselves. */
  private makeIndex(): Ordered {
    const index = new RecordIndex();
    const tables = new Set<bigint>();
    const cursor = this.rowCursor().watchForLoops();
    for (let more = cursor.first(); more; more = cursor.next()) {
      const key = this.rows.key(cursor.payloadStart());
      if (key === undefined)
        this.database.log.add("palite-row", cursor.place, "a row without table, page or LSN");
      else {
        tables.add(unsigned(key.tableId));
        index.add(unsigned(key.tableId), unsigned(key.pageId), unsigned(key.lsn), cursor.rowid, 0);
      }
    }
    return { tables: sorted(tables), index: index.sort() };
  }

  private *indexed(index: RecordIndex, tableId: bigint): Generator<Entry> {
    for (let at = index.firstOf(tableId); at < index.count && index.tableId(at) === tableId; at++)
      yield this.indexEntry(index, at);
  }

  private *indexedDown(index: RecordIndex, tableId: bigint, pageId: bigint, lsn: bigint): Generator<Entry> {
    for (
      let at = index.lastAtOrBelow(tableId, pageId, lsn);
      at >= 0 && index.isPage(at, tableId, pageId);
      at--
    )
      yield this.indexEntry(index, at);
  }

  private indexEntry(index: RecordIndex, at: number): Entry {
    const [tableId, pageId, lsn] = [index.tableId(at), index.pageId(at), index.lsn(at)];
    const place = { file: this.database.path };
    return {
      tableId: signed(tableId),
      pageId: signed(pageId),
      lsn: signed(lsn),
      rowid: index.first(at),
      place,
    };
  }

  /** Root of an index that has all rows in the order we need. */
  private findIndex(): number | undefined {
    const isOrder = (columns: readonly string[] | undefined): boolean =>
      columns?.length === ORDER.length && ORDER.every((name, at) => columns[at] === name);
    const automatic = isOrder(this.shape.primaryKey) ? `sqlite_autoindex_${this.table.name}_1` : undefined;
    return this.database.schema.find(
      ({ type, table, name, sql }) =>
        type === "index" &&
        table === this.table.name &&
        (name === automatic || isOrder(parseCreateIndex(sql))),
    )?.root;
  }

  private rowCursor(): SqliteCursor {
    return new SqliteCursor(this.database, this.table.root, true, `table ${this.table.name}`);
  }

  private indexCursor(): SqliteCursor {
    return new SqliteCursor(
      this.database,
      this.indexRoot as number,
      false,
      `index of table ${this.table.name}`,
    );
  }
}

function compareKeys(a: RowKey, b: RowKey): number {
  const [left, right] =
    a.tableId !== b.tableId
      ? [a.tableId, b.tableId]
      : a.pageId !== b.pageId
        ? [a.pageId, b.pageId]
        : [a.lsn, b.lsn];
  return left < right ? -1 : left > right ? 1 : 0;
}

const sorted = (ids: ReadonlySet<bigint>): bigint[] => [...ids].sort((a, b) => (a < b ? -1 : 1));
