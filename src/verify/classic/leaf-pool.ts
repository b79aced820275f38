/** Threads that check leaves beside this one. They start with the first large file and are done with its last block. */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { Finding } from "../finding.js";
import { unchecked } from "../rules/run/unchecked.js";
import type { Detected, Run } from "../run.js";
import type { AddressList } from "./address-list.js";
import { type Batches, type LeafFile, type LeafResult, LeafTask } from "./leaf-task.js";

/** Starting a thread costs more than it gives for fewer bytes than this: plain ones, and ones to inflate. */
const WORTH_A_THREAD = 384 * 1024 * 1024;
const WORTH_A_THREAD_COMPRESSED = 96 * 1024 * 1024;
const PROGRAM = new URL("./leaf-worker.js", import.meta.url);

/** What a worker sends: the result of a batch, or the bug that stopped it. */
export type LeafMessage = LeafResult | { readonly bug: string };

interface Helper {
  readonly worker: Worker;
  readonly port: MessagePort;
}

export class LeafPool {
  private readonly helpers: Helper[];
  private readonly own: LeafTask;
  private readonly said = new Set<string>();

  /**
   * A pool of as many threads as are wanted, this one included; without a wish, one a core for files that are worth
   * it. Undefined where this thread is enough.
   */
  static for(
    file: LeafFile,
    size: number,
    threads: number | undefined,
    detected: Detected,
  ): LeafPool | undefined {
    const bytes = file.config.compressor === "" ? WORTH_A_THREAD : WORTH_A_THREAD_COMPRESSED;
    const worth = Math.min(availableParallelism() - 1, Math.floor(size / bytes));
    const helpers = threads === undefined ? worth : threads - 1;
    // Run from sources there is no built worker: this thread does it all.
    return helpers < 1 || !existsSync(PROGRAM) ? undefined : new LeafPool(file, helpers, detected);
  }

  private constructor(
    file: LeafFile,
    helpers: number,
    private readonly detected: Detected,
  ) {
    this.own = new LeafTask(file);
    this.helpers = Array.from({ length: helpers }, () => start(file));
  }

  /** Checks every batch; findings come in the order of their offsets, whoever made them. */
  check(batches: Batches, run: Run, checkpoint: string | undefined, found: AddressList): void {
    const results: LeafResult[] = [];
    for (const { port } of this.helpers) port.postMessage({ batches: batches.shared, checkpoint });
    this.own.check(batches, checkpoint, (result) => {
      results.push(result);
      run.checked(result.pages, result.bytes);
    });
    batches.wait();
    for (const { port } of this.helpers)
      for (const result of received(port)) {
        results.push(result);
        run.checked(result.pages, result.bytes);
      }
    this.merge(results, run, found);
  }

  private merge(results: readonly LeafResult[], run: Run, found: AddressList): void {
    const findings = results.flatMap((result) => result.findings).filter((finding) => this.isNews(finding));
    run.findings.merge(
      findings.sort((a, b) => (a.offset ?? 0) - (b.offset ?? 0)),
      results.flatMap(({ suppressed }) => suppressed),
    );
    for (const { complete, compressors, encryptors, addresses } of results) {
      if (!complete) run.complete = false;
      for (const name of compressors) this.detected.compressors.add(name);
      for (const name of encryptors) this.detected.encryptors.add(name);
      for (const address of addresses) found.push(...address);
    }
  }

  /** What is said of a whole table is said once, not once a thread. */
  private isNews({ code, message }: Finding): boolean {
    if (code !== unchecked.code) return true;
    const known = this.said.has(message);
    this.said.add(message);
    return !known;
  }

  close(): void {
    this.own.close();
    for (const { worker, port } of this.helpers) {
      port.close();
      void worker.terminate();
    }
  }
}

function start(file: LeafFile): Helper {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(PROGRAM, { workerData: { file, port: port2 }, transferList: [port2] });
  worker.unref();
  port1.unref();
  return { worker, port: port1 };
}

function* received(port: MessagePort): IterableIterator<LeafResult> {
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    const message = next.message as LeafMessage;
    if ("bug" in message) throw new Error(`a thread stopped: ${message.bug}`);
    yield message;
  }
}
