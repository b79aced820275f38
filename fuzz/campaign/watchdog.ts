/**
 * The thread that ends a process whose input never returns. jsfuzz has a limit of its own, but counts loading the
 * target towards the first input.
 */
import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { HangWatch, LOOK_EVERY, processorSeconds } from "./hang-watch.js";

export interface WatchdogData {
  /** Counts beginnings and ends: odd while an input is running. */
  readonly begun: Int32Array;
  readonly seconds: number;
  readonly pid: number;
}

/** What jsfuzz says for the same; past the event loop, which is not turning. */
export const TOO_LONG = "timeout reached";
/** What the campaign is told from time to time: processor time spent on inputs so far, seconds. */
export const PROCESSOR_TIME = "processor time";
const STDOUT = 1;
/** How often, in looks. */
const TELL_EVERY = 10;

const { begun, seconds, pid } = workerData as WatchdogData;
const watch = new HangWatch(seconds);
let last = Atomics.load(begun, 0);
watch.begin();
let looks = 0;
let loading = processorSeconds();
setInterval(() => {
  const now = Atomics.load(begun, 0);
  if (now === 0) loading = processorSeconds();
  else if (++looks % TELL_EVERY === 0)
    writeSync(STDOUT, `${PROCESSOR_TIME} ${(processorSeconds() - loading).toFixed(2)}\n`);
  if (now !== last) {
    last = now;
    watch.begin();
  } else if (now % 2 === 1 && watch.isHanging()) {
    writeSync(STDOUT, `${TOO_LONG}\n`);
    process.kill(pid, "SIGKILL");
  }
}, LOOK_EVERY);
