/** The thread of a `JudgeThread`: homes in, judgements out. */
import { parentPort } from "node:worker_threads";
import { type JudgeRequest, judge } from "./judge.js";

parentPort?.on("message", async (request: JudgeRequest) => parentPort?.postMessage(await judge(request)));
