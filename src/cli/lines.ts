/** Input a line at a time, without ever holding more than one line and one chunk. */

/** A line without its newline, or the note that it was too long to keep. */
export type InputLine = Uint8Array | "too-long";

/** Longest line kept, bytes. */
export const MAX_LINE = 64 * 1024 * 1024;

const NEWLINE = 10;

/**
 * The lines of each chunk as it arrives, so that answers can leave before the next chunk comes. The last line needs
 * no newline.
 */
export async function* lineBatches(
  chunks: AsyncIterable<Uint8Array | string>,
  limit = MAX_LINE,
): AsyncGenerator<InputLine[]> {
  const assembler = new LineAssembler(limit);
  for await (const chunk of chunks)
    yield assembler.add(typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk);
  yield assembler.finish();
}

class LineAssembler {
  private parts: Uint8Array[] = [];
  private length = 0;

  constructor(private readonly limit: number) {}

  add(chunk: Uint8Array): InputLine[] {
    const lines: InputLine[] = [];
    let at = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, at)) {
      this.keep(chunk.subarray(at, end));
      lines.push(this.take());
      at = end + 1;
    }
    if (at < chunk.length) this.keep(chunk.subarray(at));
    return lines;
  }

  finish(): InputLine[] {
    return this.length === 0 ? [] : [this.take()];
  }

  private keep(part: Uint8Array): void {
    this.length += part.length;
    if (this.length > this.limit) this.parts = [];
    else this.parts.push(part);
  }

  private take(): InputLine {
    const { parts, length } = this;
    this.parts = [];
    this.length = 0;
    if (length > this.limit) return "too-long";
    return parts.length === 1 ? (parts[0] as Uint8Array) : concatenated(parts, length);
  }
}

function concatenated(parts: readonly Uint8Array[], length: number): Uint8Array {
  const line = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    line.set(part, at);
    at += part.length;
  }
  return line;
}
