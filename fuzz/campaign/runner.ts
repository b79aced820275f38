/** Runs single inputs in a thread that can be ended: hangs, greed and noise are outcomes like any other. */
import { Worker } from "node:worker_threads";
import { removeScratch, scratchFolder } from "../scratch.js";
import { builtFile } from "./bundle.js";
import { HangWatch, LOOK_EVERY } from "./hang-watch.js";

export type Outcome =
  | { readonly kind: "fine" }
  | { readonly kind: "broken"; readonly signature: string; readonly message: string; readonly stack: string }
  | { readonly kind: "lost"; readonly signature: string; readonly message: string };

export interface RunnerOptions {
  /** One input may take this much processor time (default 10), seconds. */
  readonly inputSeconds?: number;
  /** And this much heap (default 512), MiB. */
  readonly memoryMiB?: number;
}

interface Pending {
  readonly resolve: (outcome: Outcome) => void;
  readonly timer: NodeJS.Timeout;
}

export interface RunRequest {
  readonly target: string;
  readonly input: Uint8Array;
}

/** What the thread says first: loading it does not count towards an input's time. */
export const READY = "ready";

export class Runner {
  private worker: Worker | undefined;
  private ready: Promise<void> | undefined;
  private pending: Pending | undefined;
  /** What targets leave behind when their thread is ended. */
  private temporary: string | undefined;

  constructor(private readonly options: RunnerOptions = {}) {}

  /** One input on one target; the next may be asked for when this is settled. */
  async run(target: string, input: Uint8Array): Promise<Outcome> {
    const { inputSeconds = 10 } = this.options;
    const worker = this.thread();
    await this.ready;
    return new Promise((resolve) => {
      const watch = new HangWatch(inputSeconds);
      watch.begin();
      const timer = setInterval(() => {
        if (watch.isHanging()) this.lose(`takes more than ${inputSeconds} s`);
      }, LOOK_EVERY);
      this.pending = { resolve, timer };
      worker.postMessage({ target, input } satisfies RunRequest);
    });
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
    this.worker = undefined;
    if (this.temporary !== undefined) removeScratch(this.temporary);
    this.temporary = undefined;
  }

  private thread(): Worker {
    if (this.worker !== undefined) return this.worker;
    const { memoryMiB = 512 } = this.options;
    this.temporary ??= scratchFolder("pugmark-fuzz");
    const worker = new Worker(builtFile("fuzz", "run-thread.cjs"), {
      env: { ...process.env, TMPDIR: this.temporary },
      resourceLimits: { maxOldGenerationSizeMb: memoryMiB },
      stdout: true,
      stderr: true,
    });
    this.ready = new Promise((resolve) => {
      worker.on("message", (message: Outcome | typeof READY) => {
        if (message === READY) resolve();
        else this.settle(message);
      });
    });
    worker.on("error", (error: Error) => this.lose(error.message));
    worker.on("exit", () => {
      if (this.worker === worker) this.lose("the thread ended");
    });
    this.worker = worker;
    return worker;
  }

  private lose(message: string): void {
    const worker = this.worker;
    this.worker = undefined;
    void worker?.terminate();
    this.settle({ kind: "lost", signature: `lost: ${message}`, message });
  }

  private settle(outcome: Outcome): void {
    const pending = this.pending;
    this.pending = undefined;
    if (pending === undefined) return;
    clearInterval(pending.timer);
    pending.resolve(outcome);
  }
}
