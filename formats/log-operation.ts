/** What the records of a write-ahead log consist of. Formats: history and log §2. */
import {
  add,
  bytes,
  eq,
  format,
  type Infer,
  lengthOf,
  packed,
  packed32,
  packedSizeOf,
  position,
  type RandomSource,
  ref,
  region,
  select,
  selfSized,
  struct,
  sub,
  symbolValues,
  text,
  union,
} from "../src/codec/index.js";

/** Readers may skip an operation with this bit that they do not know. */
export const IGNORABLE_OPERATION = 0x80000000;
/** Set in a file id: recovery passes the operation over. */
export const IGNORED_FILE = 0x80000000;

/** File number and byte offset of a record in a log. */
export const logSequenceNumber = struct({
  file: packed32({ doc: "number of the log file" }),
  offset: packed32({ doc: "byte offset of the record in it" }),
});
export type LogSequenceNumber = Infer<typeof logSequenceNumber>;

export const logOperationSymbols = {
  colPut: [1, "column store: a record is written"],
  colRemove: [2, "column store: a record is removed"],
  colTruncate: [3, "column store: a range of records is removed"],
  rowPut: [4, "row store: a row is written"],
  rowRemove: [5, "row store: a row is removed"],
  rowTruncate: [6, "row store: a range of rows is removed"],
  checkpointStart: [7, "a checkpoint begins"],
  prevLsn: [8, "where the previous log file ended"],
  colModify: [9, "column store: a record is changed in part"],
  rowModify: [10, "row store: a row is changed in part"],
  backupId: [12, "state of incremental backups"],
  txnTimestamp: [0x8000000b, "timestamps of the transaction"],
  ignorableBackupId: [0x8000000c, "backupId, marked as ignorable"],
} as const;
export const logOperations = symbolValues(logOperationSymbols);

const truncateModes = {
  all: [0, "the whole table"],
  both: [1, "from start to stop"],
  start: [2, "from start to the end"],
  stop: [3, "from the beginning to stop"],
} as const;

const fileId = packed32({ hex: true, doc: "id of the table; the highest bit: ignored in recovery" });
const recno = packed({ doc: "record number" });
const value = bytes(undefined, { doc: "the value as stored" });
const modify = bytes(undefined, { doc: "a modify-list" });
const keyLength = packed32({ derive: lengthOf("key") });
const key = bytes(ref("keyLength"), { doc: "the key as stored" });

const body = union(
  select(eq(ref("type"), logOperations.ignorableBackupId), logOperations.backupId, ref("type")),
  {
    colPut: [logOperations.colPut, struct({ fileId, recno, value })],
    colRemove: [logOperations.colRemove, struct({ fileId, recno })],
    colTruncate: [
      logOperations.colTruncate,
      struct({ fileId, start: packed(), stop: packed({ doc: "last record; 0 = to the end" }) }),
    ],
    rowPut: [logOperations.rowPut, struct({ fileId, keyLength, key, value })],
    rowRemove: [
      logOperations.rowRemove,
      struct({ fileId, key: bytes(undefined, { doc: "the key as stored" }) }),
    ],
    rowTruncate: [
      logOperations.rowTruncate,
      struct({
        fileId,
        startLength: packed32({ derive: lengthOf("start") }),
        start: bytes(ref("startLength"), { doc: "first key, if the mode has one" }),
        stopLength: packed32({ derive: lengthOf("stop") }),
        stop: bytes(ref("stopLength"), { doc: "last key, if the mode has one" }),
        mode: packed32({ symbols: truncateModes }),
      }),
    ],
    checkpointStart: [logOperations.checkpointStart, struct({})],
    prevLsn: [logOperations.prevLsn, struct({ lsn: logSequenceNumber })],
    colModify: [logOperations.colModify, struct({ fileId, recno, modify })],
    rowModify: [logOperations.rowModify, struct({ fileId, keyLength, key, modify })],
    backupId: [
      logOperations.backupId,
      struct({
        index: packed32(),
        granularity: packed({ doc: "bytes; 2^64 − 1 = no backup" }),
        id: text("nul"),
      }),
    ],
    txnTimestamp: [
      logOperations.txnTimestamp,
      struct({
        seconds: packed({ doc: "time of day" }),
        nanoseconds: packed(),
        commitTimestamp: packed(),
        durableTimestamp: packed(),
        firstCommitTimestamp: packed(),
        prepareTimestamp: packed(),
        readTimestamp: packed(),
      }),
    ],
  },
  { unknown: struct({ data: bytes() }) },
);

export const logOperationType = struct(
  {
    type: packed32({
      symbols: logOperationSymbols,
      unknown: "info",
      hex: true,
      doc: "the highest bit: may be skipped when unknown",
    }),
    size: packed32({
      derive: selfSized(add(packedSizeOf("type"), lengthOf("body"))),
      doc: "bytes of the whole operation, type and size included",
    }),
    body: region(body, sub(ref("size"), position)),
  },
  {
    rules: [
      {
        code: "log-operation-unknown",
        doc: "an operation that is not marked as ignorable is known",
        check: ({ type, body }) =>
          body.kind === "unknown" && type < IGNORABLE_OPERATION ? { path: "type", actual: type } : undefined,
      },
    ],
  },
);
export type LogOperation = Infer<typeof logOperationType>;
export type LogOperationBody = LogOperation["body"];
export type LogOperationKind = keyof typeof logOperationSymbols;

/** One operation of a commit or system record. */
export const logOperation = format(
  {
    name: "log-operation",
    title: "Operation of a log record",
    source: "formats: history and log §2",
    doc: "Type and size, then fields up to the size.",
  },
  logOperationType,
);

/** An operation of a known kind, its size still to be computed by building. */
export function operationOf(body: Exclude<LogOperationBody, { kind: "unknown" }>): LogOperation {
  return { type: logOperations[body.kind], body } as LogOperation;
}

/** Operations for generated records. */
export const generatedOperations = (random: RandomSource): LogOperation[] =>
  Array.from({ length: random.below(4) }, () => logOperation.generate(random));
