/** The timestamps of a leaf's values together: what its parent's aggregate has to cover. */
import { cellTags, windowBits, windowSlots } from "../../../formats/cell.js";
import { MAX_TIMESTAMP } from "../../../formats/time-window.js";
import { packedLength } from "../../codec/packed.js";
import { CellReader } from "../../page/cell-reader.js";
import { Defects } from "../../page/defects.js";
import type { PageLayout } from "../../page/walk-types.js";

export interface LeafTimes {
  readonly oldestStart: bigint;
  readonly newestDurableStart: bigint;
  /** 2^64 − 1: a value was not deleted. */
  readonly newestStop: bigint;
  readonly newestDurableStop: bigint;
}

const cell = new CellReader(new Defects(1));
const { value, valueCopy, valueShort } = cellTags;
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
export const PLAIN_TIMES: LeafTimes = {
  oldestStart: 0n,
  newestDurableStart: 0n,
  newestStop: MAX_TIMESTAMP,
  newestDurableStop: 0n,
};

/** Of the values of a sound leaf image; undefined when it has none. */
export function leafTimes(image: Uint8Array, { payload, memSize }: PageLayout): LeafTimes | undefined {
  cell.image = image;
  cell.end = Math.min(memSize, image.length);
  let [oldestStart, newestDurableStart, newestStop, newestDurableStop] = [MAX_TIMESTAMP, 0n, 0n, 0n];
  let any = false;
  let plain = false;
  for (let at = payload; at < cell.end && cell.read(at); at = cell.next) {
    if (cell.windowAt === -1) {
      plain ||= cell.tag === valueShort || cell.tag === value || cell.tag === valueCopy;
      continue;
    }
    any = true;
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
  return any || plain ? { oldestStart, newestDurableStart, newestStop, newestDurableStop } : undefined;
}
