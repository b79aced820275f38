/**
 * Writing PALite page logs (formats: page-log stores §2). Puts wait in one transaction a database; a checkpoint commits
 * those first, then the counters, then its own record, each durably. LSNs are taken from the counter many thousand at
 * a time, so that none is given twice, whatever is lost.
 */
import { mkdirSync } from "node:fs";
import { pageLogFlags } from "../../formats/page-log.js";
import {
  paliteCheckpointColumns as CHECKPOINT,
  palitePageColumns as COLUMN,
  type PaliteLayout,
  paliteTables,
} from "../../formats/palite.js";
import { collectChain } from "./chain.js";
import { CheckedPageLog, type NewCheckpoint, type NewRecord } from "./checked-page-log.js";
import type { CrashPoint } from "./crash-point.js";
import { IssueLog } from "./issue-log.js";
import { PageHeads } from "./page-heads.js";
import { PageLogError } from "./page-log-error.js";
import { type PaliteContents, readContents, setCheckpointIds, setCounters } from "./palite-contents.js";
import {
  CHECKPOINT_INSERTION,
  layoutOf,
  PaliteFiles,
  pageInsertion,
  rowValues,
  storedPageColumns,
} from "./palite-files.js";
import { compareIds, integer, ORDER, ROW, RowReader, signed, unsigned } from "./palite-row.js";
import { MAX_ID, type PageHead } from "./put-check.js";
import type { RowInsertion } from "./row-queue.js";
import type { SqliteRow, SqliteValue } from "./sqlite-connection.js";
import type { SqliteWriter } from "./sqlite-writer.js";
import type { CheckpointRecord, PageLogGlobals, PageRecord, StoreIssue } from "./types.js";
import type { WritablePageLogOptions } from "./writable.js";
import { failure } from "./write-failure.js";
import { WriterLock } from "./writer-lock.js";

export interface PaliteWriterOptions extends WritablePageLogOptions {
  /** Layout of a new store (default the newest, P4). */
  readonly layout?: PaliteLayout;
  /** Bytes put into one database before they are committed (default 8 MiB; 0 = every put by itself). */
  readonly batchBytes?: number;
  /** Microseconds since 1970, for records' timestamps (default: the clock). */
  readonly now?: () => bigint;
}

const BATCH_BYTES = 8 * 1024 * 1024;
/** LSNs that are taken from the counter at a time. */
const RESERVED = 65_536n;
/** Bytes that are read at a time when all records are. */
const READ_BYTES = 1024 * 1024;
const { pages: PAGES, checkpoints: CHECKPOINTS } = paliteTables;
const [TABLE, PAGE, LSN] = ORDER;
/** What a row without its data counts for. */
const ROW_BYTES = 200;
const clock = (): bigint => BigInt(Date.now()) * 1000n;

export class PaliteWriter extends CheckedPageLog {
  readonly kind = "palite";
  readonly generation: string;
  private readonly log = new IssueLog();
  private readonly readers = new WeakMap<SqliteWriter, RowReader>();
  private readonly heads = new PageHeads();
  /** Highest page id of each table that was written to. */
  private readonly highest = new Map<bigint, bigint>();
  private readonly batchBytes: number;
  private readonly now: () => bigint;
  private readonly insertion: RowInsertion;
  /** Which database a table's rows are in. */
  private readonly fileOf: Map<bigint, string>;
  /** Databases that may hold records above the newest checkpoint. */
  private readonly touched: Set<string>;
  /** LSNs up to here are taken from the counter. */
  private reserved: bigint;

  /**
   * Opens a directory of databases for writing; with `create` it need not be there.
   * @throws PageLogError `locked`, `missing`, `unsupported`, `io`
   */
  static open(directory: string, options: OpenPaliteOptions = {}): PaliteWriter {
    try {
      if (options.create === true) mkdirSync(directory, { recursive: true });
      const lock = WriterLock.take(directory);
      try {
        return openLocked(directory, lock, options);
      } catch (error) {
        lock.release();
        throw error;
      }
    } catch (error) {
      throw failure(error, { file: directory });
    }
  }

  constructor(
    private readonly files: PaliteFiles,
    private readonly lock: WriterLock,
    options: PaliteWriterOptions,
    contents: PaliteContents,
  ) {
    super(options, contents, false);
    this.batchBytes = options.batchBytes ?? BATCH_BYTES;
    this.now = options.now ?? clock;
    this.generation = `PALite ${files.layout}`;
    this.fileOf = contents.fileOf;
    this.touched = contents.unfinished;
    this.reserved = contents.counter;
    this.insertion = pageInsertion(files.layout);
    files.onLost = (reason) => this.lose(String(reason));
  }

  get path(): string {
    return this.files.directory;
  }

  get issues(): readonly StoreIssue[] {
    return this.log.list;
  }

  get size(): number {
    return this.files.size;
  }

  override get globals(): PageLogGlobals {
    return this.files.isSingle ? this.idGlobals : super.globals;
  }

  *records(): IterableIterator<PageRecord> {
    for (const tableId of [...this.fileOf.keys()].sort(compareIds)) yield* this.recordsOf(tableId);
  }

  chain(tableId: bigint, pageId: bigint, lsn: bigint, limit = 1000): PageRecord[] {
    this.checkOpen();
    if (pageId > this.highestPage(tableId)) return [];
    // From the newest full image on; the limit keeps a chain without one in bounds.
    const upTo = `${TABLE} = ?1 AND ${PAGE} = ?2 AND ${LSN} <= ?3`;
    const image = `SELECT max(${LSN}) FROM ${PAGES} WHERE ${upTo} AND NOT ${COLUMN.flags} & ${pageLogFlags.delta}`;
    const newestFirst = this.select(
      tableId,
      `${ROW}.${PAGE} = ?2 AND ${ROW}.${LSN} BETWEEN ifnull((${image}), 0) AND ?3 ORDER BY ${ROW}.${LSN} DESC LIMIT ?4`,
      [pageId, lsn > MAX_ID ? MAX_ID : lsn, BigInt(limit) + 1n],
    );
    return collectChain(newestFirst, limit, this.log);
  }

  record(tableId: bigint, pageId: bigint, lsn: bigint): PageRecord | undefined {
    if (pageId > MAX_ID || lsn > MAX_ID) return undefined;
    return this.select(tableId, `${ROW}.${PAGE} = ?2 AND ${ROW}.${LSN} = ?3`, [pageId, lsn])[0];
  }

  checkpoints(): CheckpointRecord[] {
    return this.reading(() => {
      const database = this.files.checkpoints;
      const place = { file: database.path };
      const { lsn, timestamp, metadata } = CHECKPOINT;
      const columns = `${lsn}, ${timestamp}, CAST(${metadata} AS BLOB) AS ${metadata}`;
      return database.all(`SELECT ${columns} FROM ${CHECKPOINTS} ORDER BY ${lsn}`).map((row) => {
        const text = row[metadata];
        return {
          lsn: integer(row[lsn]) ?? 0n,
          timestamp: unsigned(integer(row[timestamp]) ?? 0n),
          metadata: text instanceof Uint8Array ? text : new Uint8Array(0),
          place,
        };
      });
    });
  }

  protected head(tableId: bigint, pageId: bigint): PageHead | undefined {
    if (pageId > this.highestPage(tableId)) return undefined;
    const known = this.heads.get(tableId, pageId);
    if (known !== undefined) return known;
    const columns = `${LSN}, ${COLUMN.baseLsn}, ${COLUMN.flags}`;
    const sql = `SELECT ${columns} FROM ${PAGES} WHERE ${TABLE} = ? AND ${PAGE} = ? ORDER BY ${LSN} DESC LIMIT 1`;
    const [row] = this.reading(() => this.databaseOf(tableId)?.all(sql, [tableId, pageId]) ?? []);
    if (row === undefined) return undefined;
    const lsn = integer(row[LSN]) ?? 0n;
    const flags = Number(row[COLUMN.flags]);
    const imageLsn = (flags & pageLogFlags.delta) === 0 ? lsn : (integer(row[COLUMN.baseLsn]) ?? 0n);
    const head = { lsn, imageLsn, discarded: (flags & pageLogFlags.discarded) !== 0 };
    this.heads.set(tableId, pageId, head);
    return head;
  }

  protected insert(record: NewRecord, head: PageHead): void {
    const { tableId, pageId } = record;
    try {
      if (record.lsn > this.reserved) this.reserve(record.lsn + RESERVED - 1n);
      const name = this.fileOf.get(tableId) ?? this.files.fileOfTable(tableId);
      this.touched.add(name);
      this.insertInto(this.files.database(name), record);
      this.fileOf.set(tableId, name);
    } catch (error) {
      throw failure(error, { tableId, pageId });
    }
    this.heads.set(tableId, pageId, head);
    if (pageId > this.highestPage(tableId)) this.highest.set(tableId, pageId);
  }

  /** Nothing is published before the record itself is committed. */
  protected publish({ lsn, timestamp, metadata, checkpointId }: NewCheckpoint): void {
    try {
      for (const database of this.files.opened()) database.commit();
      for (const database of this.files.opened()) database.settle();
      this.reserve(lsn);
      // Used up, even if it fails from here on.
      this.last = lsn;
      const { checkpoints } = this.files;
      checkpoints.run(CHECKPOINT_INSERTION, [lsn, signed(timestamp), metadata]);
      setCheckpointIds(this.files, checkpointId);
      this.inTransaction("inside-publish", checkpoints, () => this.files.syncDirectory());
      checkpoints.commit();
    } catch (error) {
      throw failure(error, { file: this.path });
    }
    this.touched.clear();
  }

  protected removeUnfinished(above: bigint): void {
    try {
      for (const database of this.files.opened()) database.rollback();
      for (const database of this.files.opened()) database.settle();
      this.heads.clear();
      this.highest.clear();
      for (const name of this.touched) {
        const database = this.files.database(name);
        database.run(`DELETE FROM ${PAGES} WHERE ${LSN} > ?`, [above]);
        database.commit();
      }
    } catch (error) {
      throw failure(error, { file: this.path });
    }
    this.touched.clear();
  }

  protected release(): void {
    try {
      for (const database of this.files.opened()) database.commit();
      if (this.reserved !== this.last) this.reserve(this.last);
    } catch (error) {
      throw failure(error, { file: this.path });
    } finally {
      this.files.close();
      this.lock.release();
    }
  }

  private insertInto(database: SqliteWriter, record: NewRecord): void {
    const { data } = record;
    database.insert(this.insertion, rowValues(this.files.layout, record, this.now()), data);
    this.inTransaction("inside-put", database);
    database.pendingBytes += data.length + 1;
    if (database.pendingBytes > this.batchBytes) database.commit();
  }

  /** Passes a crash point; what goes wrong there undoes the transaction. */
  private inTransaction(point: CrashPoint, database: SqliteWriter, action?: () => void): void {
    try {
      action?.();
      this.at(point);
    } catch (error) {
      database.undo(error);
      throw error;
    }
  }

  /** Makes the last LSN durable, before it is given to anybody. */
  private reserve(last: bigint): void {
    setCounters(this.files, { last, highestTableId: this.highestTableId });
    this.files.globals.commit();
    this.reserved = last;
  }

  private *recordsOf(tableId: bigint): Generator<PageRecord> {
    const condition = `(${ROW}.${PAGE}, ${ROW}.${LSN}) > (?2, ?3) ORDER BY ${ROW}.${PAGE}, ${ROW}.${LSN}`;
    let from: SqliteValue[] = [0n, 0n];
    for (;;) {
      let bytes = 0;
      const records = this.select(tableId, condition, from, (row) => {
        bytes += ROW_BYTES + ((row[COLUMN.data] as Uint8Array | null)?.length ?? 0);
        return bytes < READ_BYTES;
      });
      const last = records.at(-1);
      if (last === undefined) return;
      from = [last.pageId, last.lsn];
      yield* records;
    }
  }

  /** Records of a table (?1), up to and including the first one behind which no more are wanted. */
  private select(
    tableId: bigint,
    condition: string,
    values: SqliteValue[],
    wanted?: (row: SqliteRow) => boolean,
  ): PageRecord[] {
    return this.reading(() => {
      const database = this.databaseOf(tableId);
      if (database === undefined) return [];
      const reader = this.readerOf(database);
      const sql = `SELECT ${reader.selection} FROM ${PAGES} AS ${ROW} WHERE ${ROW}.${TABLE} = ?1 AND ${condition}`;
      const all = [tableId, ...values];
      const rows = wanted === undefined ? database.all(sql, all) : database.first(sql, all, wanted);
      return rows.flatMap((row) => {
        const key = reader.key(row);
        return key === undefined ? [] : [reader.read(row, key)];
      });
    });
  }

  private readerOf(database: SqliteWriter): RowReader {
    let reader = this.readers.get(database);
    if (reader === undefined) {
      reader = new RowReader(storedPageColumns(database), { file: database.path });
      this.readers.set(database, reader);
    }
    return reader;
  }

  private databaseOf(tableId: bigint): SqliteWriter | undefined {
    this.checkOpen();
    const name = this.fileOf.get(tableId);
    return name === undefined ? undefined : this.files.database(name);
  }

  private highestPage(tableId: bigint): bigint {
    let highest = this.highest.get(tableId);
    if (highest === undefined) {
      const sql = `SELECT max(${PAGE}) AS highest FROM ${PAGES} WHERE ${TABLE} = ?`;
      const [row] = this.reading(() => this.databaseOf(tableId)?.all(sql, [tableId]) ?? []);
      highest = integer(row?.highest) ?? 0n;
      this.highest.set(tableId, highest);
    }
    return highest;
  }

  private reading<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw failure(error, { file: this.path });
    }
  }
}

export interface OpenPaliteOptions extends PaliteWriterOptions {
  /** Makes what is not there (default false). */
  readonly create?: boolean;
}

function openLocked(directory: string, lock: WriterLock, options: OpenPaliteOptions): PaliteWriter {
  const found = layoutOf(directory, options.layout);
  if (found === undefined && options.create !== true)
    throw new PageLogError("missing", "no PALite page log", { file: directory });
  const files = new PaliteFiles(directory, found ?? options.layout ?? "P4");
  try {
    files.makeControlFiles();
    return new PaliteWriter(files, lock, options, readContents(files));
  } catch (error) {
    files.close();
    throw error;
  }
}
