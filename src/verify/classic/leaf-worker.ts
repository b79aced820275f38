/** Program of a thread that checks leaves. */
import { type MessagePort, workerData } from "node:worker_threads";
import { installNodeAccelerators } from "../../platform/node.js";
import type { LeafMessage } from "./leaf-pool.js";
import { Batches, type LeafFile, LeafTask } from "./leaf-task.js";

interface Order {
  readonly batches: Batches["shared"];
  readonly checkpoint: string | undefined;
}

const { file, port } = workerData as { file: LeafFile; port: MessagePort };
installNodeAccelerators();
const task = new LeafTask(file);
const send = (message: LeafMessage): void => port.postMessage(message);

port.on("message", ({ batches: shared, checkpoint }: Order) => {
  const batches = new Batches(shared.list, shared);
  try {
    task.check(batches, checkpoint, send);
  } catch (error) {
    // The batch counts as done, or the other thread would wait for it for ever.
    send({ bug: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    batches.done();
  }
});
