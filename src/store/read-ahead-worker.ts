/** Program of a thread that reads ahead in a file. */
import { workerData } from "node:worker_threads";
import { FileAccess } from "./file.js";
import { end, type ReadAheadOrder, readAhead } from "./read-ahead.js";

const order = workerData as ReadAheadOrder;
try {
  const file = new FileAccess(order.path);
  // Another file may have taken its name.
  if (file.identity === order.identity) readAhead(order, file);
  else end(order.control);
} catch {
  // Whoever asked reads it without this thread, and meets the error where it can be told.
  end(order.control);
}
