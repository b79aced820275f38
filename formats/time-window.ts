/**
 * From the numbers stored in a cell to timestamps and transactions, and back (formats: cells and deltas §3). All
 * arithmetic is modulo 2^64.
 */
import { type CellWindow, windowBits } from "./cell.js";

const MASK = (1n << 64n) - 1n;
/** Stop timestamp of a value that was not deleted. */
export const MAX_TIMESTAMP = MASK;
/** Stop transaction of a value that was not deleted: the engine's highest transaction id. */
export const MAX_TRANSACTION = MASK - 10n;

/** The life of a value. */
export interface TimeWindow {
  readonly startTs: bigint;
  readonly startTxn: bigint;
  readonly durableStartTs: bigint;
  /** 2^64 − 1: none. */
  readonly stopTs: bigint;
  /** 2^64 − 11: none. */
  readonly stopTxn: bigint;
  readonly durableStopTs: bigint;
  /** Written by a prepared transaction. */
  readonly prepare: boolean;
}

/** What the values below an address have in common. */
export interface TimeAggregate {
  readonly oldestStartTs: bigint;
  readonly newestTxn: bigint;
  readonly newestStartDurableTs: bigint;
  readonly newestStopTs: bigint;
  readonly newestStopTxn: bigint;
  readonly newestStopDurableTs: bigint;
  readonly prepare: boolean;
}

/** The end of a window that a prepared transaction wrote. */
export type PreparedPart = "start" | "stop" | "both";

/**
 * A value with the prepare bit, in a database that preserves prepared transactions. Nothing on the page tells this
 * convention from the other one (it is a setting of the database), nor which part of the window is prepared.
 */
export interface PreparedWindow {
  readonly prepared: PreparedPart;
  /** The prepare timestamp where the start is prepared. */
  readonly startTs: bigint;
  readonly startTxn: bigint;
  /** Where the start is prepared. */
  readonly startPreparedId?: bigint;
  /** Where the start is not prepared. */
  readonly durableStartTs?: bigint;
  /** The prepare timestamp where the stop is prepared; 2^64 − 1: none. */
  readonly stopTs: bigint;
  readonly stopTxn: bigint;
  /** Where the stop is prepared. */
  readonly stopPreparedId?: bigint;
}

/** Visible to all, not deleted: what a cell without a window says. */
export const GLOBAL_WINDOW: TimeWindow = {
  startTs: 0n,
  startTxn: 0n,
  durableStartTs: 0n,
  stopTs: MAX_TIMESTAMP,
  stopTxn: MAX_TRANSACTION,
  durableStopTs: 0n,
  prepare: false,
};

export const GLOBAL_AGGREGATE: TimeAggregate = {
  oldestStartTs: 0n,
  newestTxn: 0n,
  newestStartDurableTs: 0n,
  newestStopTs: MAX_TIMESTAMP,
  newestStopTxn: MAX_TRANSACTION,
  newestStopDurableTs: 0n,
  prepare: false,
};

const plus = (base: bigint, difference: bigint): bigint => (base + difference) & MASK;
const minus = (value: bigint, base: bigint): bigint => (value - base) & MASK;
const isPrepared = (slots: CellWindow): boolean => (slots.bits & windowBits.prepare) !== 0;

/** Whether a value was deleted or replaced; a delete without a timestamp has stop timestamp 0. */
export const hasStop = ({ stopTs, stopTxn }: Pick<TimeWindow, "stopTs" | "stopTxn">): boolean =>
  stopTs !== MAX_TIMESTAMP || stopTxn !== MAX_TRANSACTION;

/** The window of a value cell; a cell without one is visible to all. */
export function valueWindow(slots: CellWindow | undefined): TimeWindow {
  if (slots === undefined) return GLOBAL_WINDOW;
  const { startTs = 0n, startTxn = 0n, durableStart, durableStop } = slots;
  const stopTs = slots.stopTs === undefined ? MAX_TIMESTAMP : plus(startTs, slots.stopTs);
  const noDurableStop = stopTs === MAX_TIMESTAMP ? 0n : stopTs;
  return {
    startTs,
    startTxn,
    durableStartTs: durableStart === undefined ? startTs : plus(startTs, durableStart),
    stopTs,
    stopTxn: slots.stopTxn === undefined ? MAX_TRANSACTION : plus(startTxn, slots.stopTxn),
    durableStopTs: durableStop === undefined ? noDurableStop : plus(stopTs, durableStop),
    prepare: isPrepared(slots),
  };
}

/** The aggregate of an address cell. */
export function addressAggregate(slots: CellWindow | undefined): TimeAggregate {
  if (slots === undefined) return GLOBAL_AGGREGATE;
  const { startTs = 0n, startTxn = 0n, durableStart, durableStop } = slots;
  const stopTs = slots.stopTs === undefined ? MAX_TIMESTAMP : plus(startTs, slots.stopTs);
  return {
    oldestStartTs: startTs,
    newestTxn: startTxn,
    newestStartDurableTs: durableStart === undefined ? 0n : plus(startTs, durableStart),
    newestStopTs: stopTs,
    newestStopTxn: slots.stopTxn === undefined ? MAX_TRANSACTION : plus(startTxn, slots.stopTxn),
    newestStopDurableTs: durableStop === undefined ? 0n : plus(stopTs, durableStop),
    prepare: isPrepared(slots),
  };
}

/** One transaction id for both ends says that one transaction wrote both. */
function likelyPrepared({ stopTs, stopTxn }: CellWindow): PreparedPart {
  if (stopTs === undefined && stopTxn === undefined) return "start";
  return stopTxn === 0n ? "both" : "stop";
}

/** The window under the convention of preserved prepared transactions: durable slots hold prepared ids there. */
export function preparedWindow(slots: CellWindow, prepared = likelyPrepared(slots)): PreparedWindow {
  const { startTs = 0n, startTxn = 0n, durableStart = 0n, durableStop } = slots;
  const ends = {
    startTs,
    startTxn,
    stopTs: slots.stopTs === undefined ? MAX_TIMESTAMP : plus(startTs, slots.stopTs),
    stopTxn: slots.stopTxn === undefined ? MAX_TRANSACTION : plus(startTxn, slots.stopTxn),
  };
  if (prepared === "start") return { prepared, ...ends, startPreparedId: durableStart };
  if (prepared === "both")
    return { prepared, ...ends, startPreparedId: durableStart, stopPreparedId: durableStop ?? durableStart };
  return {
    prepared,
    ...ends,
    durableStartTs: plus(startTs, durableStart),
    stopPreparedId: durableStop ?? 0n,
  };
}

type Slots = Omit<CellWindow, "bits">;

/** Slots with the byte in front that says which there are. */
function withBits(prepare: boolean, slots: { [K in keyof Slots]: bigint | undefined }): CellWindow {
  const present = Object.entries(slots).filter(([, value]) => value !== undefined) as Array<
    [keyof Slots, bigint]
  >;
  const bits = present.reduce((all, [name]) => all | windowBits[name], prepare ? windowBits.prepare : 0);
  return { bits, ...Object.fromEntries(present) };
}

const unless = (absent: boolean, value: bigint): bigint | undefined => (absent ? undefined : value);

/** The slots the engine writes for a value's window; undefined when the window says nothing. */
export function valueSlots(window: TimeWindow): CellWindow | undefined {
  const { startTs, startTxn, durableStartTs, stopTs, stopTxn, durableStopTs, prepare } = window;
  const noDurableStop = stopTs === MAX_TIMESTAMP ? 0n : stopTs;
  const slots = withBits(prepare, {
    startTs: unless(startTs === 0n, startTs),
    startTxn: unless(startTxn === 0n, startTxn),
    durableStart: unless(durableStartTs === startTs, minus(durableStartTs, startTs)),
    stopTs: unless(stopTs === MAX_TIMESTAMP, minus(stopTs, startTs)),
    stopTxn: unless(stopTxn === MAX_TRANSACTION, minus(stopTxn, startTxn)),
    durableStop: unless(durableStopTs === noDurableStop, minus(durableStopTs, stopTs)),
  });
  return slots.bits === 0 ? undefined : slots;
}

/** The slots the engine of 12.0 writes for a child's aggregate: always there, possibly empty. */
export function aggregateSlots(aggregate: TimeAggregate): CellWindow {
  const { oldestStartTs, newestTxn, newestStartDurableTs, newestStopTs, newestStopTxn, newestStopDurableTs } =
    aggregate;
  return withBits(aggregate.prepare, {
    startTs: unless(oldestStartTs === 0n, oldestStartTs),
    startTxn: unless(newestTxn === 0n, newestTxn),
    durableStart: unless(newestStartDurableTs === 0n, minus(newestStartDurableTs, oldestStartTs)),
    stopTs: unless(newestStopTs === MAX_TIMESTAMP, minus(newestStopTs, oldestStartTs)),
    stopTxn: unless(newestStopTxn === MAX_TRANSACTION, minus(newestStopTxn, newestTxn)),
    durableStop: unless(newestStopDurableTs === 0n, minus(newestStopDurableTs, newestStopTs)),
  });
}

/** What readers make of transaction ids an earlier run of the engine wrote: cleared, while timestamps stay. */
export function afterRestart(window: TimeWindow): TimeWindow {
  if (window.stopTxn === MAX_TRANSACTION) return { ...window, startTxn: 0n };
  const stopTs = window.stopTs === MAX_TIMESTAMP ? 0n : window.stopTs;
  return { ...window, startTxn: 0n, stopTxn: 0n, stopTs };
}

const above = (base: bigint, difference: bigint): boolean => base + difference > MASK;

/**
 * The slot whose sum goes beyond 2^64: an end before its beginning, or a durable timestamp before the commit. The
 * engine writes neither; only durable stops of aggregates wrap, and durable slots of prepared values may hold ids.
 */
export function wrappingSlot(slots: CellWindow, of: "value" | "address"): keyof CellWindow | undefined {
  const { startTs = 0n, startTxn = 0n, durableStart = 0n, stopTs, stopTxn = 0n, durableStop = 0n } = slots;
  if (above(startTs, stopTs ?? 0n)) return "stopTs";
  if (above(startTxn, stopTxn)) return "stopTxn";
  if (of === "address" || isPrepared(slots)) return undefined;
  if (above(startTs, durableStart)) return "durableStart";
  const stop = stopTs === undefined ? MAX_TIMESTAMP : startTs + stopTs;
  return above(stop, durableStop) ? "durableStop" : undefined;
}
