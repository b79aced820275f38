/** One connection to a staged SQLite database: statements and rows, and no errors but `SqliteError`. */
import { rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Database, Statement } from "node-sqlite3-wasm";
import { InputError } from "./input-error.js";
import { hasHotJournal, stageDatabase } from "./private-copy.js";

type Library = typeof import("node-sqlite3-wasm");
export type SqliteValue = number | bigint | string | Uint8Array | null;
export type SqliteRow = Readonly<Record<string, SqliteValue>>;

/** What SQLite says when it cannot go on. */
export class SqliteError extends Error {
  override readonly name = "SqliteError";
  /** Damage that was found in the database: the connection itself is sound. */
  readonly isDamage: boolean;

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.isDamage = cause instanceof Damage || this.message.includes("malformed");
  }

  /** Damage that SQLite itself did not see. */
  static damage(message: string): SqliteError {
    return new SqliteError(new Damage(message));
  }
}
class Damage extends Error {}

/** The lock that is taken at the first read stays: neither lock files nor shared memory are asked for again. */
const SETTINGS = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON";
/** Lets SQLite open a file that is shorter than it should be, and one with a statement it does not understand. */
const FORGIVING = "PRAGMA writable_schema = ON";
const FIRST_READ = "SELECT count(*) FROM sqlite_schema";

let loaded: Library | undefined;

/**
 * Loaded when it is needed first: most inputs are none of SQLite's.
 * @throws InputError `input-unsupported`
 */
export function sqliteLibrary(path: string): Library {
  try {
    // The package is CommonJS whose exports Node cannot see from outside.
    loaded ??= createRequire(import.meta.url)("node-sqlite3-wasm") as Library;
    return loaded;
  } catch (error) {
    const { message } = new SqliteError(error);
    throw new InputError("input-unsupported", path, `the SQLite library cannot be loaded: ${message}`);
  }
}

export class SqliteConnection {
  /** Statements in use, and those that wait to be used again. */
  private readonly active = new Set<Statement>();
  private readonly idle = new Map<string, Statement>();
  private isOpen = true;

  /**
   * `isForgiving`: opens damaged databases, too.
   * @throws SqliteError; InputError when the library or a place to work in is missing.
   */
  static open(path: string, isForgiving = false): SqliteConnection {
    const { Database } = sqliteLibrary(path);
    const staged = stageDatabase(path);
    let database: Database | undefined;
    try {
      database = new Database(staged.file, { readOnly: !staged.isCopy, fileMustExist: true });
      if (staged.isCopy) giveUpLock(database, staged.file);
      if (isForgiving) database.exec(FORGIVING);
      database.exec(SETTINGS);
      database.get(FIRST_READ);
      if (staged.isCopy && hasHotJournal(staged.file))
        throw new SqliteError("the rollback journal beside it cannot be applied");
      database.exec("PRAGMA query_only = ON");
      return new SqliteConnection(database, () => staged.remove());
    } catch (error) {
      if (database !== undefined) quietly(() => database?.close());
      throw new SqliteError(error);
    } finally {
      // All files are open now; their names are not needed any more.
      staged.remove();
    }
  }

  private constructor(
    private readonly database: Database,
    private readonly removeFiles: () => void,
  ) {}

  get isBusy(): boolean {
    return this.active.size > 0;
  }

  /** @throws SqliteError. */
  *rows(sql: string, values: SqliteValue[] = []): Generator<SqliteRow> {
    const statement = this.take(sql);
    let isSound = true;
    this.active.add(statement);
    try {
      const iterator = statement.iterate(values);
      for (;;) {
        let step: IteratorResult<unknown>;
        try {
          step = iterator.next();
        } catch (error) {
          isSound = false;
          throw new SqliteError(error);
        }
        if (step.done === true) return;
        yield step.value as SqliteRow;
        if (!this.isOpen) return;
      }
    } finally {
      this.active.delete(statement);
      if (this.isOpen) this.giveBack(sql, statement, isSound);
    }
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (const statement of [...this.active, ...this.idle.values()]) quietly(() => statement.finalize());
    quietly(() => this.database.close());
    this.removeFiles();
  }

  private take(sql: string): Statement {
    const waiting = this.idle.get(sql);
    if (this.idle.delete(sql) && waiting !== undefined) return waiting;
    try {
      return this.database.prepare(sql);
    } catch (error) {
      throw new SqliteError(error);
    }
  }

  /** One that failed cannot be used again. */
  private giveBack(sql: string, statement: Statement, isSound: boolean): void {
    if (isSound && !this.idle.has(sql)) this.idle.set(sql, statement);
    else quietly(() => statement.finalize());
  }
}

/**
 * SQLite applies a rollback journal unless somebody still writes. The library takes the lock it has itself for that
 * somebody's, and would read half a transaction without a word. So it gets to believe it still has a lock that is gone.
 */
function giveUpLock(database: Database, file: string): void {
  const lock = `${file}.lock`;
  database.exec(`${FORGIVING}; BEGIN`);
  database.get("PRAGMA user_version");
  writeFileSync(join(lock, "kept"), "");
  database.exec(`COMMIT; ${FORGIVING.replace("ON", "OFF")}`);
  rmSync(lock, { recursive: true, force: true });
}

/** The library reports the failure that was reported before once more when things are put away. */
function quietly(action: () => void): void {
  try {
    action();
  } catch {
    // Said already.
  }
}
