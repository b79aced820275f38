/** Threads that check leaves beside this one. They start with the first large file and are done with its last block. */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { Finding } from "../finding.js";
import { unchecked } from "../rules/run/unchecked.js";
import type { Detected, Run } from "../run.js";
import type { AddressList } from "./address-list.js";
import { type Batches, type LeafFile, type LeafResult, LeafTask } from "./leaf-task.js";
import {
  canStart,
  helpersFor,
  type LeafThread,
  takeThread,
  WORTH_A_THREAD,
  WORTH_A_THREAD_COMPRESSED,
} from "./leaf-thread.js";

/** What a worker sends: the result of a batch, or the bug that stopped it. */
export type LeafMessage = LeafResult | { readonly bug: string };

export class LeafPool {
  private readonly helpers: LeafThread[];
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
    const helpers = threads === undefined ? helpersFor(size, bytes) : threads - 1;
    return helpers < 1 || !canStart() ? undefined : new LeafPool(file, helpers, detected);
  }

  private constructor(
    file: LeafFile,
    helpers: number,
    private readonly detected: Detected,
  ) {
    this.own = new LeafTask(file);
    this.helpers = Array.from({ length: helpers }, takeThread);
    for (const { port } of this.helpers) port.postMessage({ file });
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
    for (const result of results) {
      const { compressors, encryptors, addresses } = result;
      run.addOpen(result);
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

function* received(port: MessagePort): IterableIterator<LeafResult> {
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    const message = next.message as LeafMessage;
    if ("bug" in message) throw new Error(`a thread stopped: ${message.bug}`);
    yield message;
  }
}
