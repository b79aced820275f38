/**
 * LMDB environments, read from `data.mdb` alone: no lock file is opened or made, nothing is mapped. Nothing in the
 * file is trusted: page numbers, bounds and flags are checked where they are used, damage becomes an issue with its
 * place, and reading goes on behind it.
 */
import {
  LMDB_MAGIC,
  LMDB_NO_PAGE,
  LMDB_PAGE_SIZES,
  LMDB_VERSION,
  lmdbDatabase,
  lmdbDatabaseType,
  lmdbMeta,
  lmdbMetaType,
  lmdbNodeFlags,
  lmdbOffsets,
} from "../../formats/lmdb.js";
import { type Infer, offsetsOf } from "../codec/index.js";
import { decodeText } from "../codec/text.js";
import { readRange } from "./file.js";
import { IssueLog } from "./issue-log.js";
import { LmdbCursor } from "./lmdb-cursor.js";
import type { Place, RandomAccess, StoreIssue } from "./types.js";

export type LmdbMeta = Infer<typeof lmdbMetaType>;
/** A database of the environment: its record, with numbers where they are used as such. */
export interface LmdbDatabase {
  readonly name: string;
  /** Page number of the root; undefined when the database is empty. */
  readonly root: number | undefined;
  readonly flags: number;
  readonly depth: number;
  readonly entries: bigint;
  /** Where its record is. */
  readonly place: Place;
}

const META_LENGTH = offsetsOf(lmdbMetaType).size;
const DATABASE_LENGTH = offsetsOf(lmdbDatabaseType).size;
/** Branch pages kept in memory. */
const CACHE_BYTES = 16 * 1024 * 1024;

interface FoundMeta {
  readonly page: 0 | 1;
  readonly value: LmdbMeta;
}

/** The version in the first bytes of a file if it is an LMDB environment, whatever else is wrong with it. */
export function lmdbVersion(file: RandomAccess): number | undefined {
  const { magic, version } = lmdbOffsets.meta;
  for (const start of metaStarts()) {
    const bytes = readRange(file, start, META_LENGTH);
    if (bytes.length < version + 4) continue;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (view.getUint32(magic, true) === LMDB_MAGIC) return view.getUint32(version, true);
  }
  return undefined;
}

/** The first byte, and every place the second meta page can be at. */
function* metaStarts(): Generator<number> {
  yield 0;
  for (let size = LMDB_PAGE_SIZES.min; size <= LMDB_PAGE_SIZES.max; size *= 2) yield size;
}

export class LmdbEnvironment {
  readonly path: string;
  readonly pageSize: number;
  /** The meta page in force; undefined when none can be used: then there are no databases. */
  readonly meta: LmdbMeta | undefined;
  /** Which meta page that is. */
  readonly metaPage: 0 | 1 | undefined;
  /** Pages that may be referred to: those in use, as far as the file goes. */
  readonly pageCount: number;
  readonly log: IssueLog;
  private readonly cache = new Map<number, Uint8Array>();
  private readonly cacheLimit: number;

  /** `log` collects the damage; the environment closes `file`. */
  constructor(
    readonly file: RandomAccess,
    log = new IssueLog(),
  ) {
    this.path = file.path;
    this.log = log;
    const metas = this.readMetas();
    const newest = metas.reduce<FoundMeta | undefined>(newer, undefined);
    this.meta = newest?.value;
    this.metaPage = newest?.page;
    this.pageSize = newest?.value.freeList.pad ?? 4096;
    this.cacheLimit = Math.max(64, Math.floor(CACHE_BYTES / this.pageSize));
    this.pageCount = this.countPages();
  }

  get issues(): readonly StoreIssue[] {
    return this.log.list;
  }

  /** The database that holds the records of the named ones. */
  get main(): LmdbDatabase | undefined {
    if (this.meta === undefined) return undefined;
    const offset = (this.metaPage as number) * this.pageSize + lmdbOffsets.meta.main;
    return this.databaseOf("main", this.meta.main, { file: this.path, offset });
  }

  /** The named databases, by name. */
  databases(): Map<string, LmdbDatabase> {
    const found = new Map<string, LmdbDatabase>();
    const { main } = this;
    if (main === undefined) return found;
    const cursor = this.cursor(main);
    for (let more = cursor.first(); more; more = cursor.next()) {
      if ((cursor.nodeFlags & lmdbNodeFlags.subDatabase) === 0) continue;
      const database = this.namedDatabase(decodeText(cursor.key()), cursor.value(), cursor.valueOffset);
      if (database !== undefined) found.set(database.name, database);
    }
    return found;
  }

  /** A cursor over a database; several may be in use at once. */
  cursor(database: LmdbDatabase): LmdbCursor {
    return new LmdbCursor(this, database);
  }

  /** A branch page, kept for later. Undefined when the file ends before it. */
  cachedPage(page: number): Uint8Array | undefined {
    const known = this.cache.get(page);
    if (known !== undefined) return known;
    const bytes = readRange(this.file, page * this.pageSize, this.pageSize);
    if (bytes.length < this.pageSize) return undefined;
    // Oldest first is good enough: a tree has few branch pages, and the next seek brings the root back.
    if (this.cache.size >= this.cacheLimit) this.cache.delete(this.cache.keys().next().value as number);
    this.cache.set(page, bytes);
    return bytes;
  }

  close(): void {
    this.cache.clear();
    this.file.close();
  }

  private readMetas(): FoundMeta[] {
    const first = this.readMeta(0, 0);
    if (first !== undefined) return [first, this.readMeta(1, first.value.freeList.pad)].filter(isFound);
    for (const start of metaStarts()) {
      if (start === 0 || !this.hasMagic(start)) continue;
      const second = this.readMeta(1, start);
      return second === undefined ? [] : [second];
    }
    return [];
  }

  private hasMagic(start: number): boolean {
    const bytes = readRange(this.file, start + lmdbOffsets.meta.magic, 4);
    return bytes.length === 4 && new DataView(bytes.buffer).getUint32(0, true) === LMDB_MAGIC;
  }

  private readMeta(page: 0 | 1, start: number): FoundMeta | undefined {
    const bytes = readRange(this.file, start, META_LENGTH);
    const reading = lmdbMeta.read(bytes, { base: start });
    const issue = reading.issues.find(({ severity }) => severity === "error");
    if (!reading.ok || issue !== undefined) {
      this.log.add(
        "lmdb-meta",
        this.at(issue?.offset ?? start),
        `meta page ${page}: ${issue?.message ?? "unreadable"}`,
        {
          path: issue?.path ?? "",
          expected: issue?.expected,
          actual: issue?.actual,
        },
      );
      return undefined;
    }
    const size = reading.value.freeList.pad;
    const wrong = pageSizeProblem(size, page, start);
    if (wrong === undefined) return { page, value: reading.value };
    this.log.add("lmdb-meta", this.at(start + lmdbOffsets.meta.freeList), `meta page ${page}: ${wrong}`, {
      path: "freeList.pad",
      actual: size,
    });
    return undefined;
  }

  private countPages(): number {
    const inFile = Math.floor(this.file.size / this.pageSize);
    if (this.meta === undefined) return inFile;
    const used = this.meta.lastPage + 1n;
    if (used > BigInt(inFile))
      this.log.add("lmdb-truncated", this.at(this.file.size), "the file ends before its last page", {
        expected: (used * BigInt(this.pageSize)).toString(),
        actual: this.file.size,
      });
    return used < BigInt(inFile) ? Number(used) : inFile;
  }

  private namedDatabase(name: string, record: Uint8Array, offset: number): LmdbDatabase | undefined {
    const reading = lmdbDatabase.read(record.subarray(0, DATABASE_LENGTH), { base: offset });
    const issue = reading.issues.find(({ severity }) => severity === "error");
    if (reading.ok && issue === undefined) return this.databaseOf(name, reading.value, this.at(offset));
    this.log.add(
      "lmdb-database",
      this.at(offset),
      `record of database ${name}: ${issue?.message ?? "unreadable"}`,
      {
        path: issue?.path ?? "",
        actual: issue?.actual,
      },
    );
    return undefined;
  }

  private databaseOf(name: string, record: Infer<typeof lmdbDatabaseType>, place: Place): LmdbDatabase {
    const { root, flags, depth, entries } = record;
    const number = root === LMDB_NO_PAGE ? undefined : Number(root);
    return { name, root: number, flags, depth, entries, place };
  }

  private at(offset: number): Place {
    return { file: this.path, offset };
  }
}

const isFound = (meta: FoundMeta | undefined): meta is FoundMeta => meta !== undefined;

function newer(best: FoundMeta | undefined, meta: FoundMeta): FoundMeta {
  return best === undefined || meta.value.transaction > best.value.transaction ? meta : best;
}

function pageSizeProblem(size: number, page: 0 | 1, start: number): string | undefined {
  const power = Number.isInteger(Math.log2(size));
  if (!power || size < LMDB_PAGE_SIZES.min || size > LMDB_PAGE_SIZES.max)
    return `a page cannot have ${size} bytes`;
  return page === 1 && size !== start
    ? `page size ${size} where the other meta page says ${start}`
    : undefined;
}

/** Of another version of the format (LMDB 1.0, development builds): not an environment we can read. */
export const isSupportedLmdb = (version: number): boolean => version === LMDB_VERSION;
