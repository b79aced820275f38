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
  paliteSchemas,
  paliteShardName,
  paliteTables,
  SQLITE_MAGIC,
} from "../../formats/palite.js";
import type { Severity } from "../codec/schema.js";
import { collectChain } from "./chain.js";
import { FileAccess, readRange } from "./file.js";
import { InputError, systemError } from "./input-error.js";
import { IssueLog } from "./issue-log.js";
import { asBytes, compareIds, compareKeys, integer, quoted, unsigned } from "./palite-row.js";
import { PaliteShard } from "./palite-shard.js";
import { openSqlite, SqliteError, type SqliteFile, type SqliteRow, startsLikeSqlite } from "./sqlite.js";
import { ROWID, reachableRows } from "./sqlite-reachable.js";
import type { CheckpointRecord, PageLog, PageLogGlobals, PageRecord, StoreIssue } from "./types.js";

/**
 * Opens a directory of databases, or a single one.
 * @throws InputError when there is no database with a table of a page log, and what opening a file throws.
 */
export function openPalite(path: string): PaliteStore {
  const log = new IssueLog();
  const databases = openDatabases(path, log);
  const store = new PaliteStore(path, databases, log);
  if (store.isPageLog) {
    for (const database of databases) reportMissingTables(database);
    return store;
  }
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
    private readonly databases: readonly SqliteFile[],
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
    for (const { row, database } of this.rows(paliteTables.checkpoints)) {
      const lsn = integer(row[CHECKPOINT.lsn]);
      // Without the column, which was told, the times are not known.
      const timestamp = CHECKPOINT.timestamp in row ? integer(row[CHECKPOINT.timestamp]) : 0n;
      const metadata = row[CHECKPOINT.metadata];
      if (lsn === undefined || timestamp === undefined || !(metadata instanceof Uint8Array))
        this.log.add("palite-checkpoint", database.place, "a row of checkpoints is damaged", {
          path: `row ${row[ROWID]}`,
        });
      if (lsn !== undefined)
        records.push({
          lsn: unsigned(lsn),
          timestamp: unsigned(timestamp ?? 0n),
          metadata: metadata instanceof Uint8Array ? metadata : new Uint8Array(0),
          place: database.place,
        });
    }
    return records.sort((a, b) => compareIds(a.lsn, b.lsn) || compareIds(a.timestamp, b.timestamp));
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
    for (const shard of this.shards)
      for (const tableId of shard.tables) found.set(tableId, [...(found.get(tableId) ?? []), shard]);
    this.shardsByTable = new Map([...found].sort(([a], [b]) => compareIds(a, b)));
    return this.shardsByTable;
  }

  private readGlobals(): PageLogGlobals {
    const { old, current, value } = paliteGlobals;
    const byKey = new Map<number, bigint>();
    let isOld = false;
    for (const { row, database } of this.rows(paliteTables.globals)) {
      const key = integer(row[old.column] ?? row[current.column]);
      const number = integer(row[value]);
      isOld ||= row[old.column] !== undefined;
      if (key !== undefined && number !== undefined) byKey.set(Number(key), unsigned(number));
      else
        this.log.add("palite-global", database.place, "a counter cannot be read", {
          path: `row ${row[ROWID]}`,
        });
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
  private *rows(name: string): Generator<{ row: SqliteRow; database: SqliteFile }> {
    for (const database of this.databases) {
      const columns = database.tables.has(name) ? this.columnsOf(database, name) : undefined;
      if (columns === undefined) continue;
      const rows = reachableRows(database, name, columns);
      let step = rows.next();
      for (; step.done !== true; step = rows.next()) yield { row: step.value, database };
      for (const { low, high } of step.value)
        this.log.add("palite-gap", database.place, `rows ${low} to ${high} of table ${name} cannot be read`, {
          path: `${name} from ${low}`,
        });
    }
  }

  /** What to select from a small table: the columns that are known, under their known names. */
  private columnsOf(database: SqliteFile, table: string): string | undefined {
    try {
      const stored = database.storedColumns(table) ?? [];
      const selected = stored.flatMap((column) => {
        const name = SMALL_COLUMNS.find((known) => known === column.toLowerCase());
        if (name === undefined) return [];
        return [`${name === CHECKPOINT.metadata ? asBytes(quoted(column)) : quoted(column)} AS ${name}`];
      });
      const names = stored.map((column) => column.toLowerCase());
      const missing = neededColumns(table, names).filter((name) => !names.includes(name));
      if (missing.length > 0) this.reportColumns(database, table, missing, stored);
      // What is left without another column would only be the same, row by row.
      if (missing.every((name) => name === CHECKPOINT.timestamp)) return selected.join(", ");
    } catch (error) {
      if (!(error instanceof SqliteError)) throw error;
      database.damage(`table ${table}`, error);
    }
    return undefined;
  }

  private reportColumns(
    { place }: SqliteFile,
    table: string,
    missing: readonly string[],
    stored: readonly string[],
  ): void {
    const message = `table ${table} has no column ${missing.join(" and ")}`;
    this.log.add("palite-columns", place, message, { path: table, actual: stored.join(", ") });
  }
}

/** Columns a small table has. */
function neededColumns(table: string, names: readonly string[]): readonly string[] {
  if (table === paliteTables.checkpoints) return Object.values(CHECKPOINT);
  const { old, current, value } = paliteGlobals;
  return [names.includes(old.column) ? old.column : current.column, value];
}

/** Columns of the tables of checkpoints and counters. */
const SMALL_COLUMNS: readonly string[] = [
  ...Object.values(CHECKPOINT),
  paliteGlobals.old.column,
  paliteGlobals.current.column,
  paliteGlobals.value,
];

/** Records of several sources, each in order; `direction` −1: descending LSNs of one page. */
function* merged(sources: Generator<PageRecord>[], direction: 1 | -1): Generator<PageRecord> {
  const heads = sources.map((source) => source.next());
  for (;;) {
    let best = -1;
    heads.forEach((head, at) => {
      const leader = heads[best]?.value as PageRecord | undefined;
      if (head.done === true) return;
      if (leader === undefined || compareKeys(head.value, leader) * direction < 0) best = at;
    });
    const head = heads[best];
    if (head === undefined || head.done === true) return;
    yield head.value;
    heads[best] = (sources[best] as Generator<PageRecord>).next();
  }
}

function generationOf(shards: readonly PaliteShard[], databases: readonly SqliteFile[]): string {
  const [shard] = shards;
  if (shard === undefined) return "PALite (no pages)";
  const { isDelta, delta, discarded, encryption } = palitePageColumns;
  const stored = new Set(shard.stored.map((name) => name.toLowerCase()));
  const digits = paliteShardName.exec(basename(shard.file.path))?.[1]?.length;
  const together = databases.some(
    ({ tables }) => tables.has(paliteTables.pages) && tables.has(paliteTables.globals),
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

/** SQLite databases in a directory, by their content or their name, in the order of names; empty if it is none. */
export function paliteDatabases(directory: string): string[] {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  try {
    return readdirSync(directory)
      .sort()
      .map((name) => join(directory, name))
      .filter((file) => isPaliteName(basename(file)) || isSqlite(file));
  } catch (error) {
    throw systemError(directory, error);
  }
}

/** Names a store's databases have in one of the layouts. */
const isPaliteName = (name: string): boolean => tablesOf(name).length > 0;

/** The tables a database of this name has in the layouts that have one. */
function tablesOf(name: string): string[] {
  if (paliteShardName.test(name)) return [paliteTables.pages];
  const layout = Object.values(paliteSchemas).find(({ files }) => Object.values(files).includes(name));
  const tables = Object.entries(layout?.files ?? {}).filter(([, file]) => file === name);
  return tables.map(([table]) => paliteTables[table as keyof typeof paliteTables]);
}

function reportMissingTables({ path, place, tables, log }: SqliteFile): void {
  const name = basename(path);
  for (const table of tablesOf(name))
    if (!tables.has(table))
      log.add("palite-table", place, `there is no table ${table} in it`, {
        path: table,
        // A shard is made before its table is.
        severity: paliteShardName.test(name) ? "warning" : "error",
      });
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

const hasPageLogTable = ({ tables }: SqliteFile): boolean =>
  Object.values(paliteTables).some((name) => tables.has(name));

/** Whether a file begins as SQLite databases do. */
function isSqlite(path: string): boolean {
  try {
    // Opens files alone: neither directories nor devices nor links that lead nowhere.
    const file = new FileAccess(path);
    const start = readRange(file, 0, SQLITE_MAGIC.length);
    file.close();
    return startsLikeSqlite(start);
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/**
 * One database of several that cannot be opened is an issue; alone it is the input that cannot be opened. The same
 * engine writes all of them: one that asks for a newer SQLite beside others that do not is damaged.
 */
function openDatabases(path: string, log: IssueLog): SqliteFile[] {
  let unsupported: InputError | undefined;
  const databases = databaseFiles(path).flatMap((file) => {
    try {
      return [openSqlite(file, log)];
    } catch (error) {
      if (!(error instanceof InputError) || file === path) throw error;
      if (error.code === "input-unsupported") unsupported ??= error;
      log.add("palite-file", { file }, error.reason, { severity: severityOf(error, basename(file)) });
      return [];
    }
  });
  if (databases.length === 0 && unsupported !== undefined) throw unsupported;
  return databases;
}

/** A table's file is made before its first page is written: one without a byte may be all there was. */
const severityOf = ({ code }: InputError, name: string): Severity =>
  code === "input-empty" && paliteShardName.test(name) ? "warning" : "error";
