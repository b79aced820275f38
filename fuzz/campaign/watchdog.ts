/**
 * The thread that ends a process whose input never returns. jsfuzz has a limit of its own, but counts loading the
 * target towards the first input.
 */
import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";

export interface WatchdogData {
  /** Counts beginnings and ends: odd while an input is running. */
  readonly begun: Int32Array;
  readonly seconds: number;
  readonly pid: number;
}

/** What jsfuzz says for the same; past the event loop, which is not turning. */
export const TOO_LONG = "timeout reached";
const STDOUT = 1;

const { begun, seconds, pid } = workerData as WatchdogData;
let last = Atomics.load(begun, 0);
let since = performance.now();
setInterval(() => {
  const now = Atomics.load(begun, 0);
  if (now !== last) {
    last = now;
    since = performance.now();
  } else if (now % 2 === 1 && performance.now() - since > seconds * 1000) {
    writeSync(STDOUT, `${TOO_LONG}\n`);
    process.kill(pid, "SIGKILL");
  }
}, 100);
