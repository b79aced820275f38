/** The lines of a text file, one after another, whatever its length. */
import type { RandomAccess } from "./types.js";

export interface Line {
  /** 1-based. */
  readonly number: number;
  /** Of its first byte in the file. */
  readonly offset: number;
  /** Without its end; valid until the next line. Cut when the line is longer than the limit. */
  readonly bytes: Uint8Array;
  /** Bytes in the file, without the line feed. */
  readonly length: number;
}

/** Longest line that is kept whole, bytes: room for a page of 16 MB with its bytes written as numbers. */
export const MAX_LINE = 64 * 1024 * 1024;
const BLOCK = 1024 * 1024;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export function* readLines(file: RandomAccess, limit = MAX_LINE): Generator<Line> {
  const block = new Uint8Array(Math.max(1, Math.min(BLOCK, file.size)));
  const begun = new BegunLine(limit);
  let number = 1;
  let offset = 0;
  for (let position = 0, count = 0; position < file.size; position += count) {
    count = file.readInto(block, position);
    if (count === 0) break;
    const part = block.subarray(0, count);
    let from = 0;
    for (let end = part.indexOf(LINE_FEED); end !== -1; end = part.indexOf(LINE_FEED, from)) {
      const line = lineOf(number, offset, begun.complete(part.subarray(from, end)), begun.length);
      yield line;
      number++;
      offset += line.length + 1;
      from = end + 1;
      begun.clear();
    }
    begun.append(part.subarray(from));
  }
  if (begun.length > 0) yield lineOf(number, offset, begun.complete(new Uint8Array(0)), begun.length);
}

function lineOf(number: number, offset: number, bytes: Uint8Array, length: number): Line {
  const returns = bytes.length === length && bytes[length - 1] === CARRIAGE_RETURN;
  return { number, offset, bytes: returns ? bytes.subarray(0, -1) : bytes, length };
}

/** A line that reaches over the end of a block. */
class BegunLine {
  /** Bytes of the line so far, kept or not. */
  length = 0;
  private kept = 0;
  private buffer = new Uint8Array(0);

  constructor(private readonly limit: number) {}

  clear(): void {
    this.length = this.kept = 0;
  }

  append(piece: Uint8Array): void {
    const part = piece.subarray(0, this.limit - this.kept);
    this.length += piece.length;
    if (this.kept + part.length > this.buffer.length) this.grow(this.kept + part.length);
    this.buffer.set(part, this.kept);
    this.kept += part.length;
  }

  /** The whole line, now that its last piece is here. */
  complete(last: Uint8Array): Uint8Array {
    if (this.length === 0) {
      this.length = last.length;
      return last.subarray(0, this.limit);
    }
    this.append(last);
    return this.buffer.subarray(0, this.kept);
  }

  private grow(needed: number): void {
    const larger = new Uint8Array(Math.min(this.limit, Math.max(needed, 2 * this.buffer.length, BLOCK)));
    larger.set(this.buffer.subarray(0, this.kept));
    this.buffer = larger;
  }
}
