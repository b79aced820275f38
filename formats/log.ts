/** Records of the write-ahead log files of a classic home. Formats: history and log §2. */
import {
  add,
  array,
  bytes,
  bytesToHex,
  type Cursor,
  crc32cField,
  custom,
  eq,
  FormatError,
  format,
  has,
  hexToBytes,
  type Infer,
  lengthOf,
  not,
  offsetsOf,
  optional,
  packed,
  packed32,
  packedLength,
  peek,
  position,
  type RandomSource,
  ref,
  region,
  struct,
  sub,
  symbolValues,
  text,
  u16le,
  u32le,
  u64le,
  union,
  type Violation,
  type Writer,
} from "../src/codec/index.js";
import { generatedOperations, logOperationType, logSequenceNumber } from "./log-operation.js";
import { isZero, tailRule, zeroTail } from "./zero-tail.js";

const SOURCE = "formats: history and log §2";

/** `checkpoint_lsn` of a table that is not logged: the largest position there is. */
export const NOT_LOGGED = { file: 0xffff_ffff, offset: 0x7fff_ffff } as const;
/** Records begin at multiples of this and are padded to it. In bytes. */
export const LOG_ALIGNMENT = 128;
/** Bytes of a record's header, which are never compressed or encrypted. */
export const LOG_HEADER_SIZE = 16;
export const LOG_MAGIC = 0x00101064;
/** The newest version of log files; from 2 on the second record tells where the previous file ended. */
export const LOG_VERSION = 5;
export const LOG_SYSTEM_RECORD_VERSION = 2;
/** The last byte of padding proves that the record was written to its end. */
export const LOG_DEBUG_BYTE = 0xab;

export const logFlagSymbols = {
  compressed: [0x1, "what lies behind the header is compressed"],
  encrypted: [0x2, "what lies behind the header is encrypted"],
} as const;
export const logFlags = symbolValues(logFlagSymbols);
const TRANSFORMED = logFlags.compressed | logFlags.encrypted;

export const logRecordTypeSymbols = {
  checkpoint: [0, "a checkpoint was completed"],
  commit: [1, "operations of a transaction"],
  fileSync: [2, "a file is written to disk"],
  message: [3, "text for the reader of the log"],
  system: [4, "operations of the engine itself"],
} as const;
export const logRecordTypes = symbolValues(logRecordTypeSymbols);

/** How the packed record types, and the magic number of a file's first record, begin. */
const PACKED_TYPE = 0x80;
const MAGIC_BYTE = LOG_MAGIC & 0xff;

const recordType = (type: number) =>
  packed32({ symbols: logRecordTypeSymbols, constant: type, derive: type });
/** Operations end at a zero byte, which no operation begins with, or where the record ends. */
const operations = array(logOperationType, { until: eq(peek, 0), sample: generatedOperations });

const description = struct({
  magic: u32le({ hex: true, constant: LOG_MAGIC, derive: LOG_MAGIC }),
  version: u16le({
    min: 1,
    supported: LOG_VERSION,
    derive: LOG_VERSION,
    sample: (random) => 1 + random.below(LOG_VERSION),
    doc: "version of the file; 3 to 5 have the same format",
  }),
  unused: u16le({ reserved: true }),
  logSize: u64le({ doc: "bytes at which the log goes on in the next file" }),
});

const checkpoint = struct({
  recordType: recordType(logRecordTypes.checkpoint),
  lsn: logSequenceNumber,
  snapshotCount: packed32({ doc: "transactions of the checkpoint's snapshot" }),
  snapshot: array(packed(), {
    until: eq(peek, 0),
    doc: "their ids, up to a zero byte; 3.2.1 leaves them out although it counts them",
  }),
});

const body = union(
  peek,
  {
    description: [MAGIC_BYTE, description],
    checkpoint: [PACKED_TYPE + logRecordTypes.checkpoint, checkpoint],
    commit: [
      PACKED_TYPE + logRecordTypes.commit,
      struct({ recordType: recordType(logRecordTypes.commit), txnId: packed(), operations }),
    ],
    fileSync: [
      PACKED_TYPE + logRecordTypes.fileSync,
      struct({
        recordType: recordType(logRecordTypes.fileSync),
        fileId: packed32(),
        start: packed32({ doc: "1 before, 0 after the write" }),
      }),
    ],
    message: [
      PACKED_TYPE + logRecordTypes.message,
      struct({ recordType: recordType(logRecordTypes.message), text: text("nul") }),
    ],
    system: [
      PACKED_TYPE + logRecordTypes.system,
      struct({ recordType: recordType(logRecordTypes.system), operations }),
    ],
  },
  {
    unknown: struct({
      recordType: packed32({ symbols: logRecordTypeSymbols, unknown: "error" }),
      data: bytes(),
    }),
  },
);
export type LogRecordBody = Infer<typeof body>;

/** What a record says, without header and padding: what the output of a compressor inflates to. */
export const logRecordBody = format(
  { name: "log-record-body", title: "Content of a log record", source: SOURCE },
  body,
);

/** Zeros up to the next multiple of 128; their last byte may be the debug byte. Other bytes are kept as they are. */
export type LogPadding = { readonly length: number; readonly debugByte?: number } | Uint8Array;

function readPadding(cursor: Cursor): LogPadding {
  const at = cursor.take(cursor.left);
  const padding = cursor.bytes.subarray(at, cursor.pos);
  const last = padding[padding.length - 1] ?? 0;
  if (!isZero(padding.subarray(0, -1))) return padding;
  return { length: padding.length, ...(last === 0 ? {} : { debugByte: last }) };
}

function paddingBytes(padding: LogPadding): Uint8Array {
  if (padding instanceof Uint8Array) return padding;
  const { length, debugByte = 0 } = checkedPadding(padding);
  const filled = new Uint8Array(length);
  if (length > 0) filled[length - 1] = debugByte;
  return filled;
}

const MAX_PADDING = 1 << 16;

function checkedPadding(json: unknown): { length: number; debugByte?: number } {
  const { length, debugByte = 0 } = (json ?? {}) as { length?: unknown; debugByte?: unknown };
  const within = (value: unknown, high: number): boolean =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= high;
  if (within(length, MAX_PADDING) && within(debugByte, 0xff)) return json as { length: number };
  throw new FormatError({
    code: "value-range",
    message: "padding is a number of zero bytes with a last byte, or bytes",
    expected: `length 0..${MAX_PADDING}, debugByte 0..255`,
  });
}

const padding = custom<LogPadding>({
  name: "padding",
  doc: "zeros to the next multiple of 128; the last of two or more bytes is the debug byte, but not in the first two records of a file",
  decode: readPadding,
  encode: (writer: Writer, value) => writer.bytes(paddingBytes(value)),
  generate: () => ({ length: 0 }),
  toJson: (value) => (value instanceof Uint8Array ? bytesToHex(value) : value),
  fromJson: (json) => (typeof json === "string" ? hexToBytes(json) : checkedPadding(json)),
  show: (value) => (value instanceof Uint8Array ? "not all zero" : `${value.length} bytes`),
});

const header = (contentLength: Parameters<typeof add>[1]) => ({
  length: u32le({
    derive: add(LOG_HEADER_SIZE, contentLength),
    doc: "bytes of the record, header and padding included; 0 = the log ends here",
  }),
  checksum: crc32cField({}, { doc: "over the whole record" }),
  flags: u16le({ flags: logFlagSymbols, unknown: "error", hex: true, derive: 0 }),
  unused: u16le({ constant: 0, derive: 0 }),
  memLength: u32le({
    derive: 0,
    doc: "compressed or encrypted: bytes of header and plain content without padding; else 0",
  }),
});

const logRecordType = struct(
  {
    ...header(add(lengthOf("stored"), add(lengthOf("body"), lengthOf("padding")))),
    stored: optional(bytes(sub(ref("length"), position)), has(ref("flags"), TRANSFORMED), {
      doc: "output of the compressor or encryptor, and the padding behind it",
    }),
    body: optional(body, not(has(ref("flags"), TRANSFORMED))),
    padding: optional(region(padding, sub(ref("length"), position)), not(has(ref("flags"), TRANSFORMED))),
  },
  {
    sample: (random: RandomSource): unknown => paddedLogRecord(logRecordBody.generate(random)),
    rules: [
      {
        code: "log-record-alignment",
        doc: "records are padded to multiples of 128 bytes",
        check: ({ length }) =>
          length % LOG_ALIGNMENT === 0
            ? undefined
            : { path: "length", expected: "a multiple of 128", actual: length },
      },
      {
        code: "log-mem-length",
        doc: "only compressed and encrypted records have a second length, of a header and something behind it",
        check: ({ flags, memLength }) => checkMemLength(flags, memLength),
      },
      {
        code: "log-padding",
        doc: "padding is zero, but for the debug byte",
        severity: "warning",
        check: checkPadding,
      },
    ],
  },
);
export type LogRecord = Infer<typeof logRecordType>;

function checkMemLength(flags: number, memLength: number): Violation | undefined {
  const transformed = (flags & TRANSFORMED) !== 0;
  if (transformed ? memLength > LOG_HEADER_SIZE : memLength === 0) return undefined;
  return { path: "memLength", expected: transformed ? `above ${LOG_HEADER_SIZE}` : 0, actual: memLength };
}

function checkPadding({ padding }: { padding?: LogPadding | undefined }): Violation | undefined {
  if (padding === undefined) return undefined;
  if (padding instanceof Uint8Array) return { path: "padding", message: "padding is not zero" };
  const { debugByte } = padding;
  return debugByte === undefined || debugByte === LOG_DEBUG_BYTE
    ? undefined
    : { path: "padding", message: "not the debug byte", expected: LOG_DEBUG_BYTE, actual: debugByte };
}

/** One record of a log file, from its header to the end of its padding. */
export const logRecord = format(
  {
    name: "log-record",
    title: "Record of a write-ahead log",
    source: SOURCE,
    doc: "A record's LSN is the number of its file and its offset in it.",
  },
  logRecordType,
);

/** The first record of a log file. */
export const logFileHeader = format(
  {
    name: "log-file-header",
    title: "First record of a log file",
    source: SOURCE,
    doc: "Also a log-record whose content is a description; here as one flat structure of 128 bytes.",
  },
  struct(
    {
      ...header(add(lengthOf("description"), lengthOf("tail"))),
      description,
      tail: zeroTail("the rest of the 128 bytes", () => LOG_ALIGNMENT - LOG_HEADER_SIZE - DESCRIPTION_SIZE),
    },
    {
      rules: [
        {
          code: "log-record-length",
          doc: "the record is 128 bytes",
          check: ({ length }) =>
            length === LOG_ALIGNMENT
              ? undefined
              : { path: "length", expected: LOG_ALIGNMENT, actual: length },
        },
        tailRule,
      ],
    },
  ),
);
const DESCRIPTION_SIZE = 16;

/** Offsets of the fields of a record's header. */
export const LOG_HEADER = offsetsOf(logRecord.type).at;

/**
 * A plain record with the padding the engine gives it. The first two records of a file, the description and where the
 * previous file ended, have no debug byte. Lengths and checksum are left to building.
 */
export function paddedLogRecord(content: LogRecordBody): LogRecord {
  const used = LOG_HEADER_SIZE + logRecordBody.build(content).length;
  const length = -used & (LOG_ALIGNMENT - 1);
  const marked = length >= 2 && !isFirstRecord(content);
  const filled: LogPadding = { length, ...(marked ? { debugByte: LOG_DEBUG_BYTE } : {}) };
  return { body: content, padding: filled } as LogRecord;
}

const isFirstRecord = (content: LogRecordBody): boolean =>
  content.kind === "description" ||
  (content.kind === "system" && content.operations[0]?.body.kind === "prevLsn");

/** Which of a home's files this is: `WiredTigerLog.` and 10 digits are the log, in the order of their numbers. */
export function logFileName(
  name: string,
): { kind: "log" | "preallocated" | "temporary"; number: number } | undefined {
  const match = /^WiredTiger(Log|Preplog|Tmplog)\.(\d{10})$/.exec(name);
  if (match === null) return undefined;
  const kinds = { Log: "log", Preplog: "preallocated", Tmplog: "temporary" } as const;
  return { kind: kinds[match[1] as keyof typeof kinds], number: Number(match[2]) };
}

/** Where the operations of a plain commit or system record's content begin; undefined for other contents. */
export function operationsStart(content: Uint8Array): number | undefined {
  const type = content[0] ?? 0;
  if (type === PACKED_TYPE + logRecordTypes.system) return 1;
  if (type !== PACKED_TYPE + logRecordTypes.commit) return undefined;
  return 1 + packedLength(content[1] ?? 0);
}

/** Whether 16 bytes can be the header of a record that fits into the `left` bytes from its first one on. */
export function looksLikeLogHeader(bytes: Uint8Array, left: number): boolean {
  if (bytes.length < LOG_HEADER_SIZE) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, LOG_HEADER_SIZE);
  const length = view.getUint32(LOG_HEADER.length, true);
  const isLength = length > LOG_HEADER_SIZE && length % LOG_ALIGNMENT === 0 && length <= left;
  const flags = view.getUint16(LOG_HEADER.flags, true);
  return isLength && (flags & ~TRANSFORMED) === 0 && view.getUint16(LOG_HEADER.unused, true) === 0;
}

/** Length, checksum and flags of a header, without a value of the record. */
export function logHeaderOf(
  bytes: Uint8Array,
): Pick<LogRecord, "length" | "checksum" | "flags" | "memLength"> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, LOG_HEADER_SIZE);
  return {
    length: view.getUint32(LOG_HEADER.length, true),
    checksum: view.getUint32(LOG_HEADER.checksum, true),
    flags: view.getUint16(LOG_HEADER.flags, true),
    memLength: view.getUint32(LOG_HEADER.memLength, true),
  };
}
