/**
 * PALite page logs: a directory of SQLite databases, or one of them (formats: page-log stores §2). Which tables a
 * database holds is seen from its schema, not from its name; all of them are opened, so shards need no rule.
 */
import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import {
  paliteCheckpointColumns as CHECKPOINT,
  PALITE_SHARD_DIGITS,
  paliteGlobals,
  palitePageColumns,
  paliteShardName,
  paliteTables,
} from "../../formats/palite.js";
import { SQLITE_MAGIC } from "../../formats/sqlite.js";
import { collectChain } from "./chain.js";
import { FileAccess, readRange } from "./file.js";
import { InputError, systemError } from "./input-error.js";
import { IssueLog } from "./issue-log.js";
import { unsigned } from "./palite-row.js";
import { PaliteShard } from "./palite-shard.js";
import { parseCreateTable } from "./sqlite/create-table.js";
import { SqliteCursor } from "./sqlite/cursor.js";
import { openSqlite, type SqliteDatabase } from "./sqlite/database.js";
import { RecordView } from "./sqlite/record.js";
import type { CheckpointRecord, PageLog, PageLogGlobals, PageRecord, Place, StoreIssue } from "./types.js";

/** Databases kept in memory with their caches; of more, those done with are put away. */
const MAX_RESIDENT = 32;

/**
 * Opens a directory of databases, or a single one.
 * @throws InputError when there is no database with a table of a page log, and what opening a file throws.
 */
export function openPalite(path: string): PaliteStore {
  const log = new IssueLog();
  const databases = databaseFiles(path).flatMap((file) => openDatabase(file, path, log));
  const store = new PaliteStore(path, databases, log);
  if (store.isPageLog) return store;
  store.close();
  throw new InputError("input-unknown", path, "no SQLite database with tables of a page log");
}

export class PaliteStore implements PageLog {
  readonly kind = "palite";
  readonly generation: string;
  readonly size: number;
  readonly globals: PageLogGlobals;
  private readonly shards: readonly PaliteShard[];
  private shardsByTable: ReadonlyMap<bigint, readonly PaliteShard[]> | undefined;

  constructor(
    readonly path: string,
    private readonly databases: readonly SqliteDatabase[],
    private readonly log: IssueLog,
  ) {
    this.size = databases.reduce((sum, { size }) => sum + size, 0);
    this.shards = databases.flatMap((database) => PaliteShard.of(database) ?? []);
    this.generation = generationOf(this.shards, databases);
    this.globals = this.readGlobals();
  }

  /** Whether any of the tables of a page log is there. */
  get isPageLog(): boolean {
    return this.databases.some(hasPageLogTable);
  }

  get issues(): readonly StoreIssue[] {
    return this.log.list;
  }

  *records(): IterableIterator<PageRecord> {
    for (const [tableId, shards] of this.tables()) {
      const sources = shards.map((shard) => shard.records(tableId));
      yield* sources.length === 1 ? (sources[0] as Generator<PageRecord>) : merged(sources, 1);
      if (this.databases.length > MAX_RESIDENT) for (const { database } of shards) database.release();
    }
  }

  chain(tableId: bigint, pageId: bigint, lsn: bigint, limit = 1000): PageRecord[] {
    return collectChain(this.recordsDown(tableId, pageId, lsn), limit, this.log);
  }

  record(tableId: bigint, pageId: bigint, lsn: bigint): PageRecord | undefined {
    const found = this.recordsDown(tableId, pageId, lsn).next();
    return found.done !== true && found.value.lsn === lsn ? found.value : undefined;
  }

  checkpoints(): CheckpointRecord[] {
    const records: CheckpointRecord[] = [];
    for (const { values, place, database } of this.rows(paliteTables.checkpoints)) {
      const lsn = values.integer(CHECKPOINT.lsn);
      const timestamp = values.integer(CHECKPOINT.timestamp);
      const metadata = values.bytes(CHECKPOINT.metadata);
      if (
        lsn === undefined ||
        timestamp === undefined ||
        metadata === undefined ||
        values.problem !== undefined
      )
        this.log.add(
          "palite-checkpoint",
          place,
          `a row of checkpoints is damaged${values.problem === undefined ? "" : `: ${values.problem}`}`,
        );
      if (lsn !== undefined)
        records.push({
          lsn: unsigned(lsn),
          timestamp: unsigned(timestamp ?? 0n),
          metadata: values.isText(CHECKPOINT.metadata)
            ? new TextEncoder().encode(database.text(metadata as Uint8Array))
            : (metadata ?? new Uint8Array(0)).slice(),
          place,
        });
    }
    return records.sort((a, b) => compare(a.lsn, b.lsn) || compare(a.timestamp, b.timestamp));
  }

  close(): void {
    for (const database of this.databases) database.close();
  }

  private recordsDown(tableId: bigint, pageId: bigint, lsn: bigint): Generator<PageRecord> {
    const shards = this.tables().get(tableId) ?? [];
    return merged(
      shards.map((shard) => shard.recordsDown(tableId, pageId, lsn)),
      -1,
    );
  }

  /** The shards of each table, by ascending table id. */
  private tables(): ReadonlyMap<bigint, readonly PaliteShard[]> {
    if (this.shardsByTable !== undefined) return this.shardsByTable;
    const found = new Map<bigint, PaliteShard[]>();
    for (const shard of this.shards) {
      for (const tableId of shard.tables) found.set(tableId, [...(found.get(tableId) ?? []), shard]);
      if (this.databases.length > MAX_RESIDENT) shard.database.release();
    }
    this.shardsByTable = new Map([...found].sort(([a], [b]) => compare(a, b)));
    return this.shardsByTable;
  }

  private readGlobals(): PageLogGlobals {
    const { old, current, value } = paliteGlobals;
    const byKey = new Map<number, bigint>();
    let isOld = false;
    for (const { values, place } of this.rows(paliteTables.globals)) {
      const key = values.integer(old.column) ?? values.integer(current.column);
      const number = values.integer(value);
      isOld ||= values.has(old.column);
      if (key !== undefined && number !== undefined) byKey.set(Number(key), unsigned(number));
      else this.log.add("palite-global", place, "a counter cannot be read");
    }
    const global = <K extends keyof PageLogGlobals>(name: K, key: number): { [P in K]?: bigint } =>
      (byKey.has(key) ? { [name]: byKey.get(key) } : {}) as { [P in K]?: bigint };
    if (!byKey.has(old.lsn)) return {};
    return isOld
      ? {
          ...global("lsnCounter", old.lsn),
          lsnCounterIs: "next",
          ...global("checkpointCompleted", old.checkpointCompleted),
          ...global("checkpointStarted", old.checkpointStarted),
        }
      : {
          ...global("lsnCounter", current.lsn),
          lsnCounterIs: "last",
          ...global("highestTableId", current.highestTableId),
        };
  }

  /** The rows of a small table, in every database that has it. */
  private *rows(name: string): Generator<{ values: NamedRecord; place: Place; database: SqliteDatabase }> {
    for (const database of this.databases) {
      const table = database.schema.find((entry) => entry.type === "table" && entry.name === name);
      const shape = table === undefined ? undefined : parseCreateTable(table.sql);
      if (table === undefined) continue;
      if (shape === undefined || shape.withoutRowid) {
        this.log.add("palite-columns", { file: database.path }, `table ${name} cannot be read`, {
          actual: table.sql,
        });
        continue;
      }
      const values = new NamedRecord(shape.stored);
      const cursor = new SqliteCursor(database, table.root, true, `table ${name}`).watchForLoops();
      for (let more = cursor.first(); more; more = cursor.next()) {
        if (values.read(cursor)) yield { values, place: cursor.place, database };
        else this.log.add("palite-row", cursor.place, `a row of ${name} is no record`);
      }
    }
  }
}

/** A row's columns by name. */
class NamedRecord {
  problem: string | undefined;
  private readonly record = new RecordView();
  private readonly columns: ReadonlyMap<string, number>;
  private readonly rowidColumn: string | undefined;
  private rowid = 0;

  constructor(stored: ReadonlyArray<{ readonly name: string; readonly isRowid: boolean }>) {
    this.columns = new Map(stored.map(({ name }, index) => [name, index]));
    this.rowidColumn = stored.find(({ isRowid }) => isRowid)?.name;
  }

  read(cursor: SqliteCursor): boolean {
    const payload = cursor.payload();
    this.problem = cursor.payloadProblem;
    this.rowid = cursor.rowid;
    return this.record.read(payload);
  }

  has(name: string): boolean {
    return this.columns.has(name);
  }

  integer(name: string): bigint | undefined {
    if (name === this.rowidColumn) return BigInt(this.rowid);
    const column = this.columns.get(name);
    return column === undefined ? undefined : this.record.integer(column);
  }

  bytes(name: string): Uint8Array | undefined {
    const column = this.columns.get(name);
    return column === undefined ? undefined : this.record.bytes(column);
  }

  isText(name: string): boolean {
    const column = this.columns.get(name);
    return column !== undefined && this.record.isText(column);
  }
}

/** Records of several sources, each in order; `direction` −1: descending LSNs of one page. */
function* merged(sources: Generator<PageRecord>[], direction: 1 | -1): Generator<PageRecord> {
  const heads = sources.map((source) => source.next());
  for (;;) {
    let best = -1;
    heads.forEach((head, at) => {
      const leader = heads[best]?.value as PageRecord | undefined;
      if (head.done === true) return;
      if (leader === undefined || compareRecords(head.value, leader) * direction < 0) best = at;
    });
    const head = heads[best];
    if (head === undefined || head.done === true) return;
    yield head.value;
    heads[best] = (sources[best] as Generator<PageRecord>).next();
  }
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
const compareRecords = (a: PageRecord, b: PageRecord): number =>
  compare(a.pageId, b.pageId) || compare(a.lsn, b.lsn);

function generationOf(shards: readonly PaliteShard[], databases: readonly SqliteDatabase[]): string {
  const [shard] = shards;
  if (shard === undefined) return "PALite (no pages)";
  const { isDelta, delta, discarded, encryption } = palitePageColumns;
  const stored = new Set(shard.shape.stored.map(({ name }) => name));
  const digits = paliteShardName.exec(basename(shard.database.path))?.[1]?.length;
  const together = databases.some(
    ({ schema }) =>
      new Set(
        schema
          .map(({ name }) => name)
          .filter((name) => name === paliteTables.pages || name === paliteTables.globals),
      ).size === 2,
  );
  const form = stored.has(discarded) ? " (discarded column)" : "";
  if (stored.has(isDelta)) return `PALite P0${form}`;
  if (stored.has(delta) || together) return `PALite P1${form}`;
  if (stored.has(encryption)) return `PALite P2${form}`;
  return `PALite ${digits === undefined || digits === PALITE_SHARD_DIGITS ? "P4" : "P3"}${form}`;
}

/** The file itself, or the databases of a directory. */
function databaseFiles(path: string): string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new InputError("input-missing", path, "no such file or directory");
  return stat.isDirectory() ? paliteDatabases(path) : [path];
}

/** SQLite databases in a directory, by their content or a page file's name, in the order of names; empty if it is none. */
export function paliteDatabases(directory: string): string[] {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  try {
    return readdirSync(directory)
      .sort()
      .map((name) => join(directory, name))
      .filter((file) => paliteShardName.test(basename(file)) || isSqlite(file));
  } catch (error) {
    throw systemError(directory, error);
  }
}

/** Whether a SQLite database has any of the tables of a page log, as far as its schema can be read. */
export function isPaliteDatabase(file: string): boolean {
  try {
    const database = openSqlite(file);
    const found = hasPageLogTable(database);
    database.close();
    return found;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

const TABLES = new Set<string>(Object.values(paliteTables));
const hasPageLogTable = ({ schema }: SqliteDatabase): boolean =>
  schema.some(({ type, name }) => type === "table" && TABLES.has(name));

/** Whether a file begins as SQLite databases do. */
function isSqlite(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  try {
    const file = new FileAccess(path);
    const start = readRange(file, 0, SQLITE_MAGIC.length);
    file.close();
    return start.length === SQLITE_MAGIC.length && start.every((byte, at) => byte === SQLITE_MAGIC[at]);
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** One damaged database of several is an issue; alone it is the input that cannot be opened. */
function openDatabase(file: string, path: string, log: IssueLog): SqliteDatabase[] {
  try {
    return [openSqlite(file, log)];
  } catch (error) {
    if (!(error instanceof InputError) || file === path || error.code === "input-unsupported") throw error;
    // A table's file is made before its first page is written: one without a byte may be all there was.
    const severity = error.code === "input-empty" ? "warning" : "error";
    log.add("palite-file", { file }, error.reason, { severity });
    return [];
  }
}
