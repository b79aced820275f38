/**
 * SQLite databases, read from the file and its write-ahead log alone. The library's own ways of opening take locks
 * or build files beside the database, and stop at the first damage; here nothing is written, and damage becomes an
 * issue with its place.
 */
import { existsSync } from "node:fs";
import {
  SQLITE_HEADER,
  SQLITE_MAX_PAGE_SIZE,
  SQLITE_MIN_PAGE_SIZE,
  SQLITE_NEWEST_READ_VERSION,
  sqliteEncodings,
  sqliteHeader,
} from "../../../formats/sqlite.js";
import { decodeText } from "../../codec/text.js";
import { FileAccess, readRange } from "../file.js";
import { InputError } from "../input-error.js";
import { IssueLog } from "../issue-log.js";
import { ReadWindow } from "../read-window.js";
import type { Place, RandomAccess } from "../types.js";
import { SqliteCursor } from "./cursor.js";
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
    const header = this.readHeader();
    this.pageSize = header.pageSize === 1 ? SQLITE_MAX_PAGE_SIZE : header.pageSize;
    this.usable = this.pageSize - header.reservedSpace;
    this.encoding = header.textEncoding;
    this.walIndex =
      wal === undefined ? { pages: new Map(), pageCount: undefined } : readWal(wal, this.pageSize, log);
    this.pageCount = this.walIndex.pageCount ?? this.countPages(header);
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

  private readHeader(): {
    pageSize: number;
    reservedSpace: number;
    textEncoding: number;
    pageCount: number;
    reliable: boolean;
  } {
    if (this.file.size === 0) throw new InputError("input-empty", this.path, "empty file");
    const bytes = readRange(this.file, 0, SQLITE_HEADER.size);
    const reading = sqliteHeader.read(bytes);
    if (!reading.ok)
      throw new InputError("input-unknown", this.path, `not a SQLite database: ${reading.error.message}`);
    const { value } = reading;
    if (reading.issues.some(({ path }) => path === "magic"))
      throw new InputError("input-unknown", this.path, "not a SQLite database");
    if (value.readVersion > SQLITE_NEWEST_READ_VERSION)
      throw new InputError(
        "input-unsupported",
        this.path,
        `SQLite file of read version ${value.readVersion}; known are 1 and 2`,
      );
    for (const issue of reading.issues) {
      const details = {
        severity: issue.severity,
        path: issue.path,
        expected: issue.expected,
        actual: issue.actual,
      };
      this.log.add(
        "sqlite-header",
        { file: this.path, offset: issue.offset ?? 0 },
        `header: ${issue.message}`,
        details,
      );
    }
    return {
      ...value,
      ...this.checkPageSize(value),
      reliable: value.versionValidFor === value.changeCounter,
    };
  }

  private checkPageSize({ pageSize, reservedSpace }: { pageSize: number; reservedSpace: number }): {
    pageSize: number;
    reservedSpace: number;
  } {
    const size = pageSize === 1 ? SQLITE_MAX_PAGE_SIZE : pageSize;
    if (size < SQLITE_MIN_PAGE_SIZE || !Number.isInteger(Math.log2(size)))
      throw new InputError("input-unknown", this.path, `damaged SQLite database: pages of ${size} bytes`);
    // SQLite asks for 480 usable bytes; a size that leaves fewer is damage, and 0 is what everybody writes.
    return { pageSize, reservedSpace: size - reservedSpace < 480 ? 0 : reservedSpace };
  }

  private countPages({ pageCount, reliable }: { pageCount: number; reliable: boolean }): number {
    const inFile = Math.floor(this.file.size / this.pageSize);
    if (!reliable || pageCount === 0) return inFile;
    if (pageCount > inFile)
      this.log.add(
        "sqlite-truncated",
        { file: this.path, offset: this.file.size },
        "the file ends before its last page",
        {
          expected: pageCount * this.pageSize,
          actual: this.file.size,
        },
      );
    return Math.min(pageCount, inFile);
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
