/** Watches that work on malformed input stays within bounds of time and memory. */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { processorMillis } from "./clock.js";

export const MAX_SECONDS = 1;
export const MAX_EXTRA_BYTES = 64 * 1024 * 1024;
/** Buffers outside the heap are collected late: done when so many bytes have gathered, lest they pass for a need. */
const COLLECT_AT = 16 * 1024 * 1024;
const WARM_UP = 200;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
/** Buffers are given back in the background after a collection; the next one waits for that. */
const collectGarbage = (): void => {
  collect();
  collect();
};

/** Bytes in the heap, and in buffers outside it, untouched ones included. */
function allocated(): { heap: number; buffers: number } {
  const { used_heap_size, external_memory, malloced_memory } = getHeapStatistics();
  return { heap: used_heap_size, buffers: external_memory + malloced_memory };
}

/** The process's high-water mark, bytes. */
const peakResident = (): number => process.resourceUsage().maxRSS * 1024;

/**
 * One series of calls. Each call is held to a second and to 64 MB of allocations; `finish` holds the whole series to
 * 64 MB above the resident peak before it, which sees what a call took and gave back.
 */
export class Bounded {
  slowest = 0;
  hungriest = 0;
  private gathered = 0;
  private readonly residentBefore: number;

  /** `warmUp` is run first, unmeasured, so that the series does not pay for compilation and first-time growth. */
  constructor(
    private readonly name: string,
    warmUp: () => void,
  ) {
    for (let i = 0; i < WARM_UP; i++) warmUp();
    collectGarbage();
    this.residentBefore = peakResident();
  }

  /** For work that has to be awaited. */
  static async started(name: string, warmUp: () => Promise<unknown>): Promise<Bounded> {
    for (let i = 0; i < WARM_UP; i++) await warmUp();
    return new Bounded(name, () => {});
  }

  call<T>(what: string, work: () => T): T {
    const check = this.begin(what);
    const result = work();
    check();
    return result;
  }

  async wait<T>(what: string, work: () => Promise<T>): Promise<T> {
    const check = this.begin(what);
    const result = await work();
    check();
    return result;
  }

  private begin(what: string): () => void {
    if (this.gathered > COLLECT_AT) {
      collectGarbage();
      this.gathered = 0;
    }
    const before = allocated();
    const started = processorMillis();
    return () => {
      const seconds = (processorMillis() - started) / 1000;
      const after = allocated();
      const buffers = after.buffers - before.buffers;
      this.gathered += Math.max(buffers, 0);
      this.hold(what, seconds, after.heap - before.heap + buffers);
    };
  }

  private hold(what: string, seconds: number, extra: number): void {
    if (seconds > MAX_SECONDS) throw new Error(`${this.name} ${what}: ${seconds.toFixed(1)} s`);
    if (extra > MAX_EXTRA_BYTES) throw new Error(`${this.name} ${what}: ${extra} bytes allocated`);
    this.slowest = Math.max(this.slowest, seconds);
    this.hungriest = Math.max(this.hungriest, extra);
  }

  finish(): void {
    const growth = peakResident() - this.residentBefore;
    if (growth > MAX_EXTRA_BYTES) throw new Error(`${this.name}: resident peak grew by ${growth} bytes`);
  }
}
