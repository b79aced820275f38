/** Rows as JSON lines: columns by the table's formats, or MongoDB documents. */
import { deserialize, EJSON } from "bson";
import { packedStruct } from "../../../formats/packed-struct.js";
import { type Format, FormatError, type Reading } from "../../codec/index.js";
import type { TreeRow } from "../../tree/types.js";
import { jsonLine } from "../json.js";

export interface RowFormats {
  readonly keyFormat: string;
  readonly valueFormat: string;
}

/** Told of keys and values that are not what the format says; they are printed as bytes. */
export type RowIssue = (what: "key" | "value", message: string) => void;

type Unpack = (bytes: Uint8Array) => unknown;
type Columns = Format<unknown[]>;

/** `{"key":…,"value":…}`: one column as it is, several as a list; what cannot be unpacked as `keyBytes`, `valueBytes`. */
export function* jsonRows(
  rows: Iterable<TreeRow>,
  { keyFormat, valueFormat }: RowFormats,
  onIssue: RowIssue,
): Generator<string> {
  yield* lines(rows, unpacker(keyFormat), unpacker(valueFormat), onIssue);
}

/** As `jsonRows`, with values that are BSON documents as canonical extended JSON. */
export function* bsonRows(
  rows: Iterable<TreeRow>,
  { keyFormat }: RowFormats,
  onIssue: RowIssue,
): Generator<string> {
  yield* lines(rows, unpacker(keyFormat), document, onIssue);
}

function* lines(
  rows: Iterable<TreeRow>,
  unpackKey: Unpack,
  unpackValue: Unpack,
  onIssue: RowIssue,
): Generator<string> {
  for (const { key, value } of rows) {
    const ofKey = typeof key === "bigint" ? { key } : part("key", key, unpackKey, onIssue);
    yield `${jsonLine({ ...ofKey, ...part("value", value, unpackValue, onIssue) })}\n`;
  }
}

function part(what: "key" | "value", bytes: Uint8Array, unpack: Unpack, onIssue: RowIssue): object {
  try {
    return { [what]: unpack(bytes) };
  } catch (error) {
    const message = (error as Error).message;
    onIssue(what, message);
    return { [`${what}Bytes`]: bytes, [`${what}Error`]: message };
  }
}

/** Bytes of tables without a format, and values of one raw column, stay bytes. */
function unpacker(formatText: string): Unpack {
  if (formatText === "" || formatText === "u") return (bytes) => bytes;
  let columns: Columns;
  try {
    columns = packedStruct(formatText) as Columns;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return () => {
      throw error;
    };
  }
  return (bytes) => {
    const reading = columns.read(bytes) as Reading<unknown[]>;
    if (!reading.ok) throw reading.error;
    return reading.value.length === 1 ? reading.value[0] : reading.value;
  };
}

/** @throws the library's error for bytes that are no document. */
function document(bytes: Uint8Array): unknown {
  return EJSON.serialize(deserialize(bytes, { promoteValues: false, promoteBuffers: false }), {
    relaxed: false,
  });
}
