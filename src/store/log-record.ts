/** One record of a log file: from its bytes to what it says. Formats: history and log §2. */
import {
  LOG_HEADER_SIZE,
  type LogRecord,
  type LogRecordBody,
  logFlags,
  logRecordBody,
  operationsStart,
} from "../../formats/log.js";
import { type LogOperation, logOperation } from "../../formats/log-operation.js";
import { FormatError, type Issue, issueOf, type Reading } from "../codec/index.js";
import {
  type Compressor,
  compressorByName,
  decryptBlock,
  detectCompressor,
  type Encryptor,
} from "../page/transform/index.js";

export interface LogRecordOptions {
  /** The connection's log compressor, by name or itself; without it every registered one is tried. */
  readonly compressor?: string | Compressor;
  readonly encryptor?: Encryptor;
  /** Longest plain content to be made of a record, in bytes (default 64 MB). */
  readonly maxContentLength?: number;
}

/** What a compressed or encrypted record says. */
export interface LogContent {
  /** Plain bytes behind the header; absent when they cannot be had. */
  readonly content?: Uint8Array;
  readonly compressor?: string;
  readonly issues: readonly Issue[];
}

export const DEFAULT_MAX_CONTENT = 64 << 20;

/**
 * The plain content of a record, decrypted and inflated as its flags say. What is impossible (`log-encrypted` without
 * an encryptor: info; `no-compressor`, a damaged stream, a length beyond the limit: error) comes back as an issue.
 */
export function contentOf(
  bytes: Uint8Array,
  { flags, memLength }: Pick<LogRecord, "flags" | "memLength">,
  options: LogRecordOptions = {},
): LogContent {
  const encrypted = (flags & logFlags.encrypted) !== 0;
  if (encrypted && options.encryptor === undefined)
    return {
      issues: [note("log-encrypted", "info", "encrypted, and no encryptor was given: not looked into")],
    };
  try {
    checkLength(memLength, options.maxContentLength ?? DEFAULT_MAX_CONTENT);
    const { encryptor } = options;
    const opened = encryptor && encrypted ? decryptBlock(bytes, LOG_HEADER_SIZE, { encryptor }) : bytes;
    const stored = opened.subarray(LOG_HEADER_SIZE);
    const length = memLength - LOG_HEADER_SIZE;
    if ((flags & logFlags.compressed) === 0) return { content: stored.subarray(0, length), issues: [] };
    const compressor = compressorFor(stored, length, options);
    return { content: compressor.decompress(stored, length), compressor: compressor.name, issues: [] };
  } catch (error) {
    if (error instanceof FormatError) return { issues: [issueOf(error)] };
    throw error;
  }
}

function checkLength(memLength: number, limit: number): void {
  if (memLength > LOG_HEADER_SIZE && memLength <= limit) return;
  throw new FormatError({
    code: "log-mem-length",
    message: `a plain length of ${memLength} bytes`,
    path: "memLength",
    expected: `${LOG_HEADER_SIZE + 1}..${limit}`,
    actual: memLength,
  });
}

function compressorFor(stored: Uint8Array, length: number, { compressor }: LogRecordOptions): Compressor {
  if (typeof compressor === "object") return compressor;
  const names = compressor === undefined ? detectCompressor(stored, length) : [compressor];
  const found = names.length === 1 ? compressorByName(names[0] as string) : undefined;
  if (found !== undefined) return found;
  throw new FormatError({
    code: "no-compressor",
    message:
      compressor === undefined
        ? "no single compressor fits the record"
        : `there is no compressor ${compressor}`,
    path: "stored",
    hint: "name the compressor: the connection's configuration has it as log=(compressor=)",
  });
}

const note = (code: string, severity: Issue["severity"], message: string): Issue => ({
  code,
  severity,
  path: "",
  message,
});

/** The content as a value; its bytes are views of `content`. */
export const readContent = (content: Uint8Array): Reading<LogRecordBody> => logRecordBody.read(content);

/**
 * The operations of a plain commit or system content, one at a time: for records too large to be held as a value.
 * Ends with the first operation that cannot be read.
 */
export function* operationsIn(content: Uint8Array): Generator<Reading<LogOperation> & { offset: number }> {
  let offset = operationsStart(content);
  while (offset !== undefined && offset < content.length && content[offset] !== 0) {
    const reading = logOperation.read(content.subarray(offset), { base: offset, partial: true });
    yield { ...reading, offset };
    offset = reading.ok ? offset + reading.length : undefined;
  }
}
