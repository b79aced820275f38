/** The fields of history-store rows where they lie, for verification: no value is built. Formats: history and log §1. */
import { packedLength, peekPackedNumber, skipPackedUnsigned } from "../src/codec/packed.js";

export class HistoryFields {
  /** id of the table the version belongs to. */
  btreeId = 0;
  private key: Uint8Array = new Uint8Array();
  private startAt = 0;
  private value: Uint8Array = new Uint8Array();
  private stopDurableAt = 0;
  private startDurableAt = 0;

  /** False when the bytes are no key of a history-store row. */
  readKey(bytes: Uint8Array, start: number, end: number): boolean {
    const id = peekPackedNumber(bytes, start, end);
    const lengthAt = skipPackedUnsigned(bytes, start, end);
    if (id === -1 || lengthAt === -1) return false;
    const length = peekPackedNumber(bytes, lengthAt, end);
    if (length === -1) return false;
    this.btreeId = id;
    this.key = bytes;
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
}

/** Packed integers are ordered as their bytes are. */
function comparePacked(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number {
  const length = packedLength(a[aAt] as number);
  for (let i = 0; i < length; i++) {
    const difference = (a[aAt + i] as number) - (b[bAt + i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
