/**
 * SQLite databases, read by SQLite itself: with what the write-ahead log holds, and after undoing what a hot rollback
 * journal says. Nothing is written to or made beside the input. Damage becomes issues.
 */
import { statSync } from "node:fs";
import { SQLITE_MAGIC, sqliteReadVersion } from "../../formats/palite.js";
import { FileAccess, readRange } from "./file.js";
import { InputError } from "./input-error.js";
import { IssueLog } from "./issue-log.js";
import { hasHotJournal, journalOf, sizeOf } from "./private-copy.js";
import { SqliteConnection, SqliteError, type SqliteRow, type SqliteValue } from "./sqlite-connection.js";
import { checkWriteAheadLog } from "./sqlite-wal.js";
import type { Place } from "./types.js";

export { SqliteError, type SqliteRow, type SqliteValue } from "./sqlite-connection.js";

/** Page logs of many tables are many databases; of more, those not in use are closed and opened again when needed. */
const MAX_CONNECTIONS = 32;
const connected = new Set<SqliteFile>();
/** Most problems SQLite is asked to name. */
const MAX_PROBLEMS = 100;

/** @throws InputError `input-empty`, `input-unknown`, `input-unsupported`, and what opening a file throws. */
export function openSqlite(path: string, log = new IssueLog()): SqliteFile {
  checkHeader(path);
  return new SqliteFile(path, log);
}

export class SqliteFile {
  /** Bytes of the database and what lies beside it. */
  readonly size: number;
  readonly place: Place;
  /** Names of the tables that hold rows. */
  readonly tables: ReadonlySet<string>;
  private connection: SqliteConnection | undefined;
  private isForgiving = false;
  private isChecked = false;
  private isClosed = false;
  private readonly identity: string;

  constructor(
    readonly path: string,
    readonly log: IssueLog,
  ) {
    this.place = { file: path };
    this.identity = identityOf(path);
    this.size = [path, `${path}-wal`, `${path}-journal`].reduce((sum, file) => sum + sizeOf(file), 0);
    try {
      this.tables = new Set(this.readTables());
      this.checkSize();
      this.lookBeside();
    } catch (error) {
      this.close();
      if (!(error instanceof SqliteError)) throw error;
      const journal = hasHotJournal(path) ? `, with the rollback journal ${path}-journal beside it` : "";
      const reason = `a SQLite database that cannot be read${journal}: ${error.message}`;
      throw new InputError("input-unknown", path, reason);
    }
  }

  /** @throws SqliteError. */
  *rows(sql: string, values: SqliteValue[] = []): Generator<SqliteRow> {
    try {
      if (!this.isClosed) yield* this.ready().rows(sql, values);
    } catch (error) {
      // After an error of the system, SQLite would ask for files whose names are gone: begin anew.
      if (error instanceof SqliteError && !error.isDamage) this.release();
      throw error;
    }
  }

  /** @throws SqliteError. */
  all(sql: string, values: SqliteValue[] = []): SqliteRow[] {
    return [...this.rows(sql, values)];
  }

  /** Columns that are stored, as the table's definition spells them; undefined when rows have no ids. */
  storedColumns(table: string): string[] | undefined {
    const [info] = this.all("SELECT wr FROM pragma_table_list(?) WHERE schema = 'main'", [table]);
    if (info?.wr !== 0) return undefined;
    // Hidden columns: 1 of a virtual table, 2 generated when read; 3 is generated, but stored.
    return this.all("SELECT name FROM pragma_table_xinfo(?) WHERE hidden IN (0, 3)", [table]).map(
      ({ name }) => String(name),
    );
  }

  /** An index of the table that has all its rows in the ascending order of the columns. */
  indexOn(table: string, columns: readonly string[]): string | undefined {
    const indexes = this.all("SELECT name FROM pragma_index_list(?) WHERE partial = 0", [table]);
    return indexes
      .map(({ name }) => String(name))
      .find((index) => {
        const keys = this.all(
          "SELECT lower(name) AS name, desc, coll FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno",
          [index],
        );
        return (
          keys.length === columns.length &&
          keys.every((key, at) => key.name === columns[at] && key.desc === 0 && key.coll === "BINARY")
        );
      });
  }

  /** Says what SQLite met and, the first time, what else its own check finds. */
  damage(what: string, error: SqliteError): void {
    this.log.add("sqlite-error", this.place, `${what}: ${error.message}`, { path: what });
    if (this.isChecked || !error.isDamage) return;
    this.isChecked = true;
    try {
      const pageSize = this.pageSize();
      for (const { quick_check: text } of this.all(`PRAGMA quick_check(${MAX_PROBLEMS})`))
        for (const line of String(text).split("\n")) this.reportProblem(line, pageSize);
    } catch (failure) {
      if (!(failure instanceof SqliteError)) throw failure;
    }
  }

  /** Gives memory and descriptors back unless rows are being read; the next read takes them again. */
  release(): void {
    if (this.connection?.isBusy !== true) this.disconnect();
  }

  close(): void {
    this.isClosed = true;
    this.disconnect();
  }

  private disconnect(): void {
    connected.delete(this);
    this.connection?.close();
    this.connection = undefined;
  }

  private ready(): SqliteConnection {
    this.connection ??= this.connect();
    // The latest one used comes last.
    connected.delete(this);
    connected.add(this);
    for (const other of connected) {
      if (connected.size <= MAX_CONNECTIONS) break;
      if (other !== this) other.release();
    }
    return this.connection;
  }

  private connect(): SqliteConnection {
    if (identityOf(this.path) !== this.identity)
      throw new SqliteError("the file was replaced by another one while it was read");
    return SqliteConnection.open(this.path, this.isForgiving);
  }

  /** Where SQLite does not want to open the file as it is, it is told to open what there is of it. */
  private readTables(): string[] {
    const sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0";
    let tables: SqliteRow[];
    try {
      tables = this.all(sql);
    } catch (error) {
      if (!(error instanceof SqliteError && error.isDamage)) throw error;
      this.isForgiving = true;
      this.disconnect();
      tables = this.all(sql);
      this.damage("schema", error);
    }
    return tables.map(({ name }) => String(name));
  }

  private pageSize(): number {
    return Number(this.all("PRAGMA page_size")[0]?.page_size);
  }

  /** SQLite takes what is missing of the last page for zeros. */
  private checkSize(): void {
    const size = sizeOf(this.path);
    if (size % this.pageSize() === 0) return;
    const message = "the file ends inside a page; what is missing of it reads as zeros";
    this.log.add("sqlite-truncated", { ...this.place, offset: size }, message);
  }

  private lookBeside(): void {
    if (sizeOf(`${this.path}-wal`) > 0) {
      // Asks how many frames of the log are in use, and does nothing else.
      const frames = Number(this.all("PRAGMA wal_checkpoint(NOOP)")[0]?.log ?? 0);
      checkWriteAheadLog(`${this.path}-wal`, Math.max(0, frames), this.pageSize(), this.log);
    }
    const file = `${this.path}-journal`;
    const journal = journalOf(this.path);
    if (journal === "hot") {
      const message = "a transaction that did not end is undone (in a copy) as the rollback journal says";
      this.log.add("sqlite-journal", { file }, message, { severity: "info" });
    } else if (journal === "other") {
      const message =
        "it does not begin as a rollback journal does, so nothing is undone: the database is read as it is, which may be in the middle of a transaction";
      this.log.add("sqlite-journal", { file, offset: 0 }, message);
    }
  }

  private reportProblem(line: string, pageSize: number): void {
    // Pages nothing leads to any more only follow from the damage.
    if (line === "ok" || line === "" || line.startsWith("***") || line.endsWith("never used")) return;
    const page = /^Tree \d+ page (\d+)/.exec(line)?.[1];
    // With a log, the page may be there instead.
    const isInFile = page !== undefined && sizeOf(`${this.path}-wal`) === 0;
    const place = isInFile ? { ...this.place, offset: (Number(page) - 1) * pageSize } : this.place;
    this.log.add("sqlite-integrity", place, `SQLite's check: ${line}`, { path: line.replace(/: .*/, "") });
  }
}

/** Changes when a file is replaced. */
function identityOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return `${stat?.dev}:${stat?.ino}`;
}

/** What can be said without SQLite is said in our words. */
function checkHeader(path: string): void {
  const file = new FileAccess(path);
  try {
    if (file.size === 0) throw new InputError("input-empty", path, "empty file");
    const { offset, newest } = sqliteReadVersion;
    const start = readRange(file, 0, offset + 1);
    if (!startsLikeSqlite(start)) throw new InputError("input-unknown", path, "not a SQLite database");
    const version = start[offset] ?? 0;
    if (version > newest)
      throw new InputError(
        "input-unsupported",
        path,
        `SQLite file of read version ${version}; known are 1 to ${newest}`,
      );
  } finally {
    file.close();
  }
}

export const startsLikeSqlite = (start: Uint8Array): boolean =>
  SQLITE_MAGIC.every((byte, at) => start[at] === byte);
