/**
 * Where the records of a store without an index of its own are: table, page and LSN of each with two numbers that
 * say where it is. About 40 bytes a record, in typed arrays.
 */

const FIRST_CAPACITY = 1024;

export class RecordIndex {
  /** Number of records. */
  count = 0;
  private tables = new BigUint64Array(FIRST_CAPACITY);
  private pages = new BigUint64Array(FIRST_CAPACITY);
  private lsns = new BigUint64Array(FIRST_CAPACITY);
  private firsts = new Float64Array(FIRST_CAPACITY);
  private seconds = new Float64Array(FIRST_CAPACITY);
  private ascending = true;

  /** `first` and `second` are the store's own: a file offset and a length, for example. */
  add(tableId: bigint, pageId: bigint, lsn: bigint, first: number, second: number): void {
    if (this.count === this.tables.length) this.grow();
    const at = this.count++;
    this.tables[at] = tableId;
    this.pages[at] = pageId;
    this.lsns[at] = lsn;
    this.firsts[at] = first;
    this.seconds[at] = second;
    if (at > 0 && this.ascending && this.compare(at - 1, at) > 0) this.ascending = false;
  }

  /** Brings the records into the order of (table, page, LSN); those added with equal keys keep theirs. */
  sort(): this {
    if (this.ascending) return this;
    const order = Uint32Array.from({ length: this.count }, (_, at) => at);
    order.sort((a, b) => this.compare(a, b) || a - b);
    this.tables = permuted(this.tables, new BigUint64Array(this.count), order);
    this.pages = permuted(this.pages, new BigUint64Array(this.count), order);
    this.lsns = permuted(this.lsns, new BigUint64Array(this.count), order);
    this.firsts = permuted(this.firsts, new Float64Array(this.count), order);
    this.seconds = permuted(this.seconds, new Float64Array(this.count), order);
    this.ascending = true;
    return this;
  }

  tableId(at: number): bigint {
    return this.tables[at] as bigint;
  }
  pageId(at: number): bigint {
    return this.pages[at] as bigint;
  }
  lsn(at: number): bigint {
    return this.lsns[at] as bigint;
  }
  first(at: number): number {
    return this.firsts[at] as number;
  }
  second(at: number): number {
    return this.seconds[at] as number;
  }

  /** The last record of the page at or below the LSN, or −1. Call `sort` first. */
  lastAtOrBelow(tableId: bigint, pageId: bigint, lsn: bigint): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareTo(middle, tableId, pageId, lsn) <= 0) low = middle + 1;
      else high = middle;
    }
    const at = low - 1;
    return at >= 0 && this.isPage(at, tableId, pageId) ? at : -1;
  }

  /** The first record of a table, or of the next one. Call `sort` first. */
  firstOf(tableId: bigint): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.tableId(middle) < tableId) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  isPage(at: number, tableId: bigint, pageId: bigint): boolean {
    return this.pages[at] === pageId && this.tables[at] === tableId;
  }

  private compare(a: number, b: number): number {
    return this.compareTo(a, this.tableId(b), this.pageId(b), this.lsn(b));
  }

  private compareTo(at: number, tableId: bigint, pageId: bigint, lsn: bigint): number {
    return (
      compareIds(this.tableId(at), tableId) ||
      compareIds(this.pageId(at), pageId) ||
      compareIds(this.lsn(at), lsn)
    );
  }

  private grow(): void {
    const capacity = 2 * this.count;
    this.tables = larger(this.tables, new BigUint64Array(capacity));
    this.pages = larger(this.pages, new BigUint64Array(capacity));
    this.lsns = larger(this.lsns, new BigUint64Array(capacity));
    this.firsts = larger(this.firsts, new Float64Array(capacity));
    this.seconds = larger(this.seconds, new Float64Array(capacity));
  }
}

const compareIds = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

type Column = BigUint64Array | Float64Array;

function larger<A extends Column>(from: A, to: A): A {
  (to as { set(values: unknown): void }).set(from);
  return to;
}

function permuted<A extends Column>(from: A, to: A, order: Uint32Array): A {
  for (let at = 0; at < order.length; at++) to[at] = from[order[at] as number] as A[number];
  return to;
}
