/**
 * Every address that trees hold, so that one pass over the records can compare each with the page it names: about 60
 * bytes an address and the keys of its range, in typed arrays.
 */
import type { AddressFields } from "../../../formats/address-fields.js";
import type { TimeAggregate } from "../../../formats/time-window.js";
import type { KeyRange, TreeKey } from "../../tree/types.js";
import type { FindingPlace } from "../rule.js";
import type { PageTimes } from "./times.js";

/** What a parent says its child is. */
export const childKinds = { any: 0, leaf: 1, internal: 2 } as const;
export type ChildKind = (typeof childKinds)[keyof typeof childKinds];

/** Where addresses stand: an internal page, a metadata row, a turtle page. */
export interface AddressHolder extends FindingPlace {
  /** `page 130 at LSN 22`, `the metadata row of file:t.wt_stable` */
  readonly name: string;
  /** Which walk it was met on: a page is reached once in each. */
  readonly walk: number;
}

const FIRST_CAPACITY = 256;
const [HAS_LSN, VERSIONED, DELTA] = [1, 2, 4];
const KIND_SHIFT = 4;
/** Timestamps kept of an aggregate. */
const TIMES = 4;

export class AddressBook {
  count = 0;
  private tables = new BigUint64Array(FIRST_CAPACITY);
  private pages = new BigUint64Array(FIRST_CAPACITY);
  private lsns = new BigUint64Array(FIRST_CAPACITY);
  /** Base as stored, or the checkpoint id of old generations. */
  private bases = new BigUint64Array(FIRST_CAPACITY);
  private sizes = new Uint32Array(FIRST_CAPACITY);
  private checksums = new Uint32Array(FIRST_CAPACITY);
  private flags = new Uint8Array(FIRST_CAPACITY);
  private holderOf = new Uint32Array(FIRST_CAPACITY);
  private fromOf = new Uint32Array(FIRST_CAPACITY);
  private toOf = new Uint32Array(FIRST_CAPACITY);
  private timesOf = new Uint32Array(FIRST_CAPACITY);
  private readonly holders: AddressHolder[] = [];
  private readonly keys = new KeyArena();
  private times = new BigUint64Array(FIRST_CAPACITY);
  private timesCount = 1;
  /** The one whose timestamps were added last. */
  private lastAggregate: TimeAggregate | undefined;
  private order = new Uint32Array();
  /** The times that were asked for last. */
  private lastIndex = 0;
  private lastTimes: PageTimes | undefined;

  addHolder(holder: AddressHolder): number {
    return this.holders.push(holder) - 1;
  }

  /** Keeps a key for the ranges of addresses; 0 = no key. */
  addKey(key: TreeKey | undefined): number {
    return key instanceof Uint8Array ? this.keys.add(key) : 0;
  }

  /** Keeps the timestamps of an aggregate; 0 = none. */
  addTimes(aggregate: TimeAggregate): number {
    if (aggregate === this.lastAggregate) return this.timesCount - 1;
    this.lastAggregate = aggregate;
    const { oldestStartTs, newestStartDurableTs, newestStopTs, newestStopDurableTs } = aggregate;
    const values = [oldestStartTs, newestStartDurableTs, newestStopTs, newestStopDurableTs];
    const last = this.timesCount - 1;
    if (last > 0 && values.every((value, slot) => this.times[last * TIMES + slot] === value)) return last;
    if ((this.timesCount + 1) * TIMES > this.times.length) this.times = doubled(this.times);
    this.times.set(values, this.timesCount * TIMES);
    return this.timesCount++;
  }

  add(
    tableId: bigint,
    fields: AddressFields,
    kind: ChildKind,
    holder: number,
    from: number,
    to: number,
    times: number,
  ): void {
    if (this.count === this.tables.length) this.grow();
    const at = this.count++;
    this.tables[at] = tableId;
    this.pages[at] = fields.pageId;
    this.lsns[at] = fields.hasLsn ? fields.lsn : MAX_LSN;
    this.bases[at] = fields.versioned ? fields.base : fields.checkpointId;
    this.sizes[at] = fields.size;
    this.checksums[at] = fields.checksum;
    this.flags[at] =
      (fields.hasLsn ? HAS_LSN : 0) |
      (fields.versioned ? VERSIONED : 0) |
      (fields.isDelta ? DELTA : 0) |
      (kind << KIND_SHIFT);
    this.holderOf[at] = holder;
    this.fromOf[at] = from;
    this.toOf[at] = to;
    this.timesOf[at] = times;
  }

  /** Brings the addresses into the order of records. To be called behind the last `add`. */
  sort(): void {
    const [tables, pages, lsns] = [this.tables, this.pages, this.lsns].map((ids) =>
      comparable(ids.subarray(0, this.count)),
    ) as [Comparable, Comparable, Comparable];
    const compare = (a: number, b: number): number =>
      difference(tables, a, b) || difference(pages, a, b) || difference(lsns, a, b) || a - b;
    const order = new Uint32Array(this.count);
    for (let at = 0; at < order.length; at++) order[at] = at;
    let isSorted = true;
    for (let at = 1; at < order.length && isSorted; at++) isSorted = compare(at - 1, at) < 0;
    this.order = isSorted ? order : order.sort(compare);
  }

  /** The address at a position of the order; reused by the next call with the same target. */
  load(position: number, target: BookedAddress): BookedAddress {
    return this.loadAt(this.order[position] as number, target);
  }

  /** The address that was added as the `at`-th. */
  loadAt(at: number, target: BookedAddress): BookedAddress {
    const { fields } = target;
    const flags = this.flags[at] as number;
    target.tableId = this.tables[at] as bigint;
    fields.pageId = this.pages[at] as bigint;
    fields.hasLsn = (flags & HAS_LSN) !== 0;
    fields.lsn = this.lsns[at] as bigint;
    fields.versioned = (flags & VERSIONED) !== 0;
    fields.isDelta = (flags & DELTA) !== 0;
    fields.base = fields.checkpointId = this.bases[at] as bigint;
    fields.size = this.sizes[at] as number;
    fields.checksum = this.checksums[at] as number;
    target.kind = (flags >> KIND_SHIFT) as ChildKind;
    target.holder = this.holders[this.holderOf[at] as number] as AddressHolder;
    target.at = at;
    return target;
  }

  tableId(position: number): bigint {
    return this.tables[this.order[position] as number] as bigint;
  }
  pageId(position: number): bigint {
    return this.pages[this.order[position] as number] as bigint;
  }
  /** The highest of all for addresses without one: the newest record is meant. */
  lsn(position: number): bigint {
    return this.lsns[this.order[position] as number] as bigint;
  }

  /** The keys below an address; views. */
  range({ at }: BookedAddress): KeyRange {
    return { from: this.keys.get(this.fromOf[at] as number), to: this.keys.get(this.toOf[at] as number) };
  }

  /** Undefined: not known. */
  timesBelow({ at }: BookedAddress): PageTimes | undefined {
    const index = this.timesOf[at] as number;
    if (index === 0) return undefined;
    // Neighbours are often told the same.
    if (index !== this.lastIndex) this.lastTimes = this.timesAt(index * TIMES);
    this.lastIndex = index;
    return this.lastTimes;
  }

  private timesAt(at: number): PageTimes {
    const { times } = this;
    return {
      oldestStart: times[at] as bigint,
      newestDurableStart: times[at + 1] as bigint,
      newestStop: times[at + 2] as bigint,
      newestDurableStop: times[at + 3] as bigint,
      prepare: false,
    };
  }

  private grow(): void {
    this.tables = doubled(this.tables);
    this.pages = doubled(this.pages);
    this.lsns = doubled(this.lsns);
    this.bases = doubled(this.bases);
    this.sizes = doubled(this.sizes);
    this.checksums = doubled(this.checksums);
    this.flags = doubled(this.flags);
    this.holderOf = doubled(this.holderOf);
    this.fromOf = doubled(this.fromOf);
    this.toOf = doubled(this.toOf);
    this.timesOf = doubled(this.timesOf);
  }
}

export const MAX_LSN = (1n << 64n) - 1n;

/** One address, as the rules see it. */
export interface BookedAddress {
  at: number;
  tableId: bigint;
  fields: AddressFields;
  kind: ChildKind;
  holder: AddressHolder;
}

/** Ids as numbers where numbers hold all of them: comparing those takes a fraction of the time. */
type Comparable = BigUint64Array | Float64Array;

function comparable(ids: BigUint64Array): Comparable {
  const halves = new Uint32Array(ids.buffer, ids.byteOffset, 2 * ids.length);
  const numbers = new Float64Array(ids.length);
  for (let at = 0; at < ids.length; at++) {
    const number = (halves[2 * at + HIGH] as number) * 2 ** 32 + (halves[2 * at + 1 - HIGH] as number);
    // Above that, two ids may become one number; all of them at once mean the newest LSN.
    if (number > Number.MAX_SAFE_INTEGER && ids[at] !== MAX_LSN) return ids;
    numbers[at] = number;
  }
  return numbers;
}
/** Which half of a 64-bit number is the higher one on this machine. */
const HIGH = new Uint32Array(BigUint64Array.of(1n).buffer)[0] === 1 ? 1 : 0;

function difference(ids: Comparable, a: number, b: number): number {
  const [left, right] = [ids[a] as number, ids[b] as number];
  return left < right ? -1 : left > right ? 1 : 0;
}

type Column = BigUint64Array | Uint32Array | Uint8Array | Float64Array;

function doubled<A extends Column>(column: A): A {
  const grown = new (column.constructor as new (length: number) => A)(2 * column.length);
  (grown as { set(values: unknown): void }).set(column);
  return grown;
}

/** Keys one behind the other; 0 is no key. */
class KeyArena {
  private bytes = new Uint8Array(4096);
  private ends = new Float64Array(FIRST_CAPACITY);
  private count = 1;

  add(key: Uint8Array): number {
    const start = this.ends[this.count - 1] as number;
    const end = start + key.length;
    while (end > this.bytes.length) this.bytes = doubled(this.bytes);
    if (this.count === this.ends.length) this.ends = doubled(this.ends);
    this.bytes.set(key, start);
    this.ends[this.count] = end;
    return this.count++;
  }

  get(index: number): Uint8Array | undefined {
    if (index === 0) return undefined;
    return this.bytes.subarray(this.ends[index - 1] as number, this.ends[index] as number);
  }
}
