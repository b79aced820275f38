/** A thread that reads on in a file while this one looks at what has been read: the copy from the kernel costs no time. */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

/** Bytes read at a time, and how many such parts are kept; together they stay in the processor's caches. */
const PART = 512 * 1024;
const PARTS = 8;
/** Views in a row that lie elsewhere, before the thread is given up. */
const MAX_MISSES = 16;

/** How threads are made and waited for. */
const DEFAULTS = {
  program: new URL("./read-ahead-worker.js", import.meta.url),
  /** Starting a thread costs more than it gives for fewer bytes than this. */
  worth: 128 * 1024 * 1024,
  /** A thread that has read nothing for so long is taken for dead. In milliseconds. */
  patience: 10_000,
};
type Settings = Readonly<typeof DEFAULTS>;

/** Shared control words: the first part that is still needed, the part behind those that were read, and how it goes. */
const [NEEDED, READ, STATE] = [0, 1, 2] as const;
const [STARTING, READING, ENDED] = [0, 1, 2] as const;

/** A file whose identity is known: the thread opens it for itself. */
export interface IdentifiedFile {
  readonly path: string;
  readonly size: number;
  readonly identity: string;
  readInto(target: Uint8Array, offset: number): number;
}

/** What the thread is given. */
export interface ReadAheadOrder {
  readonly path: string;
  readonly identity: string;
  readonly ring: Uint8Array;
  readonly control: Int32Array;
}

export class ReadAhead {
  private readonly ring = new Uint8Array(new SharedArrayBuffer(PART * PARTS));
  private readonly control = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
  private readonly worker: Worker;
  private readonly end: number;
  private misses = 0;

  /** Undefined where a thread is not worth it, or there is no program for one (run from sources). */
  static from(file: IdentifiedFile, offset: number, settings: Partial<Settings> = {}): ReadAhead | undefined {
    const { program, worth, patience } = { ...DEFAULTS, ...settings };
    const isWorth = file.size - offset >= worth && availableParallelism() > 1;
    return isWorth && existsSync(program) ? new ReadAhead(file, offset, program, patience) : undefined;
  }

  private constructor(
    { path, identity, size }: IdentifiedFile,
    offset: number,
    program: URL,
    private readonly patience: number,
  ) {
    this.end = size;
    this.control[NEEDED] = Math.floor(offset / PART);
    const workerData: ReadAheadOrder = { path, identity, ring: this.ring, control: this.control };
    this.worker = new Worker(program, { workerData });
    // Without a thread the file is read here.
    this.worker.on("error", () => this.close());
    this.worker.unref();
  }

  /** Whether the thread has begun, and goes on. */
  get isReading(): boolean {
    return Atomics.load(this.control, STATE) === READING;
  }

  /**
   * `length` bytes from `offset`, valid until the next call; undefined where they are to be read without the thread.
   * It is for offsets that ascend without great gaps, and ends when they do not.
   */
  view(offset: number, length: number): Uint8Array | undefined {
    const first = Math.floor(offset / PART);
    const behind = Math.ceil((offset + length) / PART);
    if (!this.isReading) this.need(first);
    else if (offset + length > this.end || !this.isNear(first)) this.misses++;
    else return this.bytes(first, behind, offset - first * PART, length);
    if (this.misses > MAX_MISSES) this.close();
    return undefined;
  }

  private isNear(part: number): boolean {
    return part >= (this.control[NEEDED] as number) && part <= Atomics.load(this.control, READ);
  }

  private bytes(first: number, behind: number, at: number, length: number): Uint8Array | undefined {
    this.misses = 0;
    this.need(first);
    const from = (first % PARTS) * PART + at;
    // Beyond the ring's end it goes on at its beginning: those bytes are not side by side.
    if (from + length > this.ring.length || !this.waitFor(behind)) return undefined;
    return this.ring.subarray(from, from + length);
  }

  /** Parts before that one are done with. */
  private need(part: number): void {
    if (part <= (this.control[NEEDED] as number)) return;
    Atomics.store(this.control, NEEDED, part);
    Atomics.notify(this.control, NEEDED);
  }

  /** Until the parts before `behind` have been read; false when they never are. */
  private waitFor(behind: number): boolean {
    const { control } = this;
    for (;;) {
      const read = Atomics.load(control, READ);
      if (read >= behind) return true;
      if (Atomics.load(control, STATE) === ENDED) return false;
      if (Atomics.wait(control, READ, read, this.patience) !== "timed-out") continue;
      this.close();
      return false;
    }
  }

  close(): void {
    end(this.control);
    void this.worker.terminate();
  }
}

/** What the thread does: reads part after part, no further ahead than there is room. */
export function readAhead({ ring, control }: ReadAheadOrder, file: IdentifiedFile): void {
  const parts = Math.ceil(file.size / PART);
  for (let part = 0; Atomics.load(control, STATE) !== ENDED; ) {
    const needed = Atomics.load(control, NEEDED);
    part = Math.max(part, needed);
    if (part >= parts) return;
    if (part >= needed + PARTS) {
      Atomics.wait(control, NEEDED, needed);
      continue;
    }
    const start = (part % PARTS) * PART;
    const length = Math.min(PART, file.size - part * PART);
    if (file.readInto(ring.subarray(start, start + length), part * PART) < length) break;
    part++;
    Atomics.store(control, READ, part);
    Atomics.compareExchange(control, STATE, STARTING, READING);
    Atomics.notify(control, READ);
  }
  end(control);
}

/** Nothing more is read, and nobody waits for it. */
export function end(control: Int32Array): void {
  Atomics.store(control, STATE, ENDED);
  Atomics.notify(control, READ);
  Atomics.notify(control, NEEDED);
}
