/** The write-ahead log of a home: every record of every log file. */
import { FileAccess } from "../../store/file.js";
import { inputErrorOf } from "../../store/input-error.js";
import { type LogFileEntry, readLogFile } from "../../store/log-file.js";
import { logFilesIn, logFolders } from "../../store/log-folders.js";
import { logRecords } from "../rules/classic/log-record.js";
import { logSequence } from "../rules/classic/log-sequence.js";
import type { Detected, Run } from "../run.js";
import { LogReplay } from "./log-replay.js";

/** Records that cannot be looked into for want of a plug-in. */
const UNCHECKED: ReadonlySet<string> = new Set(["log-encrypted", "no-compressor"]);
const LOST = "recovery stops here: later operations of this log are not replayed";

export function verifyLogs(home: string, run: Run, detected: Detected): void {
  for (const folder of logFolders(home)) {
    const replay = new LogReplay();
    let before: number | undefined;
    for (const { path, number } of logFilesIn(folder)) {
      if (before !== undefined && number > before + 1) reportGap(path, before + 1, number, run);
      before = number;
      verifyLog(path, number, run, detected, replay);
    }
    replay.report(run.findings);
  }
}

function reportGap(path: string, from: number, next: number, run: Run): void {
  const missing = next - from === 1 ? `log file ${from} is` : `log files ${from} to ${next - 1} are`;
  run.findings.add(
    logSequence,
    { path },
    {
      message: `${missing} missing`,
      expected: from,
      actual: next,
      consequence: "operations in the missing part cannot be replayed",
    },
  );
}

function verifyLog(path: string, number: number, run: Run, detected: Detected, replay: LogReplay): void {
  let access: FileAccess;
  try {
    access = new FileAccess(path);
  } catch (error) {
    run.refused({ path }, inputErrorOf(path, error));
    return;
  }
  try {
    for (const entry of readLogFile(access)) {
      report(entry, path, run, detected);
      if (entry.kind === "record") replay.add(number, path, entry);
    }
  } finally {
    access.close();
  }
}

function report(entry: LogFileEntry, path: string, run: Run, detected: Detected): void {
  run.checked(0, entry.length);
  if (entry.kind === "record" && entry.compressor !== undefined) detected.compressors.add(entry.compressor);
  for (const issue of entry.issues) {
    const place = { path, offset: entry.offset };
    if (UNCHECKED.has(issue.code)) run.unchecked(place, `a log record is not checked: ${issue.message}`);
    else run.findings.addIssues(logRecords, place, [issue], { consequence: LOST, offsets: "file" });
  }
}
