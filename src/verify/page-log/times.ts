/** The timestamps of a leaf's values together: what its parent's aggregate has to cover. */
import { cellTags } from "../../../formats/cell.js";
import { MAX_TIMESTAMP, valueWindow } from "../../../formats/time-window.js";
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
    const window = valueWindow(cell.window());
    any = true;
    if (window.startTs < oldestStart) oldestStart = window.startTs;
    if (window.durableStartTs > newestDurableStart) newestDurableStart = window.durableStartTs;
    if (window.stopTs > newestStop) newestStop = window.stopTs;
    if (window.durableStopTs > newestDurableStop) newestDurableStop = window.durableStopTs;
  }
  if (plain) [oldestStart, newestStop] = [0n, MAX_TIMESTAMP];
  return any || plain ? { oldestStart, newestDurableStart, newestStop, newestDurableStop } : undefined;
}
