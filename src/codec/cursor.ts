/** Reading and writing positions of the codec engine. All reads are bounded; all offsets are absolute. */
import { FormatError } from "./error.js";

/** A place where a checksum was read, to be compared once the whole region is known. */
export interface ChecksumSite {
  /** Offset of the checksum field from the first byte of the region. */
  readonly fieldOffset: number;
  readonly stored: number;
  readonly region: Uint8Array;
  /** Where the region begins in the input. */
  readonly regionOffset: number;
  readonly node: unknown;
  readonly scope: unknown;
}

/** Receives what is read while it is read; absent on the fast path. */
export interface Tracer {
  open(name: string | number, node: unknown, start: number): void;
  close(end: number, value: unknown): void;
  /** The innermost opened field failed; everything open is closed at `end`. */
  fail(end: number): void;
}

export class Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  pos: number;
  /** First byte not to be read: the end of the current region. */
  end: number;
  /** Added to positions in errors: where `bytes` begins in the input. */
  readonly base: number;
  /** First byte of the region checksums and `remaining` refer to. */
  regionStart: number;
  /** True when the low nibble of the byte at `pos` has been consumed. */
  halfByte = false;
  readonly checksums: ChecksumSite[] = [];
  tracer: Tracer | undefined;

  constructor(bytes: Uint8Array, base = 0, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.pos = start;
    this.end = end;
    this.base = base;
    this.regionStart = start;
  }

  get left(): number {
    return this.end - this.pos;
  }

  /** The position in bytes; x.5 between the nibbles of a byte. */
  get place(): number {
    return this.halfByte ? this.pos + 0.5 : this.pos;
  }

  /** Throws `truncated` unless `count` bytes are left; returns the position they begin at and moves past them. */
  take(count: number): number {
    const at = this.pos;
    if (!(count >= 0 && count <= this.end - at)) throw this.truncated(count);
    this.pos = at + count;
    return at;
  }

  private truncated(count: number): FormatError {
    return new FormatError({
      code: "truncated",
      message: `${count} bytes needed, ${this.left} left`,
      offset: this.base + this.pos,
      expected: count,
      actual: this.left,
    });
  }

  /** Low nibble of a byte first; `align` ends a nibble stream. */
  takeNibble(): number {
    if (this.pos >= this.end) throw this.truncated(1);
    const byte = this.bytes[this.pos] as number;
    if (!this.halfByte) {
      this.halfByte = true;
      return byte & 0x0f;
    }
    this.halfByte = false;
    this.pos++;
    return byte >> 4;
  }

  /** Ends a nibble stream: an unused high nibble must be 0. */
  align(): void {
    if (!this.halfByte) return;
    const high = (this.bytes[this.pos] as number) >> 4;
    if (high !== 0)
      throw new FormatError({
        code: "padding-not-zero",
        message: `unused high nibble is ${high}`,
        offset: this.base + this.pos,
        expected: 0,
        actual: high,
      });
    this.halfByte = false;
    this.pos++;
  }
}

/** What a writer writes into. */
interface Output {
  readonly buffer: Uint8Array;
  readonly view: DataView;
}

const outputOf = (buffer: Uint8Array): Output => ({ buffer, view: new DataView(buffer.buffer) });

/** Longer buffers are not kept, bytes. */
const MAX_SPARE = 1 << 16;
/** The buffer of a writer that has finished, for the next one: making one takes longer than writing most values. */
let spare: Output | undefined;

const NO_OUTPUT = outputOf(new Uint8Array());

/** A growing output buffer. */
export class Writer {
  private output: Output;
  length = 0;
  halfByte = false;

  constructor() {
    this.output = spare ?? outputOf(new Uint8Array(256));
    spare = undefined;
  }

  private room(count: number): number {
    const at = this.length;
    const { buffer } = this.output;
    if (at + count > buffer.length) {
      const grown = new Uint8Array(Math.max(buffer.length * 2, at + count));
      grown.set(buffer.subarray(0, at));
      this.output = outputOf(grown);
    }
    this.length = at + count;
    return at;
  }

  integer(size: number, little: boolean, value: number | bigint): void {
    const at = this.room(size);
    const { view } = this.output;
    if (size === 1) view.setUint8(at, Number(value));
    else if (size === 2) view.setUint16(at, Number(value), little);
    else if (size === 4) view.setUint32(at, Number(value), little);
    else view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), little);
  }

  bytes(value: ArrayLike<number>): void {
    const at = this.room(value.length);
    this.output.buffer.set(value, at);
  }

  nibble(value: number): void {
    if (this.halfByte) {
      const at = this.length - 1;
      const { buffer } = this.output;
      buffer[at] = (buffer[at] as number) | (value << 4);
    } else {
      const at = this.room(1);
      this.output.buffer[at] = value;
    }
    this.halfByte = !this.halfByte;
  }

  patchU32(at: number, little: boolean, value: number): void {
    this.output.view.setUint32(at, value, little);
  }

  /** A view of what was written from `start` on; valid until the next write. */
  written(start = 0): Uint8Array {
    return this.output.buffer.subarray(start, this.length);
  }

  /** A copy of what was written; the writer begins anew. */
  finish(): Uint8Array {
    const { output } = this;
    const whole = output.buffer.slice(0, this.length);
    if (output.buffer.length <= MAX_SPARE) spare = output;
    this.output = NO_OUTPUT;
    this.length = 0;
    this.halfByte = false;
    return whole;
  }
}
