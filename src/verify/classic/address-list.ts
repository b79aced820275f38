/** Addresses of blocks in one file, kept as columns: a tree of millions of pages makes no objects. */
export interface AddressColumns {
  readonly length: number;
  readonly offsets: Float64Array;
  readonly sizes: Float64Array;
  readonly checksums: Uint32Array;
  /** What each block is, as the caller numbers it. */
  readonly kinds: Uint8Array;
}

const FIRST_CAPACITY = 64;
const BYTES_AN_ADDRESS = 8 + 8 + 4 + 1;

export class AddressList implements AddressColumns {
  length = 0;
  offsets = new Float64Array(FIRST_CAPACITY);
  sizes = new Float64Array(FIRST_CAPACITY);
  checksums = new Uint32Array(FIRST_CAPACITY);
  kinds = new Uint8Array(FIRST_CAPACITY);
  /** Offset of the block whose page holds the address. */
  owners = new Float64Array(FIRST_CAPACITY);

  push(offset: number, size: number, checksum: number, kind: number, owner: number): void {
    if (this.length === this.offsets.length) this.grow();
    const at = this.length++;
    this.offsets[at] = offset;
    this.sizes[at] = size;
    this.checksums[at] = checksum;
    this.kinds[at] = kind;
    this.owners[at] = owner;
  }

  clear(): void {
    this.length = 0;
  }

  private grow(): void {
    const capacity = this.length * 2;
    this.offsets = widened(new Float64Array(capacity), this.offsets);
    this.sizes = widened(new Float64Array(capacity), this.sizes);
    this.checksums = widened(new Uint32Array(capacity), this.checksums);
    this.kinds = widened(new Uint8Array(capacity), this.kinds);
    this.owners = widened(new Float64Array(capacity), this.owners);
  }
}

function widened<T extends Float64Array | Uint32Array | Uint8Array>(next: T, old: T): T {
  next.set(old);
  return next;
}

/** The addresses in the order of their offsets, in memory that threads share: neighbours are read together. */
export function sortedShared(list: AddressList): AddressColumns {
  const { length } = list;
  const memory = new SharedArrayBuffer(BYTES_AN_ADDRESS * length);
  const sorted = {
    length,
    offsets: new Float64Array(memory, 0, length),
    sizes: new Float64Array(memory, 8 * length, length),
    checksums: new Uint32Array(memory, 16 * length, length),
    kinds: new Uint8Array(memory, 20 * length, length),
  };
  orderOf(list).forEach((from, to) => {
    sorted.offsets[to] = list.offsets[from] as number;
    sorted.sizes[to] = list.sizes[from] as number;
    sorted.checksums[to] = list.checksums[from] as number;
    sorted.kinds[to] = list.kinds[from] as number;
  });
  return sorted;
}

/** Indices in the order of their offsets. */
function orderOf({ length, offsets }: AddressList): Uint32Array {
  const order = Uint32Array.from({ length }, (_, index) => index);
  return order.sort((a, b) => (offsets[a] as number) - (offsets[b] as number));
}
