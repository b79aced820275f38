/**
 * Records of SQLite tables: a header of serial types and the columns' contents, big-endian (formats: page-log stores
 * §2; the public description of the SQLite file format). Databases themselves are read by SQLite.
 */
import {
  type Cursor,
  custom,
  type Expr,
  FormatError,
  ge,
  lt,
  type RandomSource,
  select,
  shr,
  sub,
  type Type,
  type Writer,
} from "../src/codec/index.js";

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
