/**
 * SQLite database files and write-ahead logs, as far as reading tables needs: PALite keeps its pages in them
 * (formats: page-log stores §2; the public description of the SQLite file format). All integers are big-endian.
 */
import {
  bytes,
  type Cursor,
  custom,
  type Expr,
  FormatError,
  type FormatInfo,
  format,
  ge,
  lt,
  offsetsOf,
  optional,
  type RandomSource,
  ref,
  select,
  shr,
  struct,
  sub,
  symbolValues,
  type Type,
  u8,
  u16be,
  u32be,
  type Writer,
} from "../src/codec/index.js";

const SOURCE = "page-log stores §2; the SQLite database file format";
const info = (name: string, title: string, doc?: string): FormatInfo => ({
  name,
  title,
  source: SOURCE,
  ...(doc === undefined ? {} : { doc }),
});

/** First 16 bytes of a database: `SQLite format 3` and a NUL. */
export const SQLITE_MAGIC = Uint8Array.from("SQLite format 3\0", (letter) => letter.charCodeAt(0));
/** A page size of 65536 does not fit its field; it is stored as 1. */
export const SQLITE_MAX_PAGE_SIZE = 65536;
export const SQLITE_MIN_PAGE_SIZE = 512;
/** Read version above which a file must not be read. */
export const SQLITE_NEWEST_READ_VERSION = 2;

const journalModes = { rollback: 1, wal: [2, "a write-ahead log stands beside the file"] } as const;
export const sqliteEncodings = { unset: 0, utf8: 1, utf16le: 2, utf16be: 3 } as const;

const headerType = struct({
  magic: bytes(16, { constant: SQLITE_MAGIC }),
  pageSize: u16be({ doc: "bytes of a page; 1 stands for 65536" }),
  writeVersion: u8({ symbols: journalModes }),
  readVersion: u8({ symbols: journalModes }),
  reservedSpace: u8({ doc: "bytes at the end of each page that are not used" }),
  maxPayloadFraction: u8({ constant: 64 }),
  minPayloadFraction: u8({ constant: 32 }),
  leafPayloadFraction: u8({ constant: 32 }),
  changeCounter: u32be(),
  pageCount: u32be({ doc: "pages of the file; valid when versionValidFor equals the change counter" }),
  firstFreelistPage: u32be(),
  freelistPages: u32be(),
  schemaCookie: u32be(),
  schemaFormat: u32be({ max: 4 }),
  cacheSize: u32be(),
  largestRootPage: u32be({ doc: "not 0: the file has pointer-map pages" }),
  textEncoding: u32be({ symbols: sqliteEncodings }),
  userVersion: u32be(),
  incrementalVacuum: u32be(),
  applicationId: u32be(),
  reserved: bytes(20, { reserved: true }),
  versionValidFor: u32be(),
  libraryVersion: u32be({ doc: "SQLite version that wrote last, e.g. 3045001" }),
});
/** The first 100 bytes of a database. */
export const sqliteHeader = format(info("sqlite-header", "SQLite database header"), headerType);
export const SQLITE_HEADER = offsetsOf(headerType);

export const sqlitePageTypeSymbols = {
  interiorIndex: 2,
  interiorTable: 5,
  leafIndex: 10,
  leafTable: 13,
} as const;
export const sqlitePageTypes = symbolValues(sqlitePageTypeSymbols);

const pageHeaderType = struct({
  type: u8({ symbols: sqlitePageTypeSymbols, unknown: "error" }),
  firstFreeBlock: u16be(),
  cellCount: u16be(),
  contentStart: u16be({ doc: "first byte of the cells; 0 stands for 65536" }),
  fragmentedBytes: u8(),
  rightChild: optional(u32be({ doc: "page that holds the keys above all cells" }), lt(ref("type"), 10)),
});
export const sqlitePageHeader = format(
  info(
    "sqlite-page-header",
    "header of a SQLite b-tree page",
    "On page 1 it stands behind the database header.",
  ),
  pageHeaderType,
);
/** Offsets from the page header's first byte. Cell pointers (u16) follow: behind `right` in interior pages. */
export const SQLITE_PAGE_HEADER = {
  at: offsetsOf(pageHeaderType).at,
  leaf: 8,
  interior: 12,
  pointer: 2,
} as const;

/** Bytes of a child's page number in front of an interior cell, and of the next page's in an overflow page. */
export const SQLITE_PAGE_NUMBER = 4;

/**
 * How much of a cell's payload stands in the page itself; the rest is in a chain of overflow pages.
 * `usable`: page size without the reserved space.
 */
export function sqliteLocalPayload(usable: number, length: number, isTable: boolean): number {
  const most = isTable ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23;
  if (length <= most) return length;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const local = least + ((length - least) % (usable - SQLITE_PAGE_NUMBER));
  return local <= most ? local : least;
}

// Write-ahead log.

/** The lowest bit of the magic says in which byte order the checksums add up: set, big-endian. */
export const SQLITE_WAL_MAGIC = 0x377f0682;
export const SQLITE_WAL_VERSION = 3007000;
const walHeaderType = struct({
  magic: u32be({
    hex: true,
    symbols: { littleEndianChecksums: SQLITE_WAL_MAGIC, bigEndianChecksums: SQLITE_WAL_MAGIC + 1 },
    unknown: "error",
  }),
  version: u32be({ constant: SQLITE_WAL_VERSION }),
  pageSize: u32be(),
  checkpointSequence: u32be(),
  salt1: u32be({ doc: "changes whenever the log begins anew" }),
  salt2: u32be(),
  checksum1: u32be({ hex: true }),
  checksum2: u32be({ hex: true }),
});
export const sqliteWalHeader = format(
  info("sqlite-wal-header", "header of a SQLite write-ahead log"),
  walHeaderType,
);
export const SQLITE_WAL_HEADER = offsetsOf(walHeaderType);

const walFrameType = struct({
  pageNumber: u32be(),
  pageCount: u32be({ doc: "pages of the database after the commit this frame ends; else 0" }),
  salt1: u32be({ doc: "as in the log's header, else the frame is older than the log's beginning" }),
  salt2: u32be(),
  checksum1: u32be({
    hex: true,
    doc: "running sum over the header, all frames before, this one's first 8 bytes and page",
  }),
  checksum2: u32be({ hex: true }),
});
/** Stands in front of each page of a write-ahead log. */
export const sqliteWalFrame = format(
  info("sqlite-wal-frame", "header of a frame of a SQLite write-ahead log"),
  walFrameType,
);
export const SQLITE_WAL_FRAME = offsetsOf(walFrameType);

// Records.

/** Serial types of a record's columns; even ones from 12 are blobs, odd ones from 13 texts. */
export const sqliteSerialTypes = {
  null: 0,
  int8: 1,
  int16: 2,
  int24: 3,
  int32: 4,
  int48: 5,
  int64: 6,
  real: 7,
  zero: 8,
  one: 9,
  firstBlob: 12,
  firstText: 13,
} as const;
/** Bytes of an integer column, by serial type. */
export const sqliteIntegerSizes = [0, 1, 2, 3, 4, 6, 8] as const;

/** Bytes of a column's content, by its serial type. */
export const sqliteContentSize = (type: Expr): Expr =>
  select(
    ge(type, sqliteSerialTypes.firstBlob),
    shr(sub(type, sqliteSerialTypes.firstBlob), 1),
    select(
      lt(type, sqliteSerialTypes.int48),
      type,
      select(lt(type, sqliteSerialTypes.int64), 6, select(lt(type, sqliteSerialTypes.zero), 8, 0)),
    ),
  );

/** Longest variable-length integer, bytes. Seven bits each, the highest bit says more follow; all 8 of the last. */
export const SQLITE_VARINT_MAX = 9;

/** A variable-length integer that is a size, count or type: below 2^53. */
export const sqliteVarint = ({
  derive,
  ...options
}: {
  doc?: string;
  sample?: (random: RandomSource) => number;
  derive?: Expr;
} = {}): Type<number> => ({
  ...custom<number>({
    name: "SQLite varint",
    decode: readVarint,
    encode: (writer, value) => writeVarint(writer, value),
    generate: (random) => random.below(128),
    toJson: (value) => value,
    fromJson: (json) => {
      if (typeof json === "number" && Number.isSafeInteger(json) && json >= 0) return json;
      throw new FormatError({ code: "value-type", message: "an integer is needed", actual: typeof json });
    },
    ...options,
  }),
  ...(derive === undefined ? {} : { derive }),
});

function readVarint(cursor: Cursor): number {
  const start = cursor.pos;
  let value = 0;
  for (let length = 1; ; length++) {
    const byte = cursor.bytes[cursor.take(1)] as number;
    value = length < SQLITE_VARINT_MAX ? value * 128 + (byte & 0x7f) : value * 256 + byte;
    if (byte < 0x80 || length === SQLITE_VARINT_MAX) {
      // Longer than needed would not be written back as it was.
      if (Number.isSafeInteger(value) && length === sqliteVarintLength(value)) return value;
      throw new FormatError({
        code: "varint",
        message: "a varint above 2^53, or longer than its value needs",
        offset: cursor.base + start,
        actual: value,
      });
    }
  }
}

/** Bytes a varint takes. */
export function sqliteVarintLength(value: number): number {
  let length = 1;
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) length++;
  return length;
}

function writeVarint(writer: Writer, value: unknown): void {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    throw new FormatError({
      code: "value-type",
      message: "a varint needs an integer from 0 to 2^53",
      actual: typeof value,
    });
  for (let length = sqliteVarintLength(value); length > 0; length--) {
    const part = Math.floor(value / 128 ** (length - 1)) % 128;
    writer.integer(1, false, length > 1 ? part | 0x80 : part);
  }
}

/** An integer column; the field `typeField` before it has its serial type. Null is `null`. */
export const sqliteInteger = (typeField: string, doc?: string): Type<bigint | null> =>
  custom<bigint | null>({
    name: "SQLite integer",
    decode: (cursor, fields) => readInteger(cursor, fields[typeField] as number),
    encode: (writer, value, fields) => writeInteger(writer, value, fields[typeField] as number),
    generate: () => 0n,
    toJson: (value) => (value === null ? null : value.toString()),
    fromJson: (json) => {
      if (json === null) return null;
      if (typeof json === "string" && /^-?\d{1,20}$/.test(json)) return BigInt(json);
      throw new FormatError({
        code: "value-type",
        message: "a decimal string is needed",
        actual: typeof json,
      });
    },
    sample: (random, fields) => generateInteger(random, fields[typeField] as number),
    ...(doc === undefined ? {} : { doc }),
  });

function readInteger(cursor: Cursor, type: number): bigint | null {
  if (type === sqliteSerialTypes.null) return null;
  if (type === sqliteSerialTypes.zero || type === sqliteSerialTypes.one)
    return BigInt(type - sqliteSerialTypes.zero);
  const size = sqliteIntegerSizes[type];
  if (size === undefined)
    throw new FormatError({
      code: "serial-type",
      message: `serial type ${type} is no integer`,
      offset: cursor.base + cursor.pos,
      actual: type,
    });
  const at = cursor.take(size);
  let value = 0n;
  for (let i = 0; i < size; i++) value = (value << 8n) | BigInt(cursor.bytes[at + i] as number);
  return BigInt.asIntN(8 * size, value);
}

function writeInteger(writer: Writer, value: unknown, type: number): void {
  const size = sqliteIntegerSizes[type] ?? 0;
  const fits =
    type === sqliteSerialTypes.null
      ? value === null
      : typeof value === "bigint" &&
        (size > 0
          ? BigInt.asIntN(8 * size, value) === value
          : value === BigInt(type - sqliteSerialTypes.zero));
  if (!fits)
    throw new FormatError({
      code: "serial-type",
      message: `not a value of serial type ${type}`,
      actual: value,
    });
  for (let i = size - 1; i >= 0; i--)
    writer.integer(1, false, Number(((value as bigint) >> BigInt(8 * i)) & 0xffn));
}

function generateInteger(random: RandomSource, type: number): bigint {
  if (type >= sqliteSerialTypes.zero) return BigInt(type - sqliteSerialTypes.zero);
  const size = sqliteIntegerSizes[type] as number;
  let value = 0n;
  for (const byte of random.bytes(size)) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(8 * size, value);
}

/** The serial type of an integer column. */
export const sqliteIntegerType = (): Type<number> =>
  sqliteVarint({
    doc: "serial type",
    sample: (random) => [1, 2, 3, 4, 5, 6, 8, 9][random.below(8)] as number,
  });
/** The serial type of a text column. */
export const sqliteTextType = (): Type<number> =>
  sqliteVarint({
    doc: "serial type",
    sample: (random) => sqliteSerialTypes.firstText + 2 * random.below(32),
  });
/** The serial type of a blob column. */
export const sqliteBlobType = (): Type<number> =>
  sqliteVarint({
    doc: "serial type",
    sample: (random) => sqliteSerialTypes.firstBlob + 2 * random.below(200),
  });
