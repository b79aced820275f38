/**
 * SQLite databases, read from the file and its write-ahead log alone. The library's own ways of opening take locks
 * or build files beside the database, and stop at the first damage; here nothing is written, and damage becomes an
 * issue with its place.
 */
import { existsSync } from "node:fs";
import { sqliteEncodings } from "../../../formats/sqlite.js";
import { decodeText } from "../../codec/text.js";
import { FileAccess, readRange } from "../file.js";
import { IssueLog } from "../issue-log.js";
import { ReadWindow } from "../read-window.js";
import type { Place, RandomAccess } from "../types.js";
import { SqliteCursor } from "./cursor.js";
import { logHeaderIssues, readSqliteHeader } from "./header.js";
import { RecordView } from "./record.js";
import { readWal, type WalIndex } from "./wal.js";

/** A row of the schema: a table or an index and where its tree begins. */
export interface SchemaEntry {
  readonly type: string;
  readonly name: string;
  readonly table: string;
  readonly root: number;
  /** The statement that made it; empty for an index made by a constraint. */
  readonly sql: string;
}

const CACHE_BYTES = 8 * 1024 * 1024;
/** Columns of the schema table. */
const SCHEMA = { type: 0, name: 1, table: 2, root: 3, sql: 4, count: 5 } as const;
const SCHEMA_ROOT = 1;
const NO_LOG: WalIndex = { pages: new Map(), pageCount: undefined };

/** @throws InputError `input-empty`, `input-unknown`, `input-unsupported`, and what opening a file throws. */
export function openSqlite(path: string, log = new IssueLog()): SqliteDatabase {
  const file = new FileAccess(path);
  try {
    const wal = `${path}-wal`;
    return new SqliteDatabase(file, existsSync(wal) ? new FileAccess(wal) : undefined, log);
  } catch (error) {
    file.close();
    throw error;
  }
}

export class SqliteDatabase {
  readonly path: string;
  readonly pageSize: number;
  /** Bytes of a page that are in use. */
  readonly usable: number;
  readonly pageCount: number;
  /** Bytes of the database and its write-ahead log. */
  readonly size: number;
  private readonly encoding: number;
  private readonly walIndex: WalIndex;
  private readonly cache = new Map<number, Uint8Array>();
  private schemaEntries: readonly SchemaEntry[] | undefined;

  constructor(
    private readonly file: RandomAccess,
    private readonly wal: RandomAccess | undefined,
    readonly log: IssueLog,
  ) {
    this.path = file.path;
    this.size = file.size + (wal?.size ?? 0);
    const first = readSqliteHeader(file);
    this.pageSize = first.pageSize;
    this.walIndex = wal === undefined ? NO_LOG : readWal(wal, this.pageSize, log);
    const newer = this.walIndex.pages.get(SCHEMA_ROOT);
    const header = wal === undefined || newer === undefined ? first : readSqliteHeader(wal, newer);
    logHeaderIssues(header, log);
    this.usable = header.usable;
    this.encoding = header.encoding;
    this.pageCount = this.walIndex.pageCount ?? this.countPages(header.pageCount);
    this.warnOfJournal();
  }

  /** Tables and indexes. */
  get schema(): readonly SchemaEntry[] {
    this.schemaEntries ??= this.readSchema();
    return this.schemaEntries;
  }

  /** A new reader of pages: each keeps its own last page. */
  reader(): PageReader {
    return new PageReader(this, this.file, this.wal);
  }

  /** Offset of a page in the log, or undefined when the database's own is the newest. */
  offsetInLog(page: number): number | undefined {
    return this.walIndex.pages.get(page);
  }

  /** Where a byte of a page is on disk. */
  place(page: number, at = 0): Place {
    const offset = this.offsetInLog(page);
    if (offset === undefined) return { file: this.path, offset: (page - 1) * this.pageSize + at };
    return { file: (this.wal as RandomAccess).path, offset: offset + at };
  }

  cached(page: number): Uint8Array | undefined {
    return this.cache.get(page);
  }

  keep(page: number, bytes: Uint8Array): Uint8Array {
    const copy = bytes.slice();
    if (this.cache.size * this.pageSize >= CACHE_BYTES)
      this.cache.delete(this.cache.keys().next().value as number);
    this.cache.set(page, copy);
    return copy;
  }

  /** Gives memory and descriptors back; the next read takes them again. */
  release(): void {
    this.cache.clear();
    this.file.close();
    this.wal?.close();
  }

  close(): void {
    this.release();
  }

  /** Text of a TEXT column. */
  text(bytes: Uint8Array): string {
    if (this.encoding !== sqliteEncodings.utf16le && this.encoding !== sqliteEncodings.utf16be)
      return decodeText(bytes);
    const swapped =
      this.encoding === sqliteEncodings.utf16be
        ? Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16()
        : bytes;
    return new TextDecoder("utf-16le").decode(swapped);
  }

  private countPages(stated: number | undefined): number {
    const inFile = Math.floor(this.file.size / this.pageSize);
    if (stated === undefined || stated <= inFile) return stated ?? inFile;
    this.log.add(
      "sqlite-truncated",
      { file: this.path, offset: this.file.size },
      "the file ends before its last page",
      {
        expected: stated * this.pageSize,
        actual: this.file.size,
      },
    );
    return inFile;
  }

  private warnOfJournal(): void {
    const journal = `${this.path}-journal`;
    if (!existsSync(journal)) return;
    const message =
      "a rollback journal lies beside the database; it is not applied, the last transaction may be half there";
    this.log.add("sqlite-journal", { file: journal }, message, { severity: "warning" });
  }

  private readSchema(): SchemaEntry[] {
    const entries: SchemaEntry[] = [];
    const cursor = new SqliteCursor(this, SCHEMA_ROOT, true, "schema").watchForLoops();
    const record = new RecordView();
    for (let more = cursor.first(); more; more = cursor.next()) {
      const text = (column: number): string => this.text(record.bytes(column) ?? new Uint8Array(0));
      const sound =
        record.read(cursor.payload()) && record.count >= SCHEMA.count && cursor.payloadProblem === undefined;
      const root = sound ? record.integer(SCHEMA.root) : undefined;
      if (!sound) this.log.add("sqlite-schema", cursor.place, "a row of the schema cannot be read");
      else if (root !== undefined && root > 0n)
        entries.push({
          type: text(SCHEMA.type),
          name: text(SCHEMA.name),
          table: text(SCHEMA.table),
          root: Number(root),
          sql: text(SCHEMA.sql),
        });
    }
    return entries;
  }
}

/** Reads pages one at a time, through the write-ahead log. */
export class PageReader {
  private readonly fileWindow: ReadWindow;
  private readonly walWindow: ReadWindow | undefined;

  constructor(
    private readonly database: SqliteDatabase,
    private readonly file: RandomAccess,
    private readonly wal: RandomAccess | undefined,
  ) {
    this.fileWindow = new ReadWindow(file);
    this.walWindow = wal === undefined ? undefined : new ReadWindow(wal);
  }

  /** The page, valid until the next call; undefined when it does not exist. */
  view(page: number): Uint8Array | undefined {
    const { pageSize } = this.database;
    const [window, offset] = this.locate(page, this.fileWindow, this.walWindow);
    const bytes = window?.view(offset, pageSize);
    return bytes?.length === pageSize ? bytes : undefined;
  }

  /** The first bytes of the page only. */
  head(page: number, length: number): Uint8Array | undefined {
    const [file, offset] = this.locate(page, this.file, this.wal);
    const bytes = file === undefined ? undefined : readRange(file, offset, length);
    return bytes?.length === length ? bytes : undefined;
  }

  private locate<T>(page: number, file: T, wal: T | undefined): [T | undefined, number] {
    const { pageSize, pageCount } = this.database;
    if (!(page >= 1 && page <= pageCount)) return [undefined, 0];
    const offset = this.database.offsetInLog(page);
    return offset === undefined ? [file, (page - 1) * pageSize] : [wal, offset];
  }
}
