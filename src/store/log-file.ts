/** The records of a log file, one after the other; damage is passed over. Formats: history and log §2. */
import {
  LOG_ALIGNMENT,
  LOG_HEADER,
  LOG_HEADER_SIZE,
  LOG_SYSTEM_RECORD_VERSION,
  type LogRecord,
  type LogRecordBody,
  logHeaderOf,
  logRecord,
  looksLikeLogHeader,
} from "../../formats/log.js";
import { isZero } from "../../formats/zero-tail.js";
import { crc32c, crc32cWithZeroedField, type Issue } from "../codec/index.js";
import {
  contentOf,
  DEFAULT_MAX_CONTENT,
  type LogRecordOptions,
  operationsIn,
  readContent,
} from "./log-record.js";
import { ReadWindow } from "./read-window.js";
import type { RandomAccess } from "./types.js";

export interface LogFileRecord {
  readonly kind: "record";
  /** Byte offset of the header: with the file's number, the record's LSN. */
  readonly offset: number;
  /** Bytes, padding included. */
  readonly length: number;
  readonly flags: number;
  /** As stored; absent for records above 1 MB and for damaged ones. Its bytes are valid until the next entry. */
  readonly record?: LogRecord;
  /** What it says, decrypted and inflated; absent as above, and where an encryptor or compressor is missing. */
  readonly content?: LogRecordBody;
  /** Operations of a commit or system record. */
  readonly operations: number;
  /** Which compressor the content came from. */
  readonly compressor?: string;
  /** The log ends before this record: recovery does not read it. */
  readonly behindEnd: boolean;
  readonly issues: readonly Issue[];
}

/** Bytes that belong to no record. */
export interface LogFileGap {
  readonly kind: "gap";
  readonly offset: number;
  readonly length: number;
  readonly issues: readonly Issue[];
}
export type LogFileEntry = LogFileRecord | LogFileGap;

export type LogFileOptions = LogRecordOptions;

/** Larger records are checked operation by operation, without a value of the whole. */
const MAX_VALUE = 1 << 20;
const CHUNK = 1 << 16;

/**
 * Every record of a log file in order, with what is wrong with it; ends where the file holds nothing but zeros. Memory
 * does not grow with the file: a record above `maxContentLength` is only read for its checksum. Damaged places come as
 * gaps; reading goes on at the next sound record.
 */
export function readLogFile(source: RandomAccess, options: LogFileOptions = {}): Generator<LogFileEntry> {
  return new LogScan(source, options).entries();
}

/** What was found out about a record. */
type Found = Partial<LogFileRecord> & { readonly issues: readonly Issue[] };

class LogScan {
  private readonly window: ReadWindow;
  private readonly size: number;
  private behindEnd = false;
  private records = 0;
  private version = 0;
  /** Bytes that may still be read to try whether a damaged place holds a record: keeps the scan linear. */
  private trials: number;

  constructor(
    source: RandomAccess,
    private readonly options: LogFileOptions,
  ) {
    this.window = new ReadWindow(source);
    this.size = source.size;
    this.trials = 4 * source.size;
  }

  *entries(): Generator<LogFileEntry> {
    for (let at = 0; at < this.size; ) {
      const header = this.window.view(at, LOG_HEADER_SIZE);
      if (looksLikeLogHeader(header, this.size - at)) {
        const entry = this.recordAt(at, header);
        yield entry;
        at += entry.length;
        continue;
      }
      const gap = this.gapAt(at);
      if (gap === undefined) return;
      yield gap;
      at += gap.length;
    }
  }

  private recordAt(at: number, header: Uint8Array): LogFileRecord {
    const { length, flags } = logHeaderOf(header);
    const read = length > MAX_VALUE ? this.largeRecord(at, header) : this.record(at, length);
    const issues = [...read.issues, ...this.expectations(read.content)];
    const damaged = issues.some(({ code }) => code === "checksum");
    const next = damaged ? this.soundFrom(at + LOG_ALIGNMENT, at + length) : undefined;
    this.records++;
    return {
      kind: "record",
      offset: at,
      operations: 0,
      behindEnd: this.behindEnd,
      flags,
      ...read,
      length: (next ?? at + length) - at,
      issues,
    };
  }

  /** A record that is small enough for a value. */
  private record(at: number, length: number): Found {
    const view = this.window.view(at, length);
    if (view.length < length) return { issues: [endedEarly(at, length, view.length)] };
    // What a damaged record holds has to outlive the search for the next sound one.
    const bytes = isSound(view) ? view : view.slice();
    const reading = logRecord.read(bytes, { base: at });
    if (!reading.ok) return { issues: withChecksum(reading.issues, bytes, at) };
    const { value: record, issues } = reading;
    if (record.body === undefined) return { record, ...this.transformed(bytes, record, at, issues) };
    return { record, content: record.body, operations: operationCount(record.body), issues };
  }

  private largeRecord(at: number, header: Uint8Array): Found {
    const fields = logHeaderOf(header);
    const { length, checksum } = fields;
    if (length > (this.options.maxContentLength ?? DEFAULT_MAX_CONTENT)) {
      const large = issue("log-record-large", "info", at, `${length} bytes: only its checksum was looked at`);
      const sum = this.checksumOf(at, length);
      return { issues: sum === checksum ? [large] : [badChecksum(at, sum, checksum), large] };
    }
    const bytes = this.window.view(at, length);
    if (bytes.length < length) return { issues: [endedEarly(at, length, bytes.length)] };
    const issues = withChecksum([], bytes, at);
    return fields.flags === 0
      ? walked(bytes.subarray(LOG_HEADER_SIZE), at, issues)
      : this.transformed(bytes, fields, at, issues);
  }

  private transformed(
    bytes: Uint8Array,
    header: Pick<LogRecord, "flags" | "memLength">,
    at: number,
    before: readonly Issue[],
  ): Found {
    const { content: plain, compressor, issues: found } = contentOf(bytes, header, this.options);
    const issues = [...before, ...shifted(found, at)];
    if (plain === undefined) return { issues };
    const how = compressor === undefined ? {} : { compressor };
    if (plain.length > MAX_VALUE) return { ...how, ...walked(plain, at, issues) };
    const reading = readContent(plain);
    issues.push(...shifted(reading.issues, at));
    if (!reading.ok) return { ...how, issues };
    return { ...how, content: reading.value, operations: operationCount(reading.value), issues };
  }

  /** What the first two records of a file have to be. */
  private expectations(content: LogRecordBody | undefined): Issue[] {
    if (this.behindEnd) return [];
    if (this.records === 0) {
      if (content?.kind === "description") this.version = content.version;
      else return [issue("log-description", "error", 0, "a log file begins with its description")];
    }
    if (this.records !== 1 || this.version < LOG_SYSTEM_RECORD_VERSION || isPreviousLsn(content)) return [];
    const message = "the second record should say where the previous log file ended";
    return [issue("log-previous-lsn", "warning", LOG_ALIGNMENT, message)];
  }

  /** What begins at `at` is no record; undefined when nothing but zeros follows. */
  private gapAt(at: number): LogFileGap | undefined {
    const data = this.dataFrom(at);
    if (data === undefined) return undefined;
    const slot = data - ((data - at) % LOG_ALIGNMENT);
    if (slot > at) {
      this.behindEnd = true;
      const message = "the log ends here, but bytes that are not zero follow";
      return {
        kind: "gap",
        offset: at,
        length: slot - at,
        issues: [issue("log-data-behind-end", "warning", at, message)],
      };
    }
    const next = this.soundFrom(at + LOG_ALIGNMENT, this.size) ?? this.size;
    const message = `${next - at} bytes that are no log record`;
    return {
      kind: "gap",
      offset: at,
      length: next - at,
      issues: [issue("log-record-header", "error", at, message)],
    };
  }

  /** Offset of the first byte from `at` on that is not zero. */
  private dataFrom(at: number): number | undefined {
    for (let offset = at; offset < this.size; offset += CHUNK) {
      const chunk = this.window.view(offset, Math.min(CHUNK, this.size - offset));
      if (!isZero(chunk)) return offset + chunk.findIndex((byte) => byte !== 0);
    }
    return undefined;
  }

  /** Offset of the first sound record that begins from `from` on and before `to`. */
  private soundFrom(from: number, to: number): number | undefined {
    for (let at = from; at + LOG_ALIGNMENT <= to; at += LOG_ALIGNMENT) {
      const header = this.window.view(at, LOG_HEADER_SIZE);
      if (!looksLikeLogHeader(header, this.size - at)) continue;
      const { length, checksum } = logHeaderOf(header);
      this.trials -= length;
      if (this.trials < 0) return undefined;
      if (this.checksumOf(at, length) === checksum) return at;
    }
    return undefined;
  }

  /** The checksum a record should have, without holding all of it. */
  private checksumOf(at: number, length: number): number {
    const first = this.window.view(at, Math.min(CHUNK, length));
    let sum = crc32cWithZeroedField(first, 0, first.length, LOG_HEADER.checksum);
    for (let done = CHUNK; done < length; done += CHUNK)
      sum = crc32c(this.window.view(at + done, Math.min(CHUNK, length - done)), sum);
    return sum;
  }
}

function walked(content: Uint8Array, at: number, before: readonly Issue[]): Found {
  const issues = [...before];
  let operations = 0;
  for (const reading of operationsIn(content)) {
    issues.push(...shifted(reading.issues, at));
    operations++;
  }
  return { operations, issues };
}

/** Issues of a record's content: their places are those of the record, whose bytes they do not count. */
const shifted = (issues: readonly Issue[], at: number): Issue[] =>
  issues.map((item) => ({ ...item, offset: at }));

/** A record that cannot be read may also have a wrong checksum: then that is the reason. */
function withChecksum(issues: readonly Issue[], bytes: Uint8Array, at: number): readonly Issue[] {
  return isSound(bytes) ? issues : [badChecksum(at, computed(bytes), logHeaderOf(bytes).checksum), ...issues];
}

const computed = (bytes: Uint8Array): number =>
  crc32cWithZeroedField(bytes, 0, bytes.length, LOG_HEADER.checksum);

const isSound = (bytes: Uint8Array): boolean => computed(bytes) === logHeaderOf(bytes).checksum;

function badChecksum(at: number, expected: number, actual: number): Issue {
  const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;
  const message = `checksum is ${hex(actual)}, the bytes give ${hex(expected)}`;
  return {
    ...issue("checksum", "error", at + LOG_HEADER.checksum, message),
    path: "checksum",
    expected,
    actual,
  };
}

const endedEarly = (at: number, expected: number, actual: number): Issue => ({
  ...issue("truncated", "error", at, "the file became shorter while it was read"),
  expected,
  actual,
});

const issue = (code: string, severity: Issue["severity"], offset: number, message: string): Issue => ({
  code,
  severity,
  path: "",
  offset,
  message,
});

const operationCount = (content: LogRecordBody): number =>
  "operations" in content ? content.operations.length : 0;

const isPreviousLsn = (content: LogRecordBody | undefined): boolean =>
  content?.kind === "system" && content.operations[0]?.body.kind === "prevLsn";
