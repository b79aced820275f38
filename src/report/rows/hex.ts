/** Rows as the engine's `dump -x` prints them (formats: classic file format §7). */
import type { TreeRow } from "../../tree/types.js";

/** Bytes collected before they are handed on. */
const CHUNK = 256 * 1024;
const NEWLINE = 10;
/** Code units of the two digits of each byte. */
const HIGH = new Uint8Array(256);
const LOW = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  const digits = byte.toString(16).padStart(2, "0");
  HIGH[byte] = digits.charCodeAt(0);
  LOW[byte] = digits.charCodeAt(1);
}

class HexText {
  private buffer = new Uint8Array(CHUNK);
  private length = 0;

  /** A line of hex digits. */
  addBytes(bytes: Uint8Array): void {
    this.reserve(2 * bytes.length + 1);
    const { buffer } = this;
    let at = this.length;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      buffer[at++] = HIGH[byte] as number;
      buffer[at++] = LOW[byte] as number;
    }
    buffer[at++] = NEWLINE;
    this.length = at;
  }

  /** A line of digits. */
  addNumber(value: bigint): void {
    const text = value.toString();
    this.reserve(text.length + 1);
    for (let i = 0; i < text.length; i++) this.buffer[this.length++] = text.charCodeAt(i);
    this.buffer[this.length++] = NEWLINE;
  }

  get isFull(): boolean {
    return this.length >= CHUNK / 2;
  }

  /** What was added; the caller may keep it. */
  take(): Uint8Array {
    const text = this.buffer.subarray(0, this.length);
    this.buffer = new Uint8Array(CHUNK);
    this.length = 0;
    return text;
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(2 * this.buffer.length, this.length + bytes));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
  }
}

/** A line with the key, a line with the value, in hex; record numbers in decimal. */
export function* hexRows(rows: Iterable<TreeRow>): Generator<Uint8Array> {
  const text = new HexText();
  for (const { key, value } of rows) {
    if (typeof key === "bigint") text.addNumber(key);
    else text.addBytes(key);
    text.addBytes(value);
    if (text.isFull) yield text.take();
  }
  yield text.take();
}
