/** Keys one behind the other, each known by a number: separators of thousands of children without an object each. */

import { LENGTH_SIZE } from "../../page/leaf-memory.js";

/** No key, or one that is not known. */
export const NO_KEY = 0;
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

  /** Adds the key with a number in other keys. */
  pushFrom(keys: Uint8Array, number: number): number {
    const start = number + LENGTH_SIZE;
    return this.push(keys, start, start + lengthAt(keys, number));
  }

  /** Adds all keys of another; returns by how much their numbers are higher here. */
  append(other: KeyBytes): number {
    const shift = this.length - LENGTH_SIZE;
    this.length += other.length - LENGTH_SIZE;
    if (this.length > this.bytes.length) this.grow();
    this.bytes.set(other.bytes.subarray(LENGTH_SIZE, other.length), shift + LENGTH_SIZE);
    return shift;
  }

  /** Whether a key here is that with a number in other keys. */
  equals(number: number, keys: Uint8Array, other: number): boolean {
    const start = other + LENGTH_SIZE;
    return compareWithKey(keys, start, start + lengthAt(keys, other), this.bytes, number) === 0;
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

/** Byte by byte: a view for each key would cost more than all the rest. */
function writeLength(bytes: Uint8Array, at: number, length: number): void {
  bytes[at] = length;
  bytes[at + 1] = length >>> 8;
  bytes[at + 2] = length >>> 16;
  bytes[at + 3] = length >>> 24;
}

function lengthAt(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  return (low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)) >>> 0;
}

/** A view of the key with a number; undefined for `NO_KEY`. */
export function keyAt(bytes: Uint8Array, number: number): Uint8Array | undefined {
  if (number === NO_KEY) return undefined;
  const start = number + LENGTH_SIZE;
  return bytes.subarray(start, start + lengthAt(bytes, number));
}

/** The bytes `start..end` of `bytes` against the key with a number, in the engine's own order. */
export function compareWithKey(
  bytes: Uint8Array,
  start: number,
  end: number,
  keys: Uint8Array,
  number: number,
): number {
  const [length, keyLength] = [end - start, lengthAt(keys, number)];
  const least = length < keyLength ? length : keyLength;
  for (let at = 0, other = number + LENGTH_SIZE; at < least; at++, other++) {
    const difference = (bytes[start + at] as number) - (keys[other] as number);
    if (difference !== 0) return difference;
  }
  return length - keyLength;
}

/** The record number a key is. */
export const recordOf = (key: Uint8Array): bigint =>
  new DataView(key.buffer, key.byteOffset, key.length).getBigUint64(0);
