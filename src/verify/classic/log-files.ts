/** The write-ahead log of a home: every record of every log file. */
import { join } from "node:path";
import { logFileName } from "../../../formats/log.js";
import { FileAccess } from "../../store/file.js";
import { inputErrorOf } from "../../store/input-error.js";
import { type LogFileEntry, readLogFile } from "../../store/log-file.js";
import { logRecords } from "../rules/classic/log-record.js";
import type { Detected, Run } from "../run.js";

/** Records that cannot be looked into for want of a plug-in. */
const UNCHECKED: ReadonlySet<string> = new Set(["log-encrypted", "no-compressor"]);
const LOST = "recovery stops here: later operations of this log are not replayed";

export function verifyLogs(home: string, files: readonly string[], run: Run, detected: Detected): void {
  for (const file of files.filter((name) => logFileName(name)?.kind === "log"))
    verifyLog(join(home, file), run, detected);
}

function verifyLog(path: string, run: Run, detected: Detected): void {
  let access: FileAccess;
  try {
    access = new FileAccess(path);
  } catch (error) {
    run.refused({ path }, inputErrorOf(path, error));
    return;
  }
  try {
    for (const entry of readLogFile(access)) report(entry, path, run, detected);
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
