/** The thread of a `Runner`: inputs in, outcomes out. Built to one CommonJS file beside the bundle of targets. */
import { parentPort } from "node:worker_threads";
import { targetByName } from "../targets/index.js";
import { type Outcome, READY, type RunRequest } from "./runner.js";
import { messageOf, signatureOf, stackOf } from "./signature.js";

function run({ target, input }: RunRequest): Outcome {
  try {
    targetByName(target)?.fuzz(input);
    return { kind: "fine" };
  } catch (error) {
    return {
      kind: "broken",
      signature: signatureOf(error),
      message: messageOf(error),
      stack: stackOf(error),
    };
  }
}

parentPort?.on("message", (request: RunRequest) => parentPort?.postMessage(run(request)));
parentPort?.postMessage(READY);
