/**
 * One SQLite database that is written in place, in WAL mode. The library has no shared memory, so the connection is
 * exclusive and nobody else may have the file open; `WriterLock` sees to that. A commit is durable when it returns.
 */
import { existsSync, rmdirSync } from "node:fs";
import type { Database, Statement } from "node-sqlite3-wasm";
import { journalOf } from "./private-copy.js";
import { type RowInsertion, RowQueue } from "./row-queue.js";
import { SqliteError, type SqliteRow, type SqliteValue, sqliteLibrary } from "./sqlite-connection.js";

/** Pages of a transaction that do not fit in memory would be written twice: KiB of them, and pages in the log. */
const CACHE_KIB = 12 * 1024;
const LOG_PAGES = 6000;
const SETTINGS = [
  "locking_mode = EXCLUSIVE",
  "journal_mode = WAL",
  "synchronous = FULL",
  `cache_size = -${CACHE_KIB}`,
  `wal_autocheckpoint = ${LOG_PAGES}`,
]
  .map((setting) => `PRAGMA ${setting}`)
  .join(";");

export class SqliteWriter {
  /** Bytes of records inserted since the last commit: counted by the user. */
  pendingBytes = 0;
  /** Told when a failure has undone such records. */
  onLost: (reason: unknown) => void = () => {};
  private readonly queue = new RowQueue();
  /** After a failed commit its frames may be in the write-ahead log, and a crash would bring them back. */
  private isDoubtful = false;
  private readonly statements = new Map<string, Statement>();

  /** Makes the database if there is none. @throws SqliteError */
  static open(path: string): SqliteWriter {
    const { Database } = sqliteLibrary(path);
    // Whoever made it was killed: the caller holds the store's own lock.
    if (existsSync(`${path}.lock`)) rmdirSync(`${path}.lock`);
    if (journalOf(path) !== "none")
      throw new SqliteError("a transaction has to be undone by its rollback journal first");
    let database: Database | undefined;
    try {
      database = new Database(path);
      database.exec(SETTINGS);
      const mode = database.all("PRAGMA journal_mode")[0]?.journal_mode;
      if (mode !== "wal") throw new Error(`journal mode ${mode} instead of wal`);
      return new SqliteWriter(path, database);
    } catch (error) {
      quietly(() => database?.close());
      throw new SqliteError(error);
    }
  }

  private constructor(
    readonly path: string,
    private readonly database: Database,
  ) {}

  get inTransaction(): boolean {
    return this.database.inTransaction;
  }

  /** @throws SqliteError */
  exec(sql: string): void {
    this.tried(() => this.database.exec(sql));
  }

  /** Begins a transaction, if there is none yet, and runs the statement in it. @throws SqliteError */
  run(sql: string, values: SqliteValue[]): void {
    this.begin();
    this.flush();
    this.execute(sql, values);
  }

  /**
   * Adds a row in the transaction, with others of its kind as it comes: whatever reads or commits comes after it.
   * @throws SqliteError; the transaction is undone then.
   */
  insert(insertion: RowInsertion, values: SqliteValue[], data: Uint8Array): void {
    const { queue } = this;
    if (queue.isEmpty) this.begin();
    if (!queue.takes(insertion, data)) this.flush();
    if (queue.add(insertion, values, data)) this.flush();
  }

  /** All rows: a statement that is not run to its end would hold on to the write-ahead log. @throws SqliteError */
  all(sql: string, values: SqliteValue[] = []): SqliteRow[] {
    this.flush();
    const statement = this.statement(sql);
    try {
      return statement.all(values) as SqliteRow[];
    } catch (error) {
      this.forget(sql);
      throw new SqliteError(error);
    }
  }

  /** Rows as long as `wanted` says so of the one before. @throws SqliteError */
  first(sql: string, values: SqliteValue[], wanted: (row: SqliteRow) => boolean): SqliteRow[] {
    const rows: SqliteRow[] = [];
    this.flush();
    this.tried(() => {
      const statement = this.database.prepare(sql);
      try {
        for (const row of statement.iterate(values)) {
          rows.push(row as SqliteRow);
          if (!wanted(row as SqliteRow)) break;
        }
      } finally {
        quietly(() => statement.finalize());
      }
    });
    return rows;
  }

  /** @throws SqliteError; the transaction is undone then. */
  commit(): void {
    if (!this.inTransaction) return;
    this.flush();
    try {
      this.exec("COMMIT");
      this.pendingBytes = 0;
    } catch (error) {
      this.isDoubtful = true;
      this.undo(error);
      throw error;
    }
  }

  /** Makes sure that what failed to be committed never comes back. @throws SqliteError */
  settle(): void {
    if (!this.isDoubtful || this.inTransaction) return;
    const [result] = this.all("PRAGMA wal_checkpoint(TRUNCATE)");
    if (result?.busy !== 0) throw new SqliteError("the write-ahead log cannot be emptied");
    this.isDoubtful = false;
  }

  /** Undoes the transaction after a failure. */
  undo(reason: unknown): void {
    const hadRecords = this.pendingBytes > 0;
    this.rollback();
    if (hadRecords) this.onLost(reason);
  }

  rollback(): void {
    this.pendingBytes = 0;
    this.queue.clear();
    if (this.inTransaction) quietly(() => this.database.exec("ROLLBACK"));
  }

  /** What is not committed is undone. The write-ahead log is written back and removed, if that is possible. */
  close(): void {
    this.rollback();
    for (const sql of [...this.statements.keys()]) this.forget(sql);
    quietly(() => this.database.close());
  }

  private begin(): void {
    if (this.inTransaction) return;
    this.settle();
    this.exec("BEGIN IMMEDIATE");
  }

  /** Rows that wait are inserted. */
  private flush(): void {
    if (this.queue.isEmpty) return;
    try {
      this.queue.drain((sql, values) => this.execute(sql, values));
    } catch (error) {
      this.undo(error);
      throw error;
    }
  }

  private execute(sql: string, values: SqliteValue[]): void {
    const statement = this.statement(sql);
    try {
      statement.run(values);
    } catch (error) {
      this.forget(sql);
      throw new SqliteError(error);
    }
  }

  private statement(sql: string): Statement {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.tried(() => this.database.prepare(sql));
      this.statements.set(sql, statement);
    }
    return statement;
  }

  /** One that failed cannot be used again. */
  private forget(sql: string): void {
    const statement = this.statements.get(sql);
    this.statements.delete(sql);
    quietly(() => statement?.finalize());
  }

  private tried<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw new SqliteError(error);
    }
  }
}

/** The library reports the failure that was reported before once more when things are put away. */
function quietly(action: () => void): void {
  try {
    action();
  } catch {
    // Said already.
  }
}
