/** Watches that work on malformed input stays within bounds of time and memory. */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as assert from "uvu/assert";

export const MAX_SECONDS = 1;
export const MAX_EXTRA_BYTES = 64 * 1024 * 1024;
const COLLECT_EVERY = 256;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Bytes allocated by now, in the heap and in buffers outside it, untouched ones included. */
function allocated(): number {
  const { used_heap_size, external_memory, malloced_memory } = getHeapStatistics();
  return used_heap_size + external_memory + malloced_memory;
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
  private calls = 0;
  private readonly residentBefore: number;

  /** `warmUp` is run first, unmeasured, so that the series does not pay for compilation and first-time growth. */
  constructor(
    private readonly name: string,
    warmUp: () => void,
  ) {
    for (let i = 0; i < 200; i++) warmUp();
    collectGarbage();
    this.residentBefore = peakResident();
  }

  call<T>(what: string, work: () => T): T {
    if (++this.calls % COLLECT_EVERY === 0) collectGarbage();
    const before = allocated();
    const started = performance.now();
    const result = work();
    const seconds = (performance.now() - started) / 1000;
    const extra = allocated() - before;
    if (seconds > MAX_SECONDS) assert.unreachable(`${this.name} ${what}: ${seconds.toFixed(1)} s`);
    if (extra > MAX_EXTRA_BYTES) assert.unreachable(`${this.name} ${what}: ${extra} bytes allocated`);
    this.slowest = Math.max(this.slowest, seconds);
    this.hungriest = Math.max(this.hungriest, extra);
    return result;
  }

  finish(): void {
    const growth = peakResident() - this.residentBefore;
    assert.ok(growth <= MAX_EXTRA_BYTES, `${this.name}: resident peak grew by ${growth} bytes`);
  }
}
