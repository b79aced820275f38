/** The databases of a PALite directory as a writer sees them: their names, making them, which rows go where. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  PALITE_SHARD_DIGITS,
  PALITE_SHARDS,
  type PaliteLayout,
  palitePageColumns,
  paliteSchemas,
  paliteShardName,
  paliteTables,
} from "../../formats/palite.js";
import type { NewRecord } from "./checked-page-log.js";
import { syncDirectory, writeDurably } from "./durable-file.js";
import { signed } from "./palite-row.js";
import { sizeOf } from "./private-copy.js";
import { type RowInsertion, rowInsertion } from "./row-queue.js";
import type { SqliteValue } from "./sqlite-connection.js";
import { SqliteWriter } from "./sqlite-writer.js";

/** Open at a time; layouts with a file a table can have many more. */
const MAX_OPEN = 24;
/** Where databases are made; readers look at files only. */
const WORKSHOP = ".pugmark-new";
const templates = new Map<string, Uint8Array>();

export class PaliteFiles {
  private readonly open = new Map<string, SqliteWriter>();
  /** Files were made or opened for writing since the directory itself was made durable. */
  private isDirectoryDirty = true;

  /** Told when records that were put and not yet committed are gone. */
  onLost: (reason: unknown) => void = () => {};
  /** The database asked for last. */
  private latest: SqliteWriter | undefined;
  private latestName = "";

  constructor(
    readonly directory: string,
    readonly layout: PaliteLayout,
  ) {}

  /** Whether all tables are in one database. */
  get isSingle(): boolean {
    const { files } = paliteSchemas[this.layout];
    return files.pages === files.globals;
  }

  get globals(): SqliteWriter {
    return this.database(paliteSchemas[this.layout].files.globals);
  }

  get checkpoints(): SqliteWriter {
    return this.database(paliteSchemas[this.layout].files.checkpoints);
  }

  /** Name of the database that a new table's rows go to. */
  fileOfTable(tableId: bigint): string {
    const { pages } = paliteSchemas[this.layout].files;
    if (pages.includes("NNNNNN")) return pages.replace("NNNNNN", String(tableId).padStart(6, "0"));
    const shard = String(tableId % BigInt(PALITE_SHARDS)).padStart(PALITE_SHARD_DIGITS, "0");
    return pages.replace("NN", shard);
  }

  /** Names of the databases with pages that are there. */
  pageFiles(): string[] {
    const { pages } = paliteSchemas[this.layout].files;
    const names = readdirSync(this.directory).sort();
    return names.filter((name) => (this.isSingle ? name === pages : paliteShardName.test(name)));
  }

  /** The databases without which there is no store; those that are there already stay as they are. */
  makeControlFiles(): void {
    rmSync(join(this.directory, WORKSHOP), { recursive: true, force: true });
    const { files } = paliteSchemas[this.layout];
    for (const name of new Set([files.checkpoints, files.globals])) this.make(name);
  }

  /** Opened, or made, when it is asked for first. @throws SqliteError, and what the system throws */
  database(name: string): SqliteWriter {
    if (this.latest !== undefined && name === this.latestName) return this.latest;
    let found = this.open.get(name);
    if (found === undefined) {
      this.makeRoom();
      this.make(name);
      found = SqliteWriter.open(join(this.directory, name));
      found.onLost = (reason) => this.onLost(reason);
      this.isDirectoryDirty = true;
    } else this.open.delete(name);
    // The latest one used comes last.
    this.open.set(name, found);
    this.latest = found;
    this.latestName = name;
    return found;
  }

  /** The databases that are open. */
  opened(): SqliteWriter[] {
    return [...this.open.values()];
  }

  /** Bytes of all databases and what lies beside them. */
  get size(): number {
    const { files } = paliteSchemas[this.layout];
    const names = new Set([files.globals, files.checkpoints, ...this.pageFiles()]);
    return [...names]
      .flatMap((name) => [name, `${name}-wal`])
      .reduce((sum, name) => sum + sizeOf(join(this.directory, name)), 0);
  }

  /** The names of new files outlive a loss of power. */
  syncDirectory(): void {
    if (!this.isDirectoryDirty) return;
    syncDirectory(this.directory);
    this.isDirectoryDirty = false;
  }

  close(): void {
    for (const database of this.open.values()) database.close();
    this.open.clear();
    this.latest = undefined;
  }

  private makeRoom(): void {
    const { files } = paliteSchemas[this.layout];
    for (const [name, database] of this.open) {
      if (this.open.size < MAX_OPEN) return;
      if (name === files.globals || name === files.checkpoints) continue;
      database.commit();
      database.close();
      this.open.delete(name);
      if (this.latest === database) this.latest = undefined;
    }
  }

  /** A database with its tables comes into being in one step. */
  private make(name: string): void {
    const path = join(this.directory, name);
    if (existsSync(path)) return;
    const { files } = paliteSchemas[this.layout];
    const workshop = join(this.directory, WORKSHOP);
    mkdirSync(workshop, { recursive: true });
    try {
      const fresh = join(workshop, name);
      writeDurably(fresh, [template(this.layout, paliteShardName.test(name) ? files.pages : name)]);
      renameSync(fresh, path);
    } finally {
      rmSync(workshop, { recursive: true, force: true });
    }
    this.isDirectoryDirty = true;
  }
}

/** The bytes of an empty database of a layout, in WAL mode. */
function template(layout: PaliteLayout, file: string): Uint8Array {
  const key = `${layout} ${file}`;
  let bytes = templates.get(key);
  if (bytes === undefined) {
    bytes = makeTemplate(layout, file);
    templates.set(key, bytes);
  }
  return bytes;
}

function makeTemplate(layout: PaliteLayout, file: string): Uint8Array {
  const { files, ...tables } = paliteSchemas[layout];
  const folder = mkdtempSync(join(tmpdir(), "pugmark-"));
  try {
    const path = join(folder, "0.db");
    const database = SqliteWriter.open(path);
    for (const table of ["pages", "checkpoints", "globals"] as const)
      if (files[table] === file) for (const sql of tables[table]) database.exec(sql);
    database.close();
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Which layout a directory has, by its files; undefined when there is none. Before the first page is put, layouts with
 * several files look alike: then it is the preferred one.
 */
export function layoutOf(directory: string, preferred: PaliteLayout = "P4"): PaliteLayout | undefined {
  const names = readdirSync(directory);
  for (const layout of ["P0", "P1"] as const)
    if (names.includes(paliteSchemas[layout].files.globals)) return layout;
  const shard = names.find((name) => paliteShardName.test(name));
  if (shard === undefined) {
    const { globals, checkpoints } = paliteSchemas.P4.files;
    if (!names.includes(globals) && !names.includes(checkpoints)) return undefined;
    return preferred === "P2" || preferred === "P3" ? preferred : "P4";
  }
  if (paliteShardName.exec(shard)?.[1]?.length === PALITE_SHARD_DIGITS) return "P4";
  const database = SqliteWriter.open(join(directory, shard));
  try {
    return storedPageColumns(database).includes(palitePageColumns.encryption) ? "P2" : "P3";
  } finally {
    database.close();
  }
}

/** Columns the table of pages stores; empty when there is no such table. @throws SqliteError */
export function storedPageColumns(database: SqliteWriter): string[] {
  // Hidden columns: 2 is generated when read.
  const sql = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden IN (0, 3)";
  return database.all(sql, [paliteTables.pages]).map(({ name }) => String(name).toLowerCase());
}

/** The statements that add records; their values are `rowValues` and the data. */
export const pageInsertion = (layout: PaliteLayout): RowInsertion =>
  rowInsertion(paliteTables.pages, pageColumns(layout));

/** LSN, timestamp, text. */
export const CHECKPOINT_INSERTION = `INSERT INTO ${paliteTables.checkpoints} VALUES (?, ?, ?)`;

/** All but the data. `timestamp`: microseconds since 1970. */
export function rowValues(layout: PaliteLayout, record: NewRecord, timestamp: bigint): SqliteValue[] {
  const { tableId, pageId, lsn, backlinkLsn, baseLsn, flags, isDelta } = record;
  const values: SqliteValue[] = [
    signed(tableId),
    signed(pageId),
    signed(lsn),
    signed(backlinkLsn),
    signed(baseLsn),
    flags,
    timestamp,
  ];
  if (layout === "P0" || layout === "P1" || layout === "P2") values.push("");
  if (layout === "P0" || layout === "P1") values.push(isDelta ? 1 : 0);
  return values;
}

/** Columns a layout's table of pages stores, those of all layouts first, the data last. */
export function pageColumns(layout: PaliteLayout): string[] {
  const COLUMN = palitePageColumns;
  const columns: string[] = [COLUMN.tableId, COLUMN.pageId, COLUMN.lsn, COLUMN.backlinkLsn, COLUMN.baseLsn];
  columns.push(COLUMN.flags, COLUMN.timestampMaterializedUs);
  if (layout === "P0" || layout === "P1" || layout === "P2") columns.push(COLUMN.encryption);
  if (layout === "P0") columns.push(COLUMN.isDelta);
  if (layout === "P1") columns.push(COLUMN.delta);
  return [...columns, COLUMN.data];
}
