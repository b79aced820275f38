/** Threads for leaves. The command line starts them before it is known what they are for: both take equally long. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";

/** Starting a thread costs more than it gives for fewer bytes than this: plain ones, and ones to inflate. */
export const WORTH_A_THREAD = 128 * 1024 * 1024;
export const WORTH_A_THREAD_COMPRESSED = 48 * 1024 * 1024;
/** More only wait for memory, and each takes some 20 MB. */
const MAX_HELPERS = 7;
const PROGRAM = new URL("./leaf-worker.js", import.meta.url);

/** A thread and the way to talk to it. It does not keep the process alive. */
export interface LeafThread {
  readonly worker: Worker;
  readonly port: MessagePort;
}

/** Threads that nobody uses yet. */
const ready: LeafThread[] = [];

/** How many threads help with so many bytes. */
export const helpersFor = (size: number, worth: number): number =>
  Math.min(availableParallelism() - 1, MAX_HELPERS, Math.floor(size / worth));

/** Starts the threads that the files of these inputs will want. */
export function startThreadsFor(paths: readonly string[]): void {
  const wanted = Math.max(0, ...paths.map((path) => helpersFor(largestFile(path), WORTH_A_THREAD)));
  if (!canStart()) return;
  while (ready.length < wanted) ready.push(start());
}

/** Run from sources there is no built program: one thread does it all. */
export const canStart = (): boolean => existsSync(PROGRAM);

export const takeThread = (): LeafThread => ready.pop() ?? start();

function start(): LeafThread {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(PROGRAM, { workerData: port2, transferList: [port2] });
  worker.unref();
  port1.unref();
  return { worker, port: port1 };
}

/** Bytes of the largest `.wt` file there; 0 without any. What cannot be read is told of elsewhere. */
function largestFile(path: string): number {
  try {
    if (!statSync(path).isDirectory()) return sizeOf(path);
    return Math.max(0, ...readdirSync(path).map((name) => sizeOf(join(path, name))));
  } catch {
    return 0;
  }
}

const sizeOf = (path: string): number =>
  path.endsWith(".wt") ? (statSync(path, { throwIfNoEntry: false })?.size ?? 0) : 0;
