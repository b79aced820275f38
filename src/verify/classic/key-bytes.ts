/** Keys one behind the other, each known by a number: separators of thousands of children without an object each. */

/** No key, or one that is not known. */
export const NO_KEY = 0;
const LENGTH_SIZE = 4;
const FIRST_CAPACITY = 4096;

export class KeyBytes {
  bytes = new Uint8Array(FIRST_CAPACITY);
  /** Bytes in use. The first ones are left out: no key is number 0. */
  length = LENGTH_SIZE;

  /** Adds the bytes `from..to` of `source` and returns the key's number. */
  push(source: Uint8Array, from = 0, to = source.length): number {
    const number = this.length;
    const size = to - from;
    this.length += LENGTH_SIZE + size;
    if (this.length > this.bytes.length) this.grow();
    writeLength(this.bytes, number, size);
    for (let at = 0, start = number + LENGTH_SIZE; at < size; at++)
      this.bytes[start + at] = source[from + at] as number;
    return number;
  }

  /** Adds a record number: 8 bytes, most significant first, so that bytes are in the order of numbers. */
  pushRecord(recno: bigint): number {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, recno);
    return this.push(bytes);
  }

  clear(): void {
    this.length = LENGTH_SIZE;
  }

  private grow(): void {
    const grown = new Uint8Array(2 * this.length);
    grown.set(this.bytes);
    this.bytes = grown;
  }
}

function writeLength(bytes: Uint8Array, at: number, length: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, length, true);
}

/** A view of the key with a number; undefined for `NO_KEY`. */
export function keyAt(bytes: Uint8Array, number: number): Uint8Array | undefined {
  if (number === NO_KEY) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(number, true);
  return bytes.subarray(number + LENGTH_SIZE, number + LENGTH_SIZE + length);
}

/** The record number a key is. */
export const recordOf = (key: Uint8Array): bigint =>
  new DataView(key.buffer, key.byteOffset, key.length).getBigUint64(0);
