import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  LOG_ALIGNMENT,
  type LogRecordBody,
  logFileHeader,
  logFileName,
  logRecord,
  logRecordBody,
  looksLikeLogHeader,
  paddedLogRecord,
} from "../../formats/log.js";
import { logOperation, logOperations, operationOf } from "../../formats/log-operation.js";
import { bytesToHex, FormatError, hexToBytes, seededRandom } from "../../src/codec/index.js";
import { corpusPath } from "../support/corpus.js";
import { detects, eachBitFlip, eachTruncation } from "../support/damage.js";

const test = suite("log records");
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const codes = (bytes: Uint8Array): string[] => logRecord.validate(bytes).map(({ code }) => code);

const files = [
  ["classic-3.2.1", "deb_logged", "WiredTigerLog.0000000002"],
  ["classic-3.2.1", "deb_logged", "WiredTigerPreplog.0000000001"],
  ["classic-3.2.1", "deb_logged", "WiredTigerPreplog.0000000002"],
  ["classic-12.0", "logged", "WiredTigerLog.0000000001"],
  ["classic-12.0", "logged", "WiredTigerPreplog.0000000001"],
  ["logs", "operations", "WiredTigerLog.0000000001"],
  ["logs", "snappy", "WiredTigerLog.0000000001"],
  ["logs", "zlib", "WiredTigerLog.0000000001"],
];

/** The records of a file, cut by nothing but their own lengths. */
function recordsOf(file: string[]): Uint8Array[] {
  const bytes = new Uint8Array(readFileSync(corpusPath(...file)));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: Uint8Array[] = [];
  for (let at = 0; at < bytes.length && view.getUint32(at, true) !== 0; at += view.getUint32(at, true))
    records.push(bytes.subarray(at, at + view.getUint32(at, true)));
  return records;
}

test("every record of the real log files is sound and written back byte for byte", () => {
  let count = 0;
  for (const file of files)
    for (const record of recordsOf(file)) {
      const reading = logRecord.read(record);
      assert.ok(reading.ok && reading.issues.length === 0, `${file.join("/")}: ${codes(record)}`);
      assert.equal(logRecord.build(reading.value), record);
      count++;
    }
  assert.ok(count >= 8750, `${count} records`);
});

test("a plain record comes from its content alone: lengths, padding, debug byte and checksum are computed", () => {
  let count = 0;
  for (const file of files)
    for (const record of recordsOf(file)) {
      const { body } = logRecord.parse(record);
      if (body === undefined) continue;
      assert.equal(logRecord.build(paddedLogRecord(withoutSizes(body))), record);
      count++;
    }
  assert.ok(count >= 8600, `${count} records`);
});

function withoutSizes(body: LogRecordBody): LogRecordBody {
  if (!("operations" in body)) return body;
  return {
    ...body,
    operations: body.operations.map(({ type, body: fields }) => ({ type, body: fields })),
  } as LogRecordBody;
}

test("the first record as one flat structure", () => {
  for (const [file, version] of [
    [files[0], 3],
    [files[3], 5],
  ] as const) {
    const first = recordsOf(file as string[])[0] as Uint8Array;
    const { description, tail } = logFileHeader.parse(first);
    assert.equal(description, { magic: 0x101064, version, unused: 0, logSize: 1048576n });
    assert.is(tail, 96);
    assert.equal(logFileHeader.build({ description: { version, logSize: 1048576n }, tail } as never), first);
  }
});

test("operations of the documented bytes", () => {
  const hex = (body: Parameters<typeof operationOf>[0]): string =>
    bytesToHex(logOperation.build(operationOf(body)));
  assert.is(hex({ kind: "colTruncate", fileId: 4, start: 1n, stop: 0n }), "8385848180");
  assert.is(
    hex({
      kind: "rowTruncate",
      fileId: 2,
      startLength: 3,
      start: text("k1\0"),
      stopLength: 0,
      stop: text(""),
      mode: 2,
    }),
    "868982836b31008082",
  );
  assert.is(hex({ kind: "checkpointStart" }), "8782");
  assert.is(hex({ kind: "prevLsn", lsn: { file: 1, offset: 0 } }), "88848180");
  const checkpoint = logRecordBody.parse(hexToBytes("8082c0c080"));
  assert.equal(checkpoint, {
    kind: "checkpoint",
    recordType: 0,
    lsn: { file: 2, offset: 256 },
    snapshotCount: 0,
    snapshot: [],
  });
});

test("operations the real logs have few or none of", () => {
  const cases: Array<[string, Parameters<typeof operationOf>[0]]> = [
    ["8284848a", { kind: "colRemove", fileId: 4, recno: 10n }],
    ["898784818a7879", { kind: "colModify", fileId: 4, recno: 1n, modify: Uint8Array.of(0x8a, 0x78, 0x79) }],
  ];
  for (const [hex, body] of cases) assert.is(bytesToHex(logOperation.build(operationOf(body))), hex);
  const timestamps = operationOf({
    kind: "txnTimestamp",
    seconds: 1n,
    nanoseconds: 2n,
    commitTimestamp: 3n,
    durableTimestamp: 4n,
    firstCommitTimestamp: 5n,
    prepareTimestamp: 6n,
    readTimestamp: 7n,
  });
  assert.is(bytesToHex(logOperation.build(timestamps)), "e47fffdfcb8d81828384858687");
  const backup = { index: 1, granularity: 2n ** 64n - 1n, id: "ID0" };
  for (const [type, hex] of [
    [logOperations.backupId, "8c9081e8ffffffffffffdfbf49443000"],
    [logOperations.ignorableBackupId, "e47fffdfcc9481e8ffffffffffffdfbf49443000"],
  ] as const) {
    const bytes = logOperation.build({ type, body: { kind: "backupId", ...backup } } as never);
    assert.is(bytesToHex(bytes), hex);
    assert.equal(logOperation.parse(bytes).body, { kind: "backupId", ...backup });
  }
});

test("an operation's size counts itself, also where that makes it longer", () => {
  for (const length of [0, 55, 56, 57, 58, 59, 60, 61, 62, 8240, 8245, 8246, 8247, 8248, 8249, 8250, 70000]) {
    const operation = operationOf({ kind: "rowRemove", fileId: 1, key: new Uint8Array(length).fill(0x61) });
    const bytes = logOperation.build(operation);
    assert.is(logOperation.parse(bytes).size, bytes.length);
  }
});

test("unknown operations are kept: ignorable ones pass, others are errors", () => {
  const check = (hex: string): string[] =>
    logOperation.validate(hexToBytes(hex)).map(({ code, severity }) => `${code} ${severity}`);
  assert.equal(check("9484aabb"), ["unknown-value info", "log-operation-unknown error"]);
  const ignorable = "e47fffdff488aabb";
  assert.equal(check(ignorable), ["unknown-value info"]);
  assert.equal(logOperation.parse(hexToBytes(ignorable)).body, {
    kind: "unknown",
    data: Uint8Array.of(0xaa, 0xbb),
  });
  assert.is(bytesToHex(logOperation.build(logOperation.parse(hexToBytes(ignorable)))), ignorable);
});

test("an operation whose size does not hold its fields, or holds more, is an error", () => {
  for (const [hex, code] of [
    ["8782", undefined],
    ["8783", "truncated"],
    ["878381", "trailing-bytes"],
    ["8781", "truncated"],
    ["8780", "truncated"],
    ["848684", "truncated"],
    ["8485848661", "truncated"],
  ] as const) {
    const error = logOperation.validate(hexToBytes(hex))[0];
    assert.is(error?.code, code, hex);
  }
});

test("each wrong part of a record has its own code", () => {
  const record = (fields: object): Uint8Array =>
    logRecord.build({
      ...paddedLogRecord({ kind: "message", recordType: 3, text: "hi" }),
      ...fields,
    } as never);
  assert.equal(codes(record({})), []);
  assert.equal(codes(record({ checksum: 1 })), ["checksum"]);
  assert.equal(codes(record({ unused: 1 })), ["constant"]);
  assert.equal(codes(record({ memLength: 1 })), ["log-mem-length"]);
  assert.equal(codes(record({ padding: { length: 7 } })), ["log-record-alignment"]);
  assert.equal(codes(record({ padding: { length: 108, debugByte: 7 } })), ["log-padding"]);
  assert.equal(codes(record({ padding: new Uint8Array(108).fill(1) })), ["log-padding"]);
  assert.equal(codes(record({ length: 100 })), ["trailing-bytes"]);
  assert.equal(codes(record({ length: 256 })), ["truncated"]);
  assert.equal(codes(record({ length: 0 })), ["truncated"]);
  const stored = { stored: new Uint8Array(112), body: undefined, padding: undefined, memLength: 900 };
  assert.equal(codes(record({ ...stored, flags: 1 })), []);
  assert.equal(codes(record({ ...stored, flags: 3, memLength: 16 })), ["log-mem-length"]);
  assert.equal(codes(record({ flags: 4 })), ["unknown-bits"]);
});

test("a newer file version is unsupported", () => {
  const description = { kind: "description", magic: 0x101064, version: 6, unused: 0, logSize: 0n } as const;
  assert.throws(
    () => logRecord.parse(logRecord.build(paddedLogRecord(description))),
    (error: unknown) => error instanceof FormatError && error.code === "unsupported-version",
  );
});

test("an unknown record type is an error and is kept", () => {
  const bytes = logRecord.build(
    paddedLogRecord({ kind: "unknown", recordType: 9, data: Uint8Array.of(1, 2) }),
  );
  const reading = logRecord.read(bytes);
  assert.ok(reading.ok);
  assert.equal(
    reading.issues.map(({ code, severity }) => `${code} ${severity}`),
    ["unknown-value error"],
  );
  assert.equal(logRecord.build(reading.value), bytes);
});

test("headers are recognised by length, flags and unused bytes", () => {
  const header = (fields: Record<number, number>): Uint8Array =>
    Uint8Array.from({ length: 16 }, (_, i) => fields[i] ?? (i === 0 ? 0x80 : 0));
  assert.ok(looksLikeLogHeader(header({}), LOG_ALIGNMENT));
  assert.not(looksLikeLogHeader(header({}), LOG_ALIGNMENT - 1));
  assert.not(looksLikeLogHeader(header({ 0: 0 }), 4096));
  assert.not(looksLikeLogHeader(header({ 0: 0x81 }), 4096));
  assert.not(looksLikeLogHeader(header({ 8: 4 }), 4096));
  assert.not(looksLikeLogHeader(header({ 10: 1 }), 4096));
  assert.not(looksLikeLogHeader(header({}).subarray(0, 15), 4096));
});

test("names of log files", () => {
  assert.equal(logFileName("WiredTigerLog.0000000012"), { kind: "log", number: 12 });
  assert.equal(logFileName("WiredTigerPreplog.0000000001"), { kind: "preallocated", number: 1 });
  assert.equal(logFileName("WiredTigerTmplog.0000000003"), { kind: "temporary", number: 3 });
  for (const name of ["WiredTigerLog.1", "WiredTigerLog.0000000012.bak", "WiredTiger", "l.wt"])
    assert.is(logFileName(name), undefined);
});

test("every flipped bit and every truncation of real records is detected", () => {
  const records = recordsOf(["logs", "operations", "WiredTigerLog.0000000001"]);
  const compressed = recordsOf(["logs", "snappy", "WiredTigerLog.0000000001"]).find(
    (record) => (record[8] as number) === 1,
  );
  for (const record of [records[0], records[1], records[3], compressed] as Uint8Array[]) {
    eachBitFlip(record, (damaged, at, bit) =>
      assert.ok(detects(logRecord, damaged), `byte ${at} bit ${bit}`),
    );
    eachTruncation(record, (shorter) => assert.ok(detects(logRecord, shorter), `${shorter.length} bytes`));
  }
  eachBitFlip(records[0] as Uint8Array, (damaged) => assert.ok(detects(logFileHeader, damaged)));
});

test("generated records keep the engine's alignment and debug byte", () => {
  for (let seed = 0; seed < 500; seed++) {
    const bytes = logRecord.build(logRecord.generate(seededRandom(seed)));
    assert.is(bytes.length % LOG_ALIGNMENT, 0);
    assert.equal(codes(bytes), []);
  }
});

test.run();
