/**
 * PALite page logs: SQLite databases of pages, checkpoints and counters (formats: page-log stores §2). The tables as
 * SQL, and a row of `pages` as the SQLite record it is stored as.
 */
import {
  add,
  bytes,
  generations,
  lengthOf,
  type Node,
  offsetsOf,
  ref,
  struct,
  symbolList,
  type Type,
  u32be,
} from "../src/codec/index.js";
import { pageLogFlagSymbols } from "./page-log.js";
import {
  sqliteBlobType,
  sqliteContentSize,
  sqliteInteger,
  sqliteIntegerType,
  sqliteTextType,
  sqliteVarint,
  sqliteVarintLength,
} from "./sqlite-record.js";

/** First 16 bytes of a SQLite database: `SQLite format 3` and a NUL. */
export const SQLITE_MAGIC = Uint8Array.from("SQLite format 3\0", (letter) => letter.charCodeAt(0));
/** The byte that says which readers understand the file. */
export const sqliteReadVersion = { offset: 19, newest: 2 } as const;

/** First 8 bytes of a rollback journal; without them SQLite undoes nothing. */
export const SQLITE_JOURNAL_MAGIC = Uint8Array.of(0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7);

// Of a write-ahead log as much as it takes to see that something was lost; all numbers are big-endian.
const salts = { salt1: u32be({ doc: "changes whenever the log begins anew" }), salt2: u32be() };
const checksums = { checksum1: u32be({ hex: true }), checksum2: u32be({ hex: true }) };
/** The first 32 bytes. */
export const SQLITE_WAL_HEADER = offsetsOf(
  struct({
    magic: u32be({ hex: true }),
    version: u32be(),
    pageSize: u32be(),
    checkpointSequence: u32be(),
    ...salts,
    ...checksums,
  }),
);
/** The 24 bytes in front of each page. */
export const SQLITE_WAL_FRAME = offsetsOf(
  struct({
    pageNumber: u32be(),
    pageCount: u32be({ doc: "pages of the database after the commit this frame ends; else 0" }),
    ...salts,
    ...checksums,
  }),
);

export const paliteTables = { pages: "pages", checkpoints: "checkpoints", globals: "globals" } as const;

/** Columns of `pages`, in any layout. */
export const palitePageColumns = {
  tableId: "table_id",
  pageId: "page_id",
  lsn: "lsn",
  backlinkLsn: "backlink_lsn",
  baseLsn: "base_lsn",
  flags: "flags",
  /** P0: stored. */
  isDelta: "is_delta",
  /** P1: stored; later generated from the flags. */
  delta: "delta",
  /** Generated from the flags; in one form stored. */
  discarded: "discarded",
  encryption: "encryption",
  timestampMaterializedUs: "timestamp_materialized_us",
  data: "page_data",
} as const;

export const paliteCheckpointColumns = {
  lsn: "lsn",
  timestamp: "timestamp",
  metadata: "checkpoint_metadata",
} as const;

/** Counters: the first column's name tells the two forms apart. */
export const paliteGlobals = {
  /** P0, P1. The LSN counter is the next LSN to be given. */
  old: { column: "key", lsn: 0, checkpointCompleted: 1, checkpointStarted: 2 },
  /** Since P2. The LSN counter is the last LSN given. */
  current: { column: "id", lsn: 0, highestTableId: 1 },
  value: "val",
} as const;

/** Shards of P4: `pages_00.db` to `pages_16.db`. Two digits there, six (a table id) in P2 and P3. */
export const PALITE_SHARDS = 17;
export const paliteShardName = /^pages_(\d+)\.db$/;
export const PALITE_SHARD_DIGITS = 2;

export type PaliteLayout = "P0" | "P1" | "P2" | "P3" | "P4";

const key = "PRIMARY KEY (table_id, page_id, lsn)";
const place = "table_id INTEGER NOT NULL, page_id INTEGER NOT NULL, lsn INTEGER NOT NULL";
const links = "backlink_lsn INTEGER NOT NULL, base_lsn INTEGER NOT NULL";
const generated =
  "delta INTEGER AS ((flags & 0x2) != 0) VIRTUAL, discarded INTEGER AS ((flags & 0x10000) != 0) VIRTUAL";
const rest = "timestamp_materialized_us INTEGER NOT NULL, page_data BLOB";
// STRING is no type SQLite knows: a value that looks like a number is stored as one.
const encryption = "encryption STRING NOT NULL";
const deltaIndex = (condition: string) =>
  `CREATE UNIQUE INDEX ux_delta ON pages (table_id, page_id, backlink_lsn) WHERE ${condition}`;
const checkpoints =
  "CREATE TABLE checkpoints (lsn INTEGER NOT NULL, timestamp INTEGER NOT NULL, checkpoint_metadata BLOB, PRIMARY KEY (lsn, timestamp))";
const oldGlobals = "CREATE TABLE globals (key INTEGER NOT NULL, val INTEGER NOT NULL, PRIMARY KEY (key))";
const globals =
  "CREATE TABLE globals (id INTEGER CHECK (id = 0 OR id = 1), val INTEGER NOT NULL, PRIMARY KEY (id, val))";

export interface PaliteSchema {
  readonly when: string;
  /** Database file names below `kv_home`; pages files: by `paliteShardName`, with so many digits. */
  readonly files: { readonly pages: string; readonly checkpoints: string; readonly globals: string };
  readonly pages: readonly string[];
  readonly checkpoints: readonly string[];
  readonly globals: readonly string[];
}

const singleFile = (name: string) => ({ pages: name, checkpoints: name, globals: name });
const severalFiles = (digits: string) => ({
  pages: `pages_${digits}.db`,
  checkpoints: "checkpoints.db",
  globals: "globals.db",
});

/** The statements that make each layout, as data for writers and tests. */
export const paliteSchemas: Readonly<Record<PaliteLayout, PaliteSchema>> = {
  P0: {
    when: "September 2025",
    files: singleFile("sqlite.database"),
    pages: [
      `CREATE TABLE pages (${place}, is_delta INTEGER NOT NULL, ${links}, flags INTEGER NOT NULL, ${encryption}, ${rest}, ${key})`,
    ],
    checkpoints: [checkpoints],
    globals: [oldGlobals],
  },
  P1: {
    when: "September and October 2025",
    files: singleFile("sqlite.db"),
    pages: [
      `CREATE TABLE pages (${place}, ${links}, flags INTEGER NOT NULL, delta INTEGER NOT NULL, ${encryption}, ${rest}, ${key})`,
      deltaIndex("delta = 1"),
    ],
    checkpoints: [checkpoints],
    globals: [oldGlobals],
  },
  P2: {
    when: "October and November 2025",
    files: severalFiles("NNNNNN"),
    pages: [
      `CREATE TABLE pages (${place}, ${links}, flags INTEGER NOT NULL, ${generated}, ${encryption}, ${rest}, ${key})`,
      deltaIndex("delta = 1 AND discarded = 0"),
    ],
    checkpoints: [checkpoints],
    globals: [globals],
  },
  P3: {
    when: "February 2026",
    files: severalFiles("NNNNNN"),
    pages: [
      `CREATE TABLE pages (${place}, ${links}, flags INTEGER NOT NULL, ${generated}, ${rest}, ${key})`,
      deltaIndex("delta = 1 AND discarded = 0"),
    ],
    checkpoints: [checkpoints],
    globals: [globals],
  },
  P4: {
    when: "since March 2026",
    files: severalFiles("NN"),
    pages: [
      `CREATE TABLE pages (${place}, ${links}, flags INTEGER NOT NULL, ${generated}, ${rest}, ${key})`,
      deltaIndex("delta = 1 AND discarded = 0"),
    ],
    checkpoints: [checkpoints],
    globals: [globals],
  },
};

/** The form with a stored `discarded` column, as public tooling's tests have it. */
export const paliteDiscardedColumn = `CREATE TABLE pages (${place}, ${links}, flags INTEGER NOT NULL, discarded INTEGER NOT NULL DEFAULT 0, ${rest}, ${key})`;

// Rows as stored. Generated columns are not; a row's columns are its record's, in the order of the table.

const column = {
  integer: {
    type: sqliteIntegerType,
    of: (field: string, doc?: string) => sqliteInteger(field, doc) as Type<unknown>,
  },
  text: {
    type: sqliteTextType,
    of: (field: string) => bytes(sqliteContentSize(ref(field)), { secret: true }),
  },
  blob: { type: sqliteBlobType, of: (field: string) => bytes(sqliteContentSize(ref(field))) },
} as const;
type Columns = Readonly<Record<string, readonly [keyof typeof column, string?]>>;

const identity: Columns = { tableId: ["integer"], pageId: ["integer"], lsn: ["integer"] };
const linkColumns: Columns = {
  backlinkLsn: ["integer", "LSN of the page's record before it"],
  baseLsn: ["integer", "LSN of the full image a delta builds on; 0 in an image"],
};
const flagNames = symbolList(pageLogFlagSymbols).map(([name, mask]) => `0x${mask.toString(16)} ${name}`);
const flagColumn: Columns = { flags: ["integer", `page-log flags: ${flagNames.join(", ")}`] };
const restColumns: Columns = {
  timestampMaterializedUs: [
    "integer",
    "microseconds since 1970; in the future only where tests delay a page",
  ],
  data: ["blob"],
};

/** A record: the header's length, a serial type a column, the contents. */
function rowType(columns: Columns): Type<Record<string, unknown>> {
  const types = Object.keys(columns).map((name) => `${name}Type`);
  const headerSize = sqliteVarint({
    doc: "bytes of the header, this field included",
    derive: types.map(lengthOf).reduce(add, 1),
  });
  const fields: Record<string, Node> = { headerSize };
  for (const [name, [kind]] of Object.entries(columns)) fields[`${name}Type`] = column[kind].type();
  for (const [name, [kind, doc]] of Object.entries(columns))
    fields[name] = column[kind].of(`${name}Type`, doc);
  return struct(fields, { rules: [headerRule(types)] }) as Type<Record<string, unknown>>;
}

const headerRule = (types: readonly string[]) => ({
  code: "record-header",
  doc: "the header is its length and the serial types of the columns, nothing else",
  check: (row: Readonly<Record<string, unknown>>) => {
    const expected = types.reduce((sum, type) => sum + sqliteVarintLength(row[type] as number), 1);
    const { headerSize: actual } = row;
    return actual === undefined || actual === expected ? undefined : { path: "headerSize", expected, actual };
  },
});

/** A row of `pages`. 64-bit numbers are signed in SQLite: those from 2^63 on are stored as negative ones. */
export const paliteRow = generations(
  {
    name: "palite-row",
    title: "Row of a PALite page log",
    source: "page-log stores §2",
    doc: "The SQLite record of a row of table `pages`. A discarded page is a row with flags DELTA and 0x10000 and no data.",
  },
  {
    P4: {
      when: "since February 2026 (P3, P4)",
      type: rowType({ ...identity, ...linkColumns, ...flagColumn, ...restColumns }),
    },
    P2: {
      when: "October and November 2025",
      type: rowType({ ...identity, ...linkColumns, ...flagColumn, encryption: ["text"], ...restColumns }),
    },
    P1: {
      when: "September and October 2025",
      type: rowType({
        ...identity,
        ...linkColumns,
        ...flagColumn,
        delta: ["integer"],
        encryption: ["text"],
        ...restColumns,
      }),
    },
    P0: {
      when: "September 2025",
      type: rowType({
        ...identity,
        isDelta: ["integer"],
        ...linkColumns,
        ...flagColumn,
        encryption: ["text"],
        ...restColumns,
      }),
    },
  },
  {
    detection:
      "The number of columns; between P0 and P1, whose delta column holds 0 or 1. The table's SQL says it for sure.",
    choose: (fits) =>
      fits.find(({ generation, value }) => {
        const delta = generation === "P0" ? value.isDelta : generation === "P1" ? value.delta : 0n;
        return delta === 0n || delta === 1n;
      })?.generation,
  },
);
