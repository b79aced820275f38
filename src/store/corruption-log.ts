/** Blocks that a server printed into its log because it found them corrupt (formats: page-log stores §5). */
import {
  CORRUPTION_MARKERS,
  corruptionDumpFile,
  corruptionDumpLine,
  mongoLogKeys,
} from "../../formats/corruption-dump.js";
import { type ExactJson, isExactObject, parseExactJson } from "../codec/exact-json.js";
import { FormatError } from "../codec/index.js";
import { decodeText, encodeText } from "../codec/text.js";
import { decodeHex } from "./hex.js";
import { openInput } from "./input.js";
import { IssueLog } from "./issue-log.js";
import { type Line, readLines } from "./lines.js";
import type { Place, RandomAccess, StoreIssue } from "./types.js";

/** A block whose dump is complete: every chunk there, in order, and as many bytes as it says. */
export interface DumpedBlock {
  readonly objectId: bigint;
  /** Byte offset in the file; in a page log, the page id. */
  readonly offsetOrPageId: bigint;
  /** Bytes. */
  readonly size: number;
  /** The checksum the block should have had. */
  readonly checksum: number;
  readonly bytes: Uint8Array;
  /** Lines of its first and last chunk, 1-based. */
  readonly line: number;
  readonly lastLine: number;
  /** `file:…`, where the line says which file the session worked on. */
  readonly table: string | undefined;
  readonly place: Place;
}

interface Chunk {
  readonly key: string;
  readonly table: string | undefined;
  readonly objectId: bigint;
  readonly offsetOrPageId: bigint;
  readonly size: number;
  readonly checksum: number;
  readonly number: number;
  readonly of: number;
  readonly hex: Uint8Array;
}

interface OpenDump {
  readonly chunk: Chunk;
  readonly place: Place & { readonly line: number };
  readonly pieces: Uint8Array[];
  length: number;
  /** Something was wrong and has been reported; the chunks that still come are passed over. */
  failed: boolean;
}

/** The engine's own limit of a block, bytes. */
const MAX_BLOCK = 2 ** 29;
/** Dumps that several threads may be printing at once. */
const MAX_OPEN = 64;
/** Longest line that is read as a dump, bytes; the engine writes a block in chunks of a few KB. */
const MAX_DUMP_LINE = 16 * 1024 * 1024;
const markers = CORRUPTION_MARKERS.map((text) => Buffer.from(text));

/** @throws InputError when the file cannot be opened. */
export const openCorruptionLog = (path: string): CorruptionLog => new CorruptionLog(openInput(path));

export class CorruptionLog {
  readonly kind = "corruption-log";
  readonly path: string;
  /** Bytes of the log. */
  readonly size: number;
  private readonly log = new IssueLog();
  /** The last line with anything in it that was read so far, 1-based. */
  lastLine = 0;

  constructor(private readonly file: RandomAccess) {
    this.path = file.path;
    this.size = file.size;
  }

  /** Dumps that could not be put together, found so far; each has its line. */
  get issues(): readonly StoreIssue[] {
    return this.log.list;
  }

  /** Complete blocks, in the order their last chunks are in. The log is read from its beginning. */
  *blocks(): Generator<DumpedBlock> {
    const open = new Map<string, OpenDump>();
    for (const line of readLines(this.file, MAX_DUMP_LINE)) {
      if (line.length > 0) this.lastLine = line.number;
      const chunk = isDumpLine(line.bytes) ? this.chunkIn(line) : undefined;
      const block = chunk === undefined ? undefined : this.addChunk(open, chunk, line);
      if (block !== undefined) yield block;
    }
    for (const dump of open.values()) this.incomplete(dump);
  }

  close(): void {
    this.file.close();
  }

  private chunkIn(line: Line): Chunk | undefined {
    if (line.length <= MAX_DUMP_LINE) return this.chunkOf(line);
    this.issue("dump-line", line, `a line of ${line.length} bytes; dumps of up to ${MAX_DUMP_LINE} are read`);
    return undefined;
  }

  private chunkOf(line: Line): Chunk | undefined {
    const text = line.bytes[0] === OPEN_BRACE ? this.wrappedText(line) : decodeText(line.bytes);
    const match = text === undefined ? null : corruptionDumpLine.exec(text);
    if (match === null) {
      this.issue("dump-line", line, "a corruption dump that does not read as one");
      return undefined;
    }
    const [, objectId, offset, size, checksum, number, of, hex] = match as unknown as string[] & {
      length: 8;
    };
    const table = corruptionDumpFile.exec((text as string).slice(0, match.index))?.[0];
    return {
      table,
      key: `${table ?? ""} ${objectId}:${offset}:${size}:${checksum}`,
      objectId: BigInt(objectId as string),
      offsetOrPageId: BigInt(offset as string),
      size: Number(size),
      checksum: Number.parseInt(checksum as string, 16),
      number: Number(number),
      of: Number(of),
      hex: encodeText((hex as string).trim()),
    };
  }

  /** The engine's text in a line of MongoDB's log. */
  private wrappedText(line: Line): string | undefined {
    try {
      const entry = parseExactJson(line.bytes, { base: line.offset });
      const message = member(member(entry, mongoLogKeys.attributes), mongoLogKeys.message);
      const text = isExactObject(message) ? message[mongoLogKeys.text] : message;
      return typeof text === "string" ? text : undefined;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      return undefined;
    }
  }

  private addChunk(open: Map<string, OpenDump>, chunk: Chunk, line: Line): DumpedBlock | undefined {
    if (chunk.number === 1 || !open.has(chunk.key)) this.begin(open, chunk, line);
    const dump = open.get(chunk.key) as OpenDump;
    if (!dump.failed) dump.failed = !this.take(dump, chunk, line);
    if (chunk.number < chunk.of) return undefined;
    open.delete(chunk.key);
    return dump.failed ? undefined : this.finish(dump, line);
  }

  private begin(open: Map<string, OpenDump>, chunk: Chunk, line: Line): void {
    const before = open.get(chunk.key);
    if (before !== undefined) this.incomplete(before);
    else if (open.size >= MAX_OPEN) {
      const [key, oldest] = open.entries().next().value as [string, OpenDump];
      this.incomplete(oldest);
      open.delete(key);
    }
    open.set(chunk.key, { chunk, place: this.at(line), pieces: [], length: 0, failed: false });
  }

  private take(dump: OpenDump, chunk: Chunk, line: Line): boolean {
    const due = dump.pieces.length + 1;
    if (chunk.number !== due || chunk.of !== dump.chunk.of)
      return this.issue(
        "dump-chunk",
        line,
        `chunk ${chunk.number} of ${chunk.of} where chunk ${due} is due`,
        chunk,
      );
    const reading = decodeHex(chunk.hex);
    if (!reading.ok) {
      const message =
        reading.problem === "digit"
          ? `no hex digit at character ${reading.at} of chunk ${chunk.number}`
          : `half a byte at character ${reading.at} of chunk ${chunk.number}`;
      return this.issue(
        reading.problem === "digit" ? "dump-hex-digit" : "dump-hex-odd",
        line,
        message,
        chunk,
      );
    }
    dump.pieces.push(reading.bytes);
    dump.length += reading.bytes.length;
    if (dump.length <= Math.min(chunk.size, MAX_BLOCK)) return true;
    return this.issue("dump-size", line, `more bytes than the ${chunk.size} of the block`, chunk);
  }

  private finish({ chunk, place, pieces, length }: OpenDump, line: Line): DumpedBlock | undefined {
    const { table, objectId, offsetOrPageId, size, checksum } = chunk;
    if (length !== size) {
      this.issue("dump-size", line, `${length} bytes of a block of ${size}`, chunk);
      return undefined;
    }
    return {
      objectId,
      offsetOrPageId,
      size,
      checksum,
      bytes: Buffer.concat(pieces),
      line: place.line,
      lastLine: line.number,
      table,
      place,
    };
  }

  private incomplete({ chunk, place, pieces, failed }: OpenDump): void {
    if (failed) return;
    const message = `${named(chunk)}: only ${pieces.length} of ${chunk.of} chunks`;
    this.log.add("dump-chunk", place, message, { expected: chunk.of, actual: pieces.length });
  }

  private issue(code: string, line: Line, message: string, chunk?: Chunk): false {
    this.log.add(code, this.at(line), chunk === undefined ? message : `${named(chunk)}: ${message}`);
    return false;
  }

  private at(line: Line): Place & { readonly line: number } {
    return { file: this.path, offset: line.offset, line: line.number };
  }
}

const OPEN_BRACE = 0x7b;

/** Whether a line is about a corrupt block; cheap enough for every line of a large log. */
export function isDumpLine(bytes: Uint8Array): boolean {
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return markers.some((marker) => line.includes(marker));
}

const member = (value: ExactJson | undefined, key: string): ExactJson | undefined =>
  isExactObject(value) ? value[key] : undefined;

const named = ({ objectId, offsetOrPageId, size }: Chunk): string =>
  `block {${objectId}: ${offsetOrPageId}, ${size}}`;
