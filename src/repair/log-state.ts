/** Whether the logs of a home have operations that recovery would replay over a repair. */
import { FileAccess } from "../store/file.js";
import { type LogFileEntry, readLogFile } from "../store/log-file.js";
import { logFilesIn, logFolders } from "../store/log-folders.js";

export interface LogState {
  readonly state: "clean" | "replay" | "unreadable";
  readonly evidence: string;
}

/** File number and offset: the order of a log. */
interface Position {
  readonly file: number;
  readonly offset: number;
}

const before = (a: Position, b: Position): boolean =>
  a.file < b.file || (a.file === b.file && a.offset < b.offset);
const show = ({ file, offset }: Position): string => `(${file},${offset})`;

/**
 * The last checkpoint record says from where on recovery reads: behind a clean close only the engine's own notes
 * follow, behind a killed engine the commits to replay.
 */
export function logState(home: string): LogState {
  const states = logFolders(home)
    .map((folder) => folderState(folder))
    .filter((state) => state !== undefined);
  const [worst] = [...states].sort((a, b) => ORDER.indexOf(b.state) - ORDER.indexOf(a.state));
  return worst ?? { state: "clean", evidence: "there are no log files" };
}
const ORDER: ReadonlyArray<LogState["state"]> = ["clean", "unreadable", "replay"];

function folderState(folder: string): LogState | undefined {
  const files = logFilesIn(folder);
  if (files.length === 0) return undefined;
  const scan = new LogScan();
  for (const { path, number } of files) {
    const access = new FileAccess(path);
    try {
      for (const entry of readLogFile(access)) scan.add(entry, number);
    } finally {
      access.close();
    }
  }
  return scan.state(`${files.length} log files in ${folder}`);
}

class LogScan {
  /** Where recovery begins. */
  private from: Position = { file: 0, offset: 0 };
  private checkpoints = 0;
  private lastCommit: Position | undefined;
  private lastDoubt: Position | undefined;

  add(entry: LogFileEntry, file: number): void {
    const at = { file, offset: entry.offset };
    if (entry.kind === "gap") {
      if (entry.issues.some(({ severity }) => severity === "error")) this.lastDoubt = at;
      return;
    }
    if (entry.behindEnd) return;
    const { content } = entry;
    if (content?.kind === "checkpoint") {
      this.from = content.lsn;
      this.checkpoints++;
    } else if (content?.kind === "commit") this.lastCommit = at;
    else if (content === undefined || content.kind === "unknown") this.lastDoubt = at;
  }

  state(where: string): LogState {
    const { from, lastCommit, lastDoubt, checkpoints } = this;
    const begin =
      checkpoints === 0 ? "no checkpoint record" : `last checkpoint record: recovery begins at ${show(from)}`;
    if (lastCommit !== undefined && !before(lastCommit, from))
      return {
        state: "replay",
        evidence: `${where}: ${begin}, but there is a commit at ${show(lastCommit)}`,
      };
    if (lastDoubt !== undefined && !before(lastDoubt, from))
      return {
        state: "unreadable",
        evidence: `${where}: ${begin}, but what is at ${show(lastDoubt)} cannot be read`,
      };
    return { state: "clean", evidence: `${where}: ${begin}, no commit follows` };
  }
}
