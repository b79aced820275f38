/** Addresses of blocks in one file, kept as columns: a tree of millions of pages makes no objects. */
export class AddressList {
  length = 0;
  offsets = new Float64Array(64);
  sizes = new Float64Array(64);
  checksums = new Uint32Array(64);
  /** The kind of each child, as the caller numbers them. */
  kinds = new Uint8Array(64);

  push(offset: number, size: number, checksum: number, kind: number): void {
    if (this.length === this.offsets.length) this.grow();
    const at = this.length++;
    this.offsets[at] = offset;
    this.sizes[at] = size;
    this.checksums[at] = checksum;
    this.kinds[at] = kind;
  }

  private grow(): void {
    const size = this.length * 2;
    const grown = <T extends Float64Array | Uint32Array | Uint8Array>(next: T, old: T): T => {
      next.set(old);
      return next;
    };
    this.offsets = grown(new Float64Array(size), this.offsets);
    this.sizes = grown(new Float64Array(size), this.sizes);
    this.checksums = grown(new Uint32Array(size), this.checksums);
    this.kinds = grown(new Uint8Array(size), this.kinds);
  }

  /** Indices in the order of their offsets: one pass over the file reads neighbours together. */
  byOffset(): Uint32Array {
    const order = new Uint32Array(this.length);
    let sorted = true;
    for (let i = 0; i < this.length; i++) {
      order[i] = i;
      if (i > 0 && (this.offsets[i] as number) < (this.offsets[i - 1] as number)) sorted = false;
    }
    return sorted ? order : order.sort((a, b) => (this.offsets[a] as number) - (this.offsets[b] as number));
  }
}
