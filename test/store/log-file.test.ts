import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type LogRecordBody, logRecord, paddedLogRecord } from "../../formats/log.js";
import { type LogOperation, operationOf } from "../../formats/log-operation.js";
import { bytesToHex, type RandomSource, seededRandom } from "../../src/codec/index.js";
import { rotnEncryptor } from "../../src/page/transform/index.js";
import { FileAccess, MemoryAccess } from "../../src/store/file.js";
import {
  type LogFileEntry,
  type LogFileOptions,
  type LogFileRecord,
  readLogFile,
} from "../../src/store/log-file.js";
import type { RandomAccess } from "../../src/store/types.js";
import { printed, truthLine } from "../../tools/corpus/printlog.js";
import { processorMillis } from "../support/clock.js";
import { corpusPath } from "../support/corpus.js";

const test = suite("log files");
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const small = new Uint8Array(readFileSync(corpusPath("logs", "operations", "WiredTigerLog.0000000001")));

const entriesOf = (source: RandomAccess | Uint8Array, options?: LogFileOptions): LogFileEntry[] => [
  ...readLogFile(source instanceof Uint8Array ? new MemoryAccess("log", source) : source, options),
];
const summary = (entries: LogFileEntry[]): string[] =>
  entries
    .filter(({ issues, kind }) => issues.length > 0 || kind === "gap")
    .map(
      ({ kind, offset, length, issues }) =>
        `${kind} ${offset}+${length} ${issues.map(({ code }) => code).join(" ")}`,
    );

test("every record says what the engine's printlog says", () => {
  const cases: Array<[string[], string[], number, string[]]> = [
    [["classic-3.2.1", "deb_logged", "WiredTigerLog.0000000002"], ["deb_logged.txt"], 2, []],
    [["logs", "operations", "WiredTigerLog.0000000001"], ["operations", "printlog.txt"], 1, []],
    [["logs", "snappy", "WiredTigerLog.0000000001"], ["snappy", "printlog.txt"], 1, ["snappy"]],
    [["logs", "zlib", "WiredTigerLog.0000000001"], ["zlib", "printlog.txt"], 1, ["zlib"]],
  ];
  for (const [file, truth, number, compressors] of cases) {
    const expected = readFileSync(corpusPath("logs", ...truth), "utf8")
      .trimEnd()
      .split("\n");
    const lines: string[] = [];
    const used = new Set<string>();
    for (const entry of readLogFile(new FileAccess(corpusPath(...file)))) {
      assert.ok(entry.kind === "record" && entry.issues.length === 0);
      const shown = printed(entry, number);
      if (shown !== undefined) lines.push(truthLine(shown));
      if (entry.compressor !== undefined) used.add(entry.compressor);
    }
    assert.equal(lines, expected);
    assert.equal([...used], compressors);
  }
});

test("the log of the 12.0 engine holds the rows of its tables", () => {
  const rows = new Map<number, Map<string, string>>([
    [16, new Map()],
    [24, new Map()],
  ]);
  for (const entry of readLogFile(
    new FileAccess(corpusPath("classic-12.0", "logged", "WiredTigerLog.0000000001")),
  )) {
    assert.ok(entry.kind === "record" && entry.issues.length === 0);
    if (entry.content !== undefined && "operations" in entry.content) replay(entry.content.operations, rows);
  }
  const truth = JSON.parse(readFileSync(corpusPath("truth.json"), "utf8"));
  assert.equal(
    dumped(rows.get(16), (key) => key),
    truth["classic-12.0/logged.truth/l.dump-x.txt"],
  );
  assert.equal(
    dumped(rows.get(24), (key) => key.padStart(20, "0")),
    truth["classic-12.0/logged.truth/l2.dump-x.txt"],
  );
});

function replay(operations: readonly LogOperation[], tables: Map<number, Map<string, string>>): void {
  for (const { body } of operations) {
    const table = "fileId" in body ? tables.get(body.fileId) : undefined;
    if (body.kind === "rowPut") table?.set(bytesToHex(body.key), bytesToHex(body.value));
    else if (body.kind === "rowRemove") table?.delete(bytesToHex(body.key));
    else if (body.kind === "colPut") table?.set(String(body.recno), bytesToHex(body.value));
    else assert.is(table, undefined, body.kind);
  }
}

/** Row count and hash of a dump: a line with the key, a line with the value. */
function dumped(
  table: Map<string, string> | undefined,
  order: (key: string) => string,
): { rows: number; sha256: string } {
  const sorted = [...(table ?? [])].sort(([a], [b]) => (order(a) < order(b) ? -1 : 1));
  const lines = sorted.map(([key, value]) => `${key}\n${value}\n`).join("");
  return { rows: sorted.length, sha256: createHash("sha256").update(lines).digest("hex") };
}

test("preallocated files hold a description and nothing else", () => {
  for (const file of ["WiredTigerPreplog.0000000001", "WiredTigerPreplog.0000000002"]) {
    const entries = entriesOf(new FileAccess(corpusPath("classic-3.2.1", "deb_logged", file)));
    assert.equal(
      entries.map(({ kind }) => kind),
      ["record"],
    );
    assert.equal(summary(entries), []);
  }
  assert.equal(entriesOf(new Uint8Array()), []);
  assert.equal(entriesOf(new Uint8Array(100_000)), []);
});

test("a damaged record is named, and all others are read", () => {
  const sound = entriesOf(small);
  const victim = sound[40] as LogFileEntry;
  for (const at of [4, 20, victim.length - 1]) {
    const damaged = small.slice();
    damaged[victim.offset + at] = (damaged[victim.offset + at] as number) ^ 0x10;
    const entries = entriesOf(damaged);
    assert.equal(entries.length, sound.length);
    assert.equal(
      entries.filter(({ issues }) => issues.length > 0).map(({ offset }) => offset),
      [victim.offset],
    );
    assert.ok(entries[40]?.issues.some(({ code }) => code === "checksum"));
  }
});

test("a damaged length is passed over: reading goes on at the next sound record", () => {
  const sound = entriesOf(small);
  const { offset, length } = sound[40] as LogFileEntry;
  const withLength = (value: number): LogFileEntry[] => {
    const damaged = small.slice();
    new DataView(damaged.buffer).setUint32(offset, value, true);
    return entriesOf(damaged);
  };
  assert.equal(summary(withLength(length + 1)), [`gap ${offset}+${length} log-record-header`]);
  assert.equal(summary(withLength(0)), [`gap ${offset}+${length} log-record-header`]);
  assert.equal(summary(withLength(1 << 30)), [`gap ${offset}+${length} log-record-header`]);
  const tooLong = withLength(length + 1280);
  assert.is(tooLong.length, sound.length);
  assert.is(tooLong[40]?.length, length);
  assert.ok(tooLong[40]?.issues.some(({ code }) => code === "checksum"));
});

test("zeros end the log; records behind them are shown as such", () => {
  const sound = entriesOf(small);
  const { offset, length } = sound[60] as LogFileEntry;
  const hole = small.slice();
  hole.fill(0, offset, offset + length);
  const entries = entriesOf(hole);
  assert.equal(summary(entries), [`gap ${offset}+${length} log-data-behind-end`]);
  const behind = entries.map((entry) => entry.kind === "record" && entry.behindEnd);
  assert.equal(behind.indexOf(true), 61);
  assert.not(behind.slice(61).includes(false));
});

test("a file begins with a description and the end of the file before it", () => {
  const built = (...contents: LogRecordBody[]): Uint8Array => {
    const records = contents.map((content) => logRecord.build(paddedLogRecord(content)));
    return Uint8Array.from(records.flatMap((record) => [...record]));
  };
  const description = (version: number): LogRecordBody => ({
    kind: "description",
    magic: 0x101064,
    version,
    unused: 0,
    logSize: 1n << 20n,
  });
  const message: LogRecordBody = { kind: "message", recordType: 3, text: "hi" };
  const previous: LogRecordBody = {
    kind: "system",
    recordType: 4,
    operations: [operationOf({ kind: "prevLsn", lsn: { file: 1, offset: 0 } })],
  };
  assert.equal(summary(entriesOf(built(description(5), previous, message))), []);
  assert.equal(summary(entriesOf(built(description(1), message))), []);
  assert.equal(summary(entriesOf(built(description(2), message))), ["record 128+128 log-previous-lsn"]);
  assert.equal(summary(entriesOf(built(message))), ["record 0+128 log-description"]);
});

test("a record of more than 1 MB is checked operation by operation", () => {
  const operation = (i: number): LogOperation =>
    operationOf({
      kind: "rowPut",
      fileId: 2,
      keyLength: 8,
      key: text(String(i).padStart(8)),
      value: new Uint8Array(100),
    });
  const operations = Array.from({ length: 20_000 }, (_, i) => operation(i));
  const large = logRecord.build(paddedLogRecord({ kind: "commit", recordType: 1, txnId: 300n, operations }));
  assert.ok(large.length > 2 << 20);
  const file = Uint8Array.from([...small.subarray(0, 256), ...large]);
  const [, , entry] = entriesOf(file) as LogFileRecord[];
  assert.is(entry?.operations, 20_000);
  assert.equal(entry?.issues, []);
  assert.is(entry?.content, undefined);
  file[256 + 16 + 4] = (file[256 + 16 + 4] as number) ^ 0x20;
  const [, , damaged] = entriesOf(file) as LogFileRecord[];
  assert.ok(damaged?.issues.some(({ code }) => code === "checksum"));
  const [, , unread] = entriesOf(file, { maxContentLength: 1 << 20 }) as LogFileRecord[];
  assert.equal(
    unread?.issues.map(({ code }) => code),
    ["checksum", "log-record-large"],
  );
});

test("encrypted records are left alone without an encryptor, and read with one", () => {
  const rotn = rotnEncryptor(13);
  const content = Uint8Array.of(0x83, ...text("a secret message\0"));
  const output = rotn.encrypt(content, {});
  const stored = new Uint8Array(128 - 16);
  new DataView(stored.buffer).setUint32(0, 16 + 4 + output.length, true);
  stored.set(output, 4);
  const bytes = logRecord.build({ flags: 2, memLength: 16 + content.length, stored } as never);
  const file = Uint8Array.from([...small.subarray(0, 256), ...bytes]);
  assert.equal(summary(entriesOf(file)), ["record 256+128 log-encrypted"]);
  const [, , entry] = entriesOf(file, { encryptor: rotn }) as LogFileRecord[];
  assert.equal(
    entry?.issues.map(({ code }) => code),
    [],
  );
  assert.equal(entry?.content, { kind: "message", recordType: 3, text: "a secret message" });
});

test("a compressed record that does not inflate is an error of its own", () => {
  const random = seededRandom(9);
  const bytes = logRecord.build({ flags: 1, memLength: 900, stored: random.bytes(112) } as never);
  const file = Uint8Array.from([...small.subarray(0, 256), ...bytes]);
  assert.equal(summary(entriesOf(file)), ["record 256+128 no-compressor"]);
  assert.equal(summary(entriesOf(file, { compressor: "snappy" })), ["record 256+128 compressed-length"]);
  assert.equal(summary(entriesOf(file, { compressor: "brotli" })), ["record 256+128 no-compressor"]);
  const huge = logRecord.build({ flags: 1, memLength: 0xffffffff, stored: random.bytes(112) } as never);
  assert.equal(summary(entriesOf(Uint8Array.from([...small.subarray(0, 256), ...huge]))), [
    "record 256+128 log-mem-length",
  ]);
});

test("random damage never stops the reading, nor does it take long or throw", () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = seededRandom(seed);
    const damaged = small.slice(0, 45_056);
    for (let i = 0; i <= random.below(40); i++) damage(damaged, random);
    const shorter = damaged.subarray(0, seed % 3 === 0 ? random.below(damaged.length) : damaged.length);
    const started = processorMillis();
    const entries = entriesOf(shorter);
    assert.ok(processorMillis() - started < 1000);
    let end = 0;
    for (const { offset, length } of entries) {
      assert.is(offset, end, `seed ${seed}`);
      assert.ok(length > 0);
      end = offset + length;
    }
    assert.ok(end <= shorter.length);
  }
});

function damage(bytes: Uint8Array, random: RandomSource): void {
  const at = random.below(bytes.length);
  const kind = random.below(3);
  if (kind === 0) bytes[at] = random.below(256);
  else if (kind === 1) bytes.fill(0, at, at + random.below(700));
  else new DataView(bytes.buffer).setUint32(at & ~127, random.below(1 << 16) << 7, true);
}

test("headers that claim the whole file again and again do not make the scan quadratic", () => {
  const file = new Uint8Array(4 << 20);
  const view = new DataView(file.buffer);
  for (let at = 0; at < file.length; at += 128) view.setUint32(at, file.length - at, true);
  const started = processorMillis();
  assert.ok(entriesOf(file).every(({ issues }) => issues.length > 0));
  assert.ok(processorMillis() - started < 1000);
});

test("memory does not grow with the file", () => {
  const last = entriesOf(small).at(-1) as LogFileEntry;
  const bytes = small.slice(0, last.offset + last.length);
  const copies = 1024;
  const long: RandomAccess = {
    path: "long",
    size: bytes.length * copies,
    close: () => {},
    readInto(target, offset) {
      let done = 0;
      while (done < target.length && offset + done < this.size) {
        const from = (offset + done) % bytes.length;
        const part = bytes.subarray(from, from + Math.min(target.length - done, this.size - offset - done));
        target.set(part, done);
        done += part.length;
      }
      return done;
    },
  };
  let records = 0;
  let peak = 0;
  for (const entry of readLogFile(long)) {
    records++;
    assert.is(entry.kind, "record");
    if (records % 4096 === 0) peak = Math.max(peak, process.memoryUsage().arrayBuffers);
  }
  assert.ok(records > 100_000);
  assert.ok(peak < 32 << 20, `${peak >> 20} MB of buffers`);
});

test.run();
