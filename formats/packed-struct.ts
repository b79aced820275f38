/**
 * Composite keys and values, packed column behind column by a format text such as `IuQQ`: the key_format and
 * value_format of tables and indexes. Formats: cells and deltas §1.
 */
import {
  bytes,
  bytesToHex,
  type Cursor,
  custom,
  type Format,
  FormatError,
  format,
  hexToBytes,
  type Node,
  packed,
  packed32,
  packedLength,
  packedSigned,
  type RandomSource,
  type Reading,
  readPackedNumber,
  readPackedSigned,
  struct,
  type Type,
  text,
  u8,
  u64le,
  type Writer,
  writePackedSigned,
  writePackedUnsigned,
} from "../src/codec/index.js";

/** 64-bit columns are bigints, shorter ones numbers, `s` and `S` strings, `u` bytes. */
export type PackedValue = number | bigint | string | Uint8Array;

/** The name of the format of a format text: `packed-struct:IuQQ`. */
export const PACKED_STRUCT = "packed-struct:";

const MAX_COLUMNS = 1000;
/** `b` is stored so that unsigned byte order is the signed order. */
const SIGN_BIAS = 0x80;

/** A signed integer of at most 32 bits as a number. */
function smallSigned(
  bits: 8 | 16 | 32,
  read: (cursor: Cursor) => number,
  write: (writer: Writer, value: number) => void,
) {
  const high = 2 ** (bits - 1);
  const checked = (value: unknown): number => {
    if (Number.isInteger(value) && (value as number) >= -high && (value as number) < high)
      return value as number;
    throw new FormatError({
      code: "value-range",
      message: `not an integer of ${bits} bits`,
      expected: `${-high}..${high - 1}`,
      actual: value,
    });
  };
  return custom<number>({
    name: `signed integer of ${bits} bits`,
    decode: (cursor) => {
      const at = cursor.base + cursor.pos;
      try {
        return checked(read(cursor));
      } catch (error) {
        if (error instanceof FormatError) error.offset ??= at;
        throw error;
      }
    },
    encode: (writer, value) => write(writer, checked(value)),
    generate: (random) => random.below(2 * high) - high,
    toJson: (value) => value,
    fromJson: checked,
  });
}

const packedSmallSigned = (bits: 16 | 32) =>
  smallSigned(
    bits,
    (cursor) => {
      const value = readPackedSigned(cursor.bytes, cursor.pos, cursor.end, cursor.base);
      cursor.take(packedLength(cursor.bytes[cursor.pos] as number));
      return Number(value);
    },
    (writer, value) => {
      const out: number[] = [];
      writePackedSigned(out, BigInt(value));
      writer.bytes(out);
    },
  );

const signedByte = smallSigned(
  8,
  (cursor) => (cursor.bytes[cursor.take(1)] as number) - SIGN_BIAS,
  (writer, value) => writer.integer(1, true, value + SIGN_BIAS),
);

/** Bytes behind their length. */
const prefixedBytes = custom<Uint8Array>({
  name: "packed length and bytes",
  decode: (cursor) => {
    const length = readPackedNumber(cursor.bytes, cursor.pos, cursor.end, 0xffffffff, cursor.base);
    cursor.take(packedLength(cursor.bytes[cursor.pos] as number));
    const at = cursor.take(length);
    return cursor.bytes.subarray(at, at + length);
  },
  encode: (writer, value) => {
    if (!(value instanceof Uint8Array))
      throw new FormatError({
        code: "value-type",
        message: "bytes needed",
        expected: "Uint8Array",
        actual: typeof value,
      });
    const out: number[] = [];
    writePackedUnsigned(out, BigInt(value.length));
    writer.bytes(out);
    writer.bytes(value);
  },
  generate: (random) => random.bytes(random.below(80)),
  toJson: bytesToHex,
  fromJson: (json) => {
    if (typeof json === "string") return hexToBytes(json);
    throw new FormatError({
      code: "value-type",
      message: "bytes are given as a hex string",
      expected: "hex string",
      actual: typeof json,
    });
  },
});

interface Item {
  readonly letter: string;
  /** The number in front of the letter. */
  readonly count?: number;
  readonly offset: number;
}

const badText = (message: string, text: string, offset: number): FormatError =>
  new FormatError({
    code: "format-text",
    message: `${message} in format ${JSON.stringify(text)}`,
    offset,
    actual: text,
  });

function itemsOf(formatText: string): Item[] {
  const items: Item[] = [];
  const pattern = /(\d{0,9})([A-Za-z])/y;
  while (pattern.lastIndex < formatText.length) {
    const offset = pattern.lastIndex;
    const match = pattern.exec(formatText);
    if (match === null) throw badText("no column begins here", formatText, offset);
    const [, count, letter] = match as unknown as [string, string, string];
    items.push({ letter, offset, ...(count === "" ? {} : { count: Number(count) }) });
  }
  return items;
}

/** The declarations of the columns a format text stands for. */
function columnsOf(formatText: string): Node[] {
  const items = itemsOf(formatText);
  const columns: Node[] = [];
  for (const [index, item] of items.entries()) {
    const last = index === items.length - 1;
    const repeated = isRepeated(item.letter) ? (item.count ?? 1) : 1;
    if (columns.length + repeated > MAX_COLUMNS)
      throw badText(`more than ${MAX_COLUMNS} columns`, formatText, item.offset);
    const column = columnOf(item, last, formatText);
    for (let i = 0; i < repeated; i++) columns.push(column);
  }
  return columns;
}

/** A count in front of other letters is a length. */
const isRepeated = (letter: string): boolean => !"sSut".includes(letter);

function columnOf({ letter, count, offset }: Item, last: boolean, formatText: string): Node {
  switch (letter) {
    case "b":
      return signedByte;
    case "B":
      return u8();
    case "t":
      return bitField(count ?? 1, formatText, offset);
    case "h":
      return packedSmallSigned(16);
    case "H":
      return packed32({ max: 0xffff });
    case "i":
    case "l":
      return packedSmallSigned(32);
    case "I":
    case "L":
      return packed32();
    case "q":
      return packedSigned();
    case "Q":
    case "r":
      return packed();
    case "R":
      return u64le();
    case "s":
      return text(count ?? 1);
    case "S":
      return text(count ?? "nul");
    case "u":
      if (count !== undefined) return bytes(count);
      return last ? bytes() : prefixedBytes;
    default:
      throw badText(`no column type ${letter}`, formatText, offset);
  }
}

function bitField(bits: number, formatText: string, offset: number): Type<number> {
  if (bits < 1 || bits > 8) throw badText("a bit field has 1 to 8 bits", formatText, offset);
  return u8({ max: 2 ** bits - 1, doc: `${bits} bits` });
}

/**
 * The format of values packed by a format text, one element a column.
 * @throws FormatError `format-text` with the offset of what is not a column.
 */
export function packedStruct(formatText: string): Format<PackedValue[]> {
  const nodes = columnsOf(formatText);
  const names = nodes.map((_, index) => `[${index}]`);
  const info = {
    name: `${PACKED_STRUCT}${formatText}`,
    title: `Columns packed by the format ${formatText}`,
    source: "formats: cells and deltas §1",
    doc: "One element a column; u is bytes (with a length in front unless it comes last), s and S are text, 64-bit integers decimal strings.",
  };
  const record = format(info, struct(Object.fromEntries(nodes.map((node, i) => [names[i], node]))));
  const listOf = (value: object): PackedValue[] =>
    names.map((name) => (value as Record<string, PackedValue>)[name] as PackedValue);
  const recordOf = (list: unknown): Record<string, never> => {
    if (!Array.isArray(list))
      throw new FormatError({
        code: "value-type",
        message: "a list of columns is needed",
        expected: "array",
        actual: typeof list,
      });
    if (list.length !== names.length)
      throw new FormatError({
        code: "count-mismatch",
        message: `${list.length} columns where the format has ${names.length}`,
        expected: names.length,
        actual: list.length,
      });
    return Object.fromEntries(names.map((name, i) => [name, list[i]])) as Record<string, never>;
  };
  const read: Format<PackedValue[]>["read"] = (input, options) => {
    const reading = record.read(input, options);
    return (reading.ok ? { ...reading, value: listOf(reading.value) } : reading) as Reading<PackedValue[]>;
  };
  return {
    ...info,
    generations: [],
    read,
    parse: (input, options) => listOf(record.parse(input, options)),
    build: (value, options) => record.build(recordOf(value), options),
    validate: (input, options) => record.validate(input, options),
    annotate: (input, options) => record.annotate(input, options),
    describe: () => record.describe(),
    generate: (random: RandomSource) => listOf(record.generate(random)),
    toJson: (value, options) => listOf(record.toJson(recordOf(value), options) as object),
    fromJson: (json) => listOf(record.fromJson(recordOf(json))),
  };
}

const known = new Map<string, Format<PackedValue[]>>();
const MAX_KNOWN = 256;

function packedStructOf(formatText: string): Format<PackedValue[]> {
  let found = known.get(formatText);
  if (found === undefined) {
    found = packedStruct(formatText);
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(formatText, found);
  }
  return found;
}

/**
 * Packs one value a column.
 * @throws FormatError with the path `[n]` of a column whose value does not fit; `format-text`.
 */
export const packStruct = (formatText: string, values: readonly PackedValue[]): Uint8Array =>
  packedStructOf(formatText).build([...values]);

/**
 * The columns of packed bytes; all bytes must be used.
 * @throws FormatError with path and offset of the column that cannot be read; `format-text`.
 */
export const unpackStruct = (formatText: string, packedBytes: Uint8Array): PackedValue[] =>
  packedStructOf(formatText).parse(packedBytes);
