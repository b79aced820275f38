/** The fields of history-store rows where they lie, for verification: no value is built. Formats: history and log §1. */
import {
  packedLength,
  peekPackedNumber,
  readPackedUnsigned,
  skipPackedUnsigned,
} from "../src/codec/packed.js";

/** First byte and length of the widest packed integers. */
const [WIDE, WIDEST] = [0xe8, 9];

export class HistoryFields {
  /** id of the table the version belongs to. */
  btreeId = 0;
  private key: Uint8Array = new Uint8Array();
  private startAt = 0;
  private value: Uint8Array = new Uint8Array();
  private stopDurableAt = 0;
  private startDurableAt = 0;
  private keyAt = 0;
  /** The version before: table and key, and its durable stop, copied. */
  private readonly before = new Earlier();

  /** False when the bytes are no key of a history-store row. */
  readKey(bytes: Uint8Array, start: number, end: number): boolean {
    const id = peekPackedNumber(bytes, start, end);
    const lengthAt = skipPackedUnsigned(bytes, start, end);
    if (id === -1 || lengthAt === -1) return false;
    const length = peekPackedNumber(bytes, lengthAt, end);
    if (length === -1) return false;
    this.btreeId = id;
    this.key = bytes;
    this.keyAt = start;
    this.startAt = lengthAt + packedLength(bytes[lengthAt] as number) + length;
    const counterAt = skipPackedUnsigned(bytes, this.startAt, end);
    return counterAt !== -1 && skipPackedUnsigned(bytes, counterAt, end) === end;
  }

  /** False when the bytes are no value of a history-store row. */
  readValue(bytes: Uint8Array, start: number, end: number): boolean {
    this.value = bytes;
    this.stopDurableAt = start;
    this.startDurableAt = skipPackedUnsigned(bytes, start, end);
    if (this.startDurableAt === -1) return false;
    const typeAt = skipPackedUnsigned(bytes, this.startDurableAt, end);
    return typeAt !== -1 && skipPackedUnsigned(bytes, typeAt, end) !== -1;
  }

  /** Whether the version begins, by key and value, no later than it ends. */
  get inOrder(): boolean {
    const { key, startAt, value, stopDurableAt, startDurableAt } = this;
    return (
      comparePacked(key, startAt, value, startDurableAt) <= 0 &&
      comparePacked(value, startDurableAt, value, stopDurableAt) <= 0
    );
  }

  /**
   * Whether the version before, if it is one of the same row, ended no later than this one begins. One without a stop
   * was followed by a prepared update. To be asked once a row, in the order of keys.
   */
  follows(): boolean {
    const { before, key, keyAt, startAt, value, startDurableAt, stopDurableAt } = this;
    const inOrder = !before.isOf(key, keyAt, startAt) || before.endsBy(value, startDurableAt);
    before.keep(key, keyAt, startAt, value, stopDurableAt);
    return inOrder;
  }

  /** The next row is no neighbour of the last one. */
  forget(): void {
    this.before.clear();
  }
}

class Earlier {
  private key = new Uint8Array(256);
  private length = 0;
  private readonly stop = new Uint8Array(WIDEST);

  clear(): void {
    this.length = 0;
  }

  keep(key: Uint8Array, start: number, end: number, value: Uint8Array, stopAt: number): void {
    this.length = end - start;
    if (this.length > this.key.length) this.key = new Uint8Array(2 * this.length);
    for (let at = 0; at < this.length; at++) this.key[at] = key[start + at] as number;
    const size = packedLength(value[stopAt] as number);
    for (let at = 0; at < size; at++) this.stop[at] = value[stopAt + at] as number;
  }

  isOf(key: Uint8Array, start: number, end: number): boolean {
    if (this.length === 0 || this.length !== end - start) return false;
    for (let at = 0; at < this.length; at++) if (this.key[at] !== key[start + at]) return false;
    return true;
  }

  endsBy(value: Uint8Array, startAt: number): boolean {
    return this.isOpen() || comparePacked(this.stop, 0, value, startAt) <= 0;
  }

  private isOpen(): boolean {
    return this.stop[0] === WIDE && readPackedUnsigned(this.stop, 0, WIDEST) === NO_STOP;
  }
}

const NO_STOP = (1n << 64n) - 1n;

/** Packed integers are ordered as their bytes are. */
function comparePacked(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number {
  const length = packedLength(a[aAt] as number);
  for (let i = 0; i < length; i++) {
    const difference = (a[aAt + i] as number) - (b[bAt + i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
