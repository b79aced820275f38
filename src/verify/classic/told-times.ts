/**
 * What an address tells of the times below it, and whether the page there keeps to it. Told times lie beside the keys
 * of ranges, as the cell has them, and are only decoded where there is something to compare.
 */
import { type CellWindow, windowBits, windowSlots } from "../../../formats/cell.js";
import { pageTypes } from "../../../formats/page-header.js";
import { addressAggregate, GLOBAL_AGGREGATE, type TimeAggregate } from "../../../formats/time-window.js";
import { packedLength, readPackedUnsigned } from "../../codec/packed.js";
import { decodeRecords } from "../../page/decode-records.js";
import { NOT_PLAIN, TOLD_BITS } from "../../page/leaf-memory.js";
import type { PageLayout } from "../../page/walk-types.js";
import {
  leafTimes,
  leafTransactions,
  type PageTimes,
  PLAIN_TIMES,
  TimesUnion,
  timesOf,
  type Uncovered,
  uncovered,
  windowTimes,
} from "../page-log/times.js";
import type { AddressList } from "./address-list.js";
import { type KeyBytes, keyAt, NO_KEY } from "./key-bytes.js";

/** In front of the window: whether the parent is of the newest run of the engine, whose transaction ids hold. */
const OF_NEWEST_RUN = 1;
const LONGEST = 2 + 9 * windowSlots.length;
const scratch = new Uint8Array(LONGEST);

/** Keeps the window at `at` of an image; a number as keys have, `NO_KEY` for one that says nothing. */
export function pushTold(keys: KeyBytes, image: Uint8Array, at: number, ofNewestRun: boolean): number {
  const bits = at === -1 ? 0 : (image[at] as number);
  if (bits === 0) return NO_KEY;
  let end = at + 1;
  for (const slot of windowSlots)
    if ((bits & windowBits[slot]) !== 0) end += packedLength(image[end] as number);
  scratch[0] = ofNewestRun ? OF_NEWEST_RUN : 0;
  for (let from = at, to = 1; from < end; from++, to++) scratch[to] = image[from] as number;
  return keys.push(scratch, 0, 1 + end - at);
}

/** Whether a leaf of plain values keeps to what is told, by what can be seen without decoding. */
export function coversPlain(keys: Uint8Array, told: number): boolean {
  return told === NO_KEY || ((keyAt(keys, told)?.[TOLD_BITS] ?? NOT_PLAIN) & NOT_PLAIN) === 0;
}

function decode(told: Uint8Array | undefined): TimeAggregate {
  if (told === undefined) return GLOBAL_AGGREGATE;
  const slots: Record<string, number | bigint> = { bits: told[1] as number };
  let at = 2;
  for (const name of windowSlots) {
    if (((told[1] as number) & windowBits[name]) === 0) continue;
    slots[name] = readPackedUnsigned(told, at, told.length);
    at += packedLength(told[at] as number);
  }
  return addressAggregate(slots as unknown as CellWindow);
}

/** A sound page, its address, and what it leads to. */
export interface ToldPage {
  readonly told: Uint8Array | undefined;
  readonly image: Uint8Array;
  readonly layout: PageLayout;
  /** Every cell is of a plain value. */
  readonly allPlain: boolean;
  readonly ofNewestRun: boolean;
  /** Of an internal page: its children, from `first` on. */
  readonly found: AddressList;
  readonly first: number;
}

/** The fields of a page's address that do not cover what is on the page. */
export function uncoveredTimes(page: ToldPage): Uncovered[] {
  const { told, ofNewestRun, layout } = page;
  const aggregate = decode(told);
  const isInternal = layout.type === pageTypes.rowInternal || layout.type === pageTypes.columnInternal;
  const children = isInternal ? childrenOf(page) : undefined;
  const held = children === undefined ? leafTimesOf(page) : children.times;
  if (held === undefined) return [];
  const wrong = uncovered(timesOf(aggregate), held);
  if (held.prepare && !aggregate.prepare) wrong.push(wrongField("prepare", 1n, 0n));
  if (told?.[0] !== OF_NEWEST_RUN || !ofNewestRun) return wrong;
  const ids = children ?? leafTransactions(page.image, layout);
  if (aggregate.newestTxn < ids.newestTxn)
    wrong.push(wrongField("newestTxn", ids.newestTxn, aggregate.newestTxn));
  if (aggregate.newestStopTxn < ids.newestStopTxn)
    wrong.push(wrongField("newestStopTxn", ids.newestStopTxn, aggregate.newestStopTxn));
  return wrong;
}

const wrongField = (field: string, expected: bigint, actual: bigint): Uncovered => ({
  field,
  expected,
  actual,
  consequence: "readers may pass over the page",
});

function childrenOf({ found, first }: ToldPage): TimesUnion {
  const all = new TimesUnion();
  let before = -1;
  for (let at = first; at < found.length; at++) {
    const number = found.times[at] as number;
    if (number !== before) all.add(decode(keyAt(found.keys, number)));
    before = number;
  }
  return all;
}

function leafTimesOf({ image, layout, allPlain }: ToldPage): PageTimes | undefined {
  if (allPlain) return PLAIN_TIMES;
  if (layout.type !== pageTypes.columnFixed) return leafTimes(image, layout);
  // Of records without a window nothing is told.
  return windowTimes((decodeRecords(image, layout)?.windows ?? []).map(({ window }) => window));
}
