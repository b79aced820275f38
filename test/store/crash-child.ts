/** Writes a page log and is killed at a crash point of the second checkpoint; `hold`: only tries to open it. */
import { writeSync } from "node:fs";
import { MemoryPageLog } from "../../src/store/memory-page-log.js";
import { openWritablePageLog } from "../../src/store/open-writable.js";
import { PageLogError } from "../../src/store/page-log-error.js";
import { perform } from "../support/written-logs.js";
import { crashScript } from "./crash-script.js";

const [directory = "", death = ""] = process.argv.slice(2);
if (death === "hold") hold();
else die();

function hold(): void {
  try {
    openWritablePageLog(directory).close();
  } catch (error) {
    if (!(error instanceof PageLogError)) throw error;
    writeSync(1, `${error.code} ${/process (\d+)/.exec(error.message)?.[1]}`);
  }
}

function die(): void {
  let [completed, step] = [0, 0];
  const log = openWritablePageLog(directory, {
    create: true,
    batchBytes: 0,
    onCrashPoint: (point) => {
      if (point !== death || completed < 1) return;
      // What is told has happened.
      writeSync(1, `${completed} ${step}`);
      process.kill(process.pid, "SIGKILL");
    },
  });
  const model = new MemoryPageLog();
  for (const begun of [log, model]) begun.beginCheckpoint();
  for (const operation of crashScript) {
    perform(operation, model, [log]);
    step++;
    if (operation.what === "complete") completed++;
  }
}
