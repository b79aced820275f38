/** Every LSN of a store, to find those given twice and those that are gone: 8 bytes an LSN. */
export class LsnLedger {
  private lsns = new BigUint64Array(1024);
  private count = 0;
  private isSorted = true;

  add(lsn: bigint): void {
    if (this.count === this.lsns.length) {
      const grown = new BigUint64Array(this.count * 2);
      grown.set(this.lsns);
      this.lsns = grown;
    }
    this.lsns[this.count++] = lsn;
    this.isSorted = false;
  }

  get highest(): bigint {
    return this.sorted()[this.count - 1] ?? 0n;
  }

  has(lsn: bigint): boolean {
    return this.sorted().includes(lsn);
  }

  /** LSNs that were given more than once. */
  *duplicates(): IterableIterator<bigint> {
    const lsns = this.sorted();
    for (let i = 1; i < lsns.length; i++) {
      const lsn = lsns[i] as bigint;
      if (lsn === lsns[i - 1] && lsn !== lsns[i - 2]) yield lsn;
    }
  }

  /** Ranges `[from, to]` from the first LSN a store gives up to `last` (or the highest one) that nobody holds. */
  *gaps(first: bigint, last?: bigint): IterableIterator<{ from: bigint; to: bigint }> {
    let next = first;
    for (const lsn of this.sorted()) {
      if (lsn > next) yield { from: next, to: lsn - 1n };
      if (lsn >= next) next = lsn + 1n;
    }
    if (last !== undefined && last >= next) yield { from: next, to: last };
  }

  private sorted(): BigUint64Array {
    const lsns = this.lsns.subarray(0, this.count);
    if (!this.isSorted) lsns.sort();
    this.isSorted = true;
    return lsns;
  }
}
