/**
 * One SQLite database that is written in place, in WAL mode. The library has no shared memory, so the connection is
 * exclusive and nobody else may have the file open; `WriterLock` sees to that. A commit is durable when it returns.
 */
import { existsSync, rmdirSync } from "node:fs";
import type { Database, Statement } from "node-sqlite3-wasm";
import { hasHotJournal } from "./private-copy.js";
import { SqliteError, type SqliteRow, type SqliteValue, sqliteLibrary } from "./sqlite-connection.js";

const SETTINGS = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL";

export class SqliteWriter {
  /** Bytes of records put since the last commit: counted by the user. */
  pendingBytes = 0;
  /** After a failed commit its frames may be in the write-ahead log, and a crash would bring them back. */
  private isDoubtful = false;
  private readonly statements = new Map<string, Statement>();

  /** Makes the database if there is none. @throws SqliteError */
  static open(path: string): SqliteWriter {
    const { Database } = sqliteLibrary(path);
    // Whoever made it was killed: the caller holds the store's own lock.
    if (existsSync(`${path}.lock`)) rmdirSync(`${path}.lock`);
    if (hasHotJournal(path))
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
    if (!this.inTransaction) {
      this.settle();
      this.exec("BEGIN IMMEDIATE");
    }
    const statement = this.statement(sql);
    try {
      statement.run(values);
    } catch (error) {
      this.forget(sql);
      throw new SqliteError(error);
    }
  }

  /** All rows: a statement that is not run to its end would hold on to the write-ahead log. @throws SqliteError */
  all(sql: string, values: SqliteValue[] = []): SqliteRow[] {
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
    try {
      this.exec("COMMIT");
      this.pendingBytes = 0;
    } catch (error) {
      this.isDoubtful = true;
      this.rollback();
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

  rollback(): void {
    this.pendingBytes = 0;
    if (this.inTransaction) quietly(() => this.database.exec("ROLLBACK"));
  }

  /** What is not committed is undone. The write-ahead log is written back and removed, if that is possible. */
  close(): void {
    this.rollback();
    for (const sql of [...this.statements.keys()]) this.forget(sql);
    quietly(() => this.database.close());
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
