/** Program of a thread that checks leaves. */
import { type MessagePort, workerData } from "node:worker_threads";
import { installNodeAccelerators } from "../../platform/node.js";
import type { LeafMessage } from "./leaf-pool.js";
import { Batches, type LeafFile, LeafTask, type SharedBatches } from "./leaf-task.js";

/** The file comes first, then orders. */
type Message =
  | { readonly file: LeafFile }
  | { readonly batches: SharedBatches; readonly checkpoint: string | undefined };

const port = workerData as MessagePort;
const send = (message: LeafMessage): void =>
  port.postMessage(message, "addresses" in message ? [message.addresses.buffer as ArrayBuffer] : []);
let task: LeafTask | undefined;
installNodeAccelerators();

port.on("message", (message: Message) => {
  if ("file" in message) task = opened(message.file);
  else check(new Batches(message.batches.list, message.batches), message.checkpoint);
});

/** A thread that cannot open the file takes no batches: the others do it all. */
function opened(file: LeafFile): LeafTask | undefined {
  try {
    return new LeafTask(file);
  } catch {
    return undefined;
  }
}

/** Takes batches until there are none left. */
function check(batches: Batches, checkpoint: string | undefined): void {
  if (task === undefined) return;
  for (let batch = batches.take(); batch !== undefined; batch = batches.take()) {
    try {
      send(task.check(batches, batch, checkpoint));
    } catch (error) {
      send({ bug: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
    // Said in any case, or the other thread would wait for it.
    batches.done(batch);
  }
}
