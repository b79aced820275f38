/** Our own judgement in a thread that is ended when it takes too long or too much memory. */
import { Worker } from "node:worker_threads";
import { builtFile } from "../campaign/bundle.js";
import { HangWatch, LOOK_EVERY } from "../campaign/hang-watch.js";
import type { Judgement, JudgeRequest } from "./judge.js";

/** Processor time; homes are small, seconds. */
const SECONDS = 30;
const MEMORY_MIB = 512;

export class JudgeRunner {
  private worker: Worker | undefined;
  private settle: (judgement: Judgement) => void = () => {};

  judge(request: JudgeRequest): Promise<Judgement> {
    const worker = this.thread();
    return new Promise((resolve) => {
      const watch = new HangWatch(SECONDS);
      watch.begin();
      const timer = setInterval(() => {
        if (watch.isHanging()) this.lose(`takes more than ${SECONDS} s`);
      }, LOOK_EVERY);
      this.settle = (judgement) => {
        clearInterval(timer);
        resolve(judgement);
      };
      worker.postMessage(request);
    });
  }

  async close(): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
  }

  private thread(): Worker {
    if (this.worker !== undefined) return this.worker;
    const worker = new Worker(builtFile("fuzz", "engine", "judge-thread.js"), {
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MIB },
    });
    worker.on("message", (judgement: Judgement) => this.settle(judgement));
    worker.on("error", (error: Error) => this.lose(error.message));
    worker.on("exit", () => {
      if (this.worker === worker) this.lose("the thread ended");
    });
    this.worker = worker;
    return worker;
  }

  private lose(why: string): void {
    const { worker } = this;
    this.worker = undefined;
    void worker?.terminate();
    this.settle({ rejects: 0, codes: [], findings: [], rows: undefined, thrown: why });
  }
}
