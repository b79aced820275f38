/** The timestamps of a page's values or children together: what its parent's aggregate has to cover. */
import { cellTags, windowBits, windowSlots } from "../../../formats/cell.js";
import {
  MAX_TIMESTAMP,
  type TimeAggregate,
  type TimeWindow,
  valueWindow,
} from "../../../formats/time-window.js";
import { packedLength } from "../../codec/packed.js";
import { CellReader } from "../../page/cell-reader.js";
import { Defects } from "../../page/defects.js";
import type { PageLayout } from "../../page/walk-types.js";

export interface PageTimes {
  readonly oldestStart: bigint;
  readonly newestDurableStart: bigint;
  /** 2^64 − 1: a value was not deleted. */
  readonly newestStop: bigint;
  readonly newestDurableStop: bigint;
  /** Some of them are of prepared transactions. */
  readonly prepare: boolean;
}

/** What an address cell says of the page below it. */
export const timesOf = (aggregate: TimeAggregate): PageTimes => ({
  oldestStart: aggregate.oldestStartTs,
  newestDurableStart: aggregate.newestStartDurableTs,
  newestStop: aggregate.newestStopTs,
  newestDurableStop: aggregate.newestStopDurableTs,
  prepare: aggregate.prepare,
});

/** A field of an address cell that does not cover what is below. */
export interface Uncovered {
  readonly field: string;
  readonly expected: bigint;
  readonly actual: bigint;
  readonly consequence: string;
}

/** The fields in which what is told of a page does not cover what it holds. */
export function uncovered(told: PageTimes, held: PageTimes): Uncovered[] {
  const found: Uncovered[] = [];
  const add = (field: string, expected: bigint, actual: bigint): void =>
    void found.push({ field, expected, actual, consequence: "reads at a timestamp may pass over the page" });
  if (told.oldestStart > held.oldestStart) add("oldestStartTs", held.oldestStart, told.oldestStart);
  if (told.newestDurableStart < held.newestDurableStart)
    add("newestStartDurableTs", held.newestDurableStart, told.newestDurableStart);
  if (told.newestStop < held.newestStop) add("newestStopTs", held.newestStop, told.newestStop);
  if (told.newestDurableStop < held.newestDurableStop)
    add("newestStopDurableTs", held.newestDurableStop, told.newestDurableStop);
  return found;
}

/** The times of a page's children together. */
export class TimesUnion {
  /** Undefined without children. */
  times: PageTimes | undefined;
  newestTxn = 0n;
  newestStopTxn = 0n;
  private last: TimeAggregate | undefined;

  add(aggregate: TimeAggregate): void {
    if (aggregate === this.last) return;
    this.last = aggregate;
    this.newestTxn = highest(this.newestTxn, aggregate.newestTxn);
    this.newestStopTxn = highest(this.newestStopTxn, aggregate.newestStopTxn);
    const own = timesOf(aggregate);
    const { times } = this;
    this.times = times === undefined ? own : union(times, own);
  }
}

const highest = (a: bigint, b: bigint): bigint => (a > b ? a : b);

const union = (a: PageTimes, b: PageTimes): PageTimes => ({
  oldestStart: a.oldestStart < b.oldestStart ? a.oldestStart : b.oldestStart,
  newestDurableStart: highest(a.newestDurableStart, b.newestDurableStart),
  newestStop: highest(a.newestStop, b.newestStop),
  newestDurableStop: highest(a.newestDurableStop, b.newestDurableStop),
  prepare: a.prepare || b.prepare,
});

/** Of windows; undefined without any. */
export function windowTimes(windows: Iterable<TimeWindow>): PageTimes | undefined {
  let times: PageTimes | undefined;
  for (const window of windows) {
    const own = {
      oldestStart: window.startTs,
      newestDurableStart: window.durableStartTs,
      newestStop: window.stopTs,
      newestDurableStop: window.durableStopTs,
      prepare: window.prepare,
    };
    times = times === undefined ? own : union(times, own);
  }
  return times;
}

const cell = new CellReader(new Defects(1));
const { value, valueCopy, valueOverflow, valueShort } = cellTags;
/** Values that everybody sees where they have no window. */
const PLAIN_VALUES: ReadonlySet<number> = new Set([valueShort, value, valueCopy, valueOverflow]);
const SLOT_BITS = windowSlots.map((slot) => windowBits[slot]);
/** Where slots are in `SLOT_BITS`. */
const [START, DURABLE_START, STOP, DURABLE_STOP] = (
  ["startTs", "durableStart", "stopTs", "durableStop"] as const
).map((slot) => windowSlots.indexOf(slot)) as [number, number, number, number];
/** Numbers of the window read last; those that are not stored are undefined. Transaction ids are passed over. */
const slots: Array<bigint | undefined> = windowSlots.map(() => undefined);

/** The window of the cell just read, into `slots`. */
function readWindow(): void {
  const bits = cell.image[cell.windowAt] as number;
  let at = cell.windowAt + 1;
  for (let slot = 0; slot < SLOT_BITS.length; slot++) {
    const isStored = (bits & (SLOT_BITS[slot] as number)) !== 0;
    const isTime = slot === START || slot === DURABLE_START || slot === STOP || slot === DURABLE_STOP;
    slots[slot] = isStored && isTime ? cell.bigAt(at) : undefined;
    if (isStored) at += packedLength(cell.image[at] as number);
  }
}

const plus = (base: bigint, difference: bigint): bigint => BigInt.asUintN(64, base + difference);

/** Of values without windows: everybody sees them, for ever. */
export const PLAIN_TIMES: PageTimes = {
  oldestStart: 0n,
  newestDurableStart: 0n,
  newestStop: MAX_TIMESTAMP,
  newestDurableStop: 0n,
  prepare: false,
};

/** Of the values of a sound leaf image; undefined when it has none. */
export function leafTimes(image: Uint8Array, { payload, memSize }: PageLayout): PageTimes | undefined {
  cell.image = image;
  cell.end = Math.min(memSize, image.length);
  let [oldestStart, newestDurableStart, newestStop, newestDurableStop] = [MAX_TIMESTAMP, 0n, 0n, 0n];
  let any = false;
  let plain = false;
  let prepare = false;
  for (let at = payload; at < cell.end && cell.read(at); at = cell.next) {
    if (cell.windowAt === -1) {
      plain ||= PLAIN_VALUES.has(cell.tag);
      continue;
    }
    any = true;
    if (((image[cell.windowAt] as number) & windowBits.prepare) !== 0) prepare = true;
    readWindow();
    const start = slots[START] ?? 0n;
    const durableStart = slots[DURABLE_START] === undefined ? start : plus(start, slots[DURABLE_START]);
    if (start < oldestStart) oldestStart = start;
    if (durableStart > newestDurableStart) newestDurableStart = durableStart;
    const stop = slots[STOP] === undefined ? MAX_TIMESTAMP : plus(start, slots[STOP]);
    if (stop > newestStop) newestStop = stop;
    const durable = slots[DURABLE_STOP];
    const noDurable = stop === MAX_TIMESTAMP ? 0n : stop;
    const durableStop = durable === undefined ? noDurable : plus(stop, durable);
    if (durableStop > newestDurableStop) newestDurableStop = durableStop;
  }
  if (plain) [oldestStart, newestStop] = [0n, MAX_TIMESTAMP];
  return any || plain
    ? { oldestStart, newestDurableStart, newestStop, newestDurableStop, prepare }
    : undefined;
}

/** The highest transaction ids of a sound leaf image: of the starts, and of the stops (2^64 − 11: a value has none). */
export function leafTransactions(
  image: Uint8Array,
  { payload, memSize }: PageLayout,
): { readonly newestTxn: bigint; readonly newestStopTxn: bigint } {
  cell.image = image;
  cell.end = Math.min(memSize, image.length);
  let [newestTxn, newestStopTxn] = [0n, 0n];
  for (let at = payload; at < cell.end && cell.read(at); at = cell.next) {
    if (cell.windowAt === -1 && !PLAIN_VALUES.has(cell.tag)) continue;
    const { startTxn, stopTxn } = valueWindow(cell.window());
    newestTxn = highest(newestTxn, startTxn);
    newestStopTxn = highest(newestStopTxn, stopTxn);
  }
  return { newestTxn, newestStopTxn };
}
