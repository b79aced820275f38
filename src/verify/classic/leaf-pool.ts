/** Threads that check leaves beside this one. They start with the first large file and are done with its last block. */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { Finding } from "../finding.js";
import { unchecked } from "../rules/run/unchecked.js";
import type { Detected, Run } from "../run.js";
import type { AddressList } from "./address-list.js";
import { addAddresses, type Batches, type LeafFile, type LeafResult, LeafTask } from "./leaf-task.js";
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

type Said = Omit<LeafResult, "addresses">;

export class LeafPool {
  private readonly own: LeafTask;
  private readonly said = new Set<string>();
  /** Lists that are not finished. */
  private readonly begun: Batches[] = [];

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
    return helpers < 1 || !canStart()
      ? undefined
      : new LeafPool(file, Array.from({ length: helpers }, takeThread), detected);
  }

  /** `patience`: as `Batches.wait` takes it. */
  constructor(
    file: LeafFile,
    private readonly helpers: readonly LeafThread[],
    private readonly detected: Detected,
    private readonly patience?: number,
  ) {
    this.own = new LeafTask(file);
    for (const { port } of this.helpers) port.postMessage({ file });
  }

  /** Gives a list to the other threads, which begin at once. */
  begin(batches: Batches, checkpoint: string | undefined): void {
    this.begun.push(batches);
    for (const { port } of this.helpers) port.postMessage({ batches: batches.shared, checkpoint });
  }

  /** Checks what is left of the lists begun; findings come in the order of their offsets, whoever made them. */
  finish(run: Run, checkpoint: string | undefined, found: AddressList): void {
    const results: Said[] = [];
    const add = ({ addresses, ...said }: LeafResult): void => {
      addAddresses(addresses, found);
      results.push(said);
      run.checked(said.pages, said.bytes);
    };
    for (const batches of this.begun)
      for (let batch = batches.take(); batch !== undefined; batch = batches.take()) {
        add(this.own.check(batches, batch, checkpoint));
        batches.done(batch);
      }
    const givenUp = new Set<string>();
    for (const batches of this.begun)
      for (const batch of batches.wait(this.patience)) {
        givenUp.add(nameOf(batches.id, batch.index));
        add(this.own.check(batches, batch, checkpoint));
      }
    const lists = new Set(this.begun.map(({ id }) => id));
    for (const { port } of this.helpers)
      for (const result of received(port))
        if (lists.has(result.list) && !givenUp.has(nameOf(result.list, result.batch))) add(result);
    this.begun.length = 0;
    this.merge(results, run);
  }

  private merge(results: readonly Said[], run: Run): void {
    const findings = results.flatMap((result) => result.findings).filter((finding) => this.isNews(finding));
    run.findings.merge(
      findings.sort((a, b) => (a.offset ?? 0) - (b.offset ?? 0)),
      results.flatMap(({ suppressed }) => suppressed),
    );
    for (const result of results) {
      const { compressors, encryptors } = result;
      run.addOpen(result);
      for (const name of compressors) this.detected.compressors.add(name);
      for (const name of encryptors) this.detected.encryptors.add(name);
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

const nameOf = (list: number, batch: number): string => `${list} ${batch}`;

function* received(port: MessagePort): IterableIterator<LeafResult> {
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    const message = next.message as LeafMessage;
    if ("bug" in message) throw new Error(`a thread stopped: ${message.bug}`);
    yield message;
  }
}
