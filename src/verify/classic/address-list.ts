/** Addresses of blocks in one file, kept as columns: a tree of millions of pages makes no objects. */
import type { LeafAddresses } from "../../page/leaf-memory.js";
import { KeyBytes, keyAt, NO_KEY } from "./key-bytes.js";

/** Kinds are numbered as the caller does, 0 for a leaf. */
export interface AddressColumns extends LeafAddresses {
  readonly length: number;
}

const FIRST_CAPACITY = 64;
const BYTES_AN_ADDRESS = 8 + 8 + 4 + 4 + 4 + 4 + 1;

export class AddressList implements AddressColumns {
  length = 0;
  offsets = new Float64Array(FIRST_CAPACITY);
  sizes = new Float64Array(FIRST_CAPACITY);
  checksums = new Uint32Array(FIRST_CAPACITY);
  kinds = new Uint8Array(FIRST_CAPACITY);
  lows = new Uint32Array(FIRST_CAPACITY);
  highs = new Uint32Array(FIRST_CAPACITY);
  times = new Uint32Array(FIRST_CAPACITY);
  /** Offset of the block whose page holds the address. */
  owners = new Float64Array(FIRST_CAPACITY);
  readonly separators = new KeyBytes();

  get keys(): Uint8Array {
    return this.separators.bytes;
  }

  push(
    offset: number,
    size: number,
    checksum: number,
    kind: number,
    owner: number,
    low = NO_KEY,
    high = NO_KEY,
  ): void {
    if (this.length === this.offsets.length) this.grow();
    const at = this.length++;
    this.offsets[at] = offset;
    this.sizes[at] = size;
    this.checksums[at] = checksum;
    this.kinds[at] = kind;
    this.owners[at] = owner;
    this.lows[at] = low;
    this.highs[at] = high;
    this.times[at] = NO_KEY;
  }

  /** Adds all of another list; owners are left out. */
  append(other: AddressList): void {
    const start = this.length;
    const end = start + other.length;
    while (end > this.offsets.length) this.grow();
    this.offsets.set(other.offsets.subarray(0, other.length), start);
    this.sizes.set(other.sizes.subarray(0, other.length), start);
    this.checksums.set(other.checksums.subarray(0, other.length), start);
    this.kinds.set(other.kinds.subarray(0, other.length), start);
    const shift = this.separators.append(other.separators);
    setShifted(this.lows.subarray(start, end), other.lows, shift);
    setShifted(this.highs.subarray(start, end), other.highs, shift);
    setShifted(this.times.subarray(start, end), other.times, shift);
    this.length = end;
  }

  lowOf(at: number): Uint8Array | undefined {
    return keyAt(this.keys, this.lows[at] as number);
  }

  highOf(at: number): Uint8Array | undefined {
    return keyAt(this.keys, this.highs[at] as number);
  }

  timesOf(at: number): Uint8Array | undefined {
    return keyAt(this.keys, this.times[at] as number);
  }

  clear(): void {
    this.length = 0;
    this.separators.clear();
  }

  private grow(): void {
    const capacity = this.offsets.length * 2;
    this.offsets = widened(new Float64Array(capacity), this.offsets);
    this.sizes = widened(new Float64Array(capacity), this.sizes);
    this.checksums = widened(new Uint32Array(capacity), this.checksums);
    this.kinds = widened(new Uint8Array(capacity), this.kinds);
    this.owners = widened(new Float64Array(capacity), this.owners);
    this.lows = widened(new Uint32Array(capacity), this.lows);
    this.highs = widened(new Uint32Array(capacity), this.highs);
    this.times = widened(new Uint32Array(capacity), this.times);
  }
}

/** Numbers of keys, by so much higher. */
function setShifted(target: Uint32Array, source: Uint32Array, shift: number): void {
  for (let at = 0; at < target.length; at++) {
    const key = source[at] as number;
    target[at] = key === NO_KEY ? NO_KEY : key + shift;
  }
}

function widened<T extends Float64Array | Uint32Array | Uint8Array>(next: T, old: T): T {
  next.set(old);
  return next;
}

/** The addresses in the order of their offsets, in memory that threads share: neighbours are read together. */
export function sortedShared(list: AddressList): AddressColumns {
  const { length, separators } = list;
  const memory = new SharedArrayBuffer(BYTES_AN_ADDRESS * length);
  const keys = new Uint8Array(new SharedArrayBuffer(separators.length));
  keys.set(separators.bytes.subarray(0, separators.length));
  const sorted = {
    length,
    offsets: new Float64Array(memory, 0, length),
    sizes: new Float64Array(memory, 8 * length, length),
    checksums: new Uint32Array(memory, 16 * length, length),
    lows: new Uint32Array(memory, 20 * length, length),
    highs: new Uint32Array(memory, 24 * length, length),
    times: new Uint32Array(memory, 28 * length, length),
    kinds: new Uint8Array(memory, 32 * length, length),
    keys,
  };
  if (ascends(list)) copy(sorted, list);
  else permute(sorted, list, orderOf(list));
  return sorted;
}

/** Files that were loaded in the order of keys have their leaves in that of offsets. */
function ascends({ length, offsets }: AddressList): boolean {
  for (let at = 1; at < length; at++) if ((offsets[at - 1] as number) > (offsets[at] as number)) return false;
  return true;
}

function copy(target: AddressColumns, list: AddressList): void {
  const { length } = list;
  target.offsets.set(list.offsets.subarray(0, length));
  target.sizes.set(list.sizes.subarray(0, length));
  target.checksums.set(list.checksums.subarray(0, length));
  target.lows.set(list.lows.subarray(0, length));
  target.highs.set(list.highs.subarray(0, length));
  target.times.set(list.times.subarray(0, length));
  target.kinds.set(list.kinds.subarray(0, length));
}

function permute(target: AddressColumns, list: AddressList, order: Float64Array): void {
  for (let to = 0; to < order.length; to++) {
    const from = order[to] as number;
    target.offsets[to] = list.offsets[from] as number;
    target.sizes[to] = list.sizes[from] as number;
    target.checksums[to] = list.checksums[from] as number;
    target.lows[to] = list.lows[from] as number;
    target.highs[to] = list.highs[from] as number;
    target.times[to] = list.times[from] as number;
    target.kinds[to] = list.kinds[from] as number;
  }
}

/** Indices in the order of their offsets, equal ones in their own. */
function orderOf({ length, offsets }: AddressList): Float64Array {
  const order = new Float64Array(length);
  let last = 0;
  for (let at = 0; at < length; at++) {
    order[at] = at;
    last = Math.max(last, offsets[at] as number);
  }
  if ((last + 1) * length > Number.MAX_SAFE_INTEGER)
    return order.sort((a, b) => (offsets[a] as number) - (offsets[b] as number));
  // Numbers that hold both are sorted without a call for each comparison.
  for (let at = 0; at < length; at++) order[at] = (offsets[at] as number) * length + at;
  order.sort();
  for (let at = 0; at < length; at++) order[at] = (order[at] as number) % length;
  return order;
}
