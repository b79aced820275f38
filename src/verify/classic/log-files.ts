/** The write-ahead log of a home: every record of every log file. */
import { FileAccess } from "../../store/file.js";
import { inputErrorOf } from "../../store/input-error.js";
import { type LogFileEntry, readLogFile } from "../../store/log-file.js";
import { logFilesIn, logFolders } from "../../store/log-folders.js";
import type { LogPosition } from "../../tree/table-config.js";
import { logRecords } from "../rules/classic/log-record.js";
import { logSequence } from "../rules/classic/log-sequence.js";
import type { Detected, Run } from "../run.js";
import { LogReplay } from "./log-replay.js";

/** Records that cannot be looked into for want of a plug-in. */
const UNCHECKED: ReadonlySet<string> = new Set(["log-encrypted", "no-compressor"]);
const LOST = "recovery stops here: later operations of this log are not replayed";

/** `named`: the last position in the log that the metadata names. */
export function verifyLogs(home: string, named: LogPosition | undefined, run: Run, detected: Detected): void {
  let end: LogEnd | undefined;
  for (const folder of logFolders(home)) {
    const replay = new LogReplay();
    let before: number | undefined;
    for (const { path, number } of logFilesIn(folder)) {
      if (before !== undefined && number > before + 1) reportGap(path, before + 1, number, run);
      before = number;
      const offset = verifyLog(path, number, run, detected, replay);
      if (end === undefined || number >= end.file) end = { path, file: number, offset };
    }
    replay.report(run.findings);
  }
  if (named !== undefined) checkEnd(home, end, named, run);
}

interface LogEnd extends LogPosition {
  readonly path: string;
}

/** A log that was cut, emptied or taken away: what was logged behind the checkpoint cannot be replayed. */
function checkEnd(home: string, end: LogEnd | undefined, named: LogPosition, run: Run): void {
  if (end !== undefined && (end.file > named.file || (end.file === named.file && end.offset >= named.offset)))
    return;
  const at = `(${named.file},${named.offset})`;
  run.findings.add(logSequence, end === undefined ? { path: home } : { path: end.path, offset: end.offset }, {
    message:
      end === undefined
        ? `the metadata names position ${at} of the log, and there are no log files`
        : `the log ends at (${end.file},${end.offset}), in front of position ${at}, which the metadata names`,
    expected: at,
    consequence: "operations behind the last checkpoint, if there were any, cannot be replayed",
  });
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

/** Returns where its records end. */
function verifyLog(path: string, number: number, run: Run, detected: Detected, replay: LogReplay): number {
  let access: FileAccess;
  let end = 0;
  try {
    access = new FileAccess(path);
  } catch (error) {
    run.refused({ path }, inputErrorOf(path, error));
    return Number.POSITIVE_INFINITY;
  }
  try {
    for (const entry of readLogFile(access)) {
      report(entry, path, run, detected);
      if (entry.kind !== "record") continue;
      replay.add(number, path, entry);
      if (!entry.behindEnd) end = entry.offset + entry.length;
    }
    if (end === 0) reportEmpty(path, access.size, run);
    return end;
  } finally {
    access.close();
  }
}

/** The engine makes a log file under another name and renames it when its first record is written. */
function reportEmpty(path: string, size: number, run: Run): void {
  run.findings.add(
    logRecords,
    { path, offset: 0 },
    {
      message: `a log file without a record: ${size === 0 ? "it is empty" : `${size} bytes, none of them a record`}`,
      expected: "its description as the first record",
      consequence: "the engine refuses to open the database, or replays nothing of this file",
    },
  );
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
