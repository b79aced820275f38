/** Whether opening a home replays its log: counts the commits behind the last checkpoint of all log files. */
import type { LogFileRecord } from "../../store/log-file.js";
import type { FindingPlace, Findings } from "../rule.js";
import { logReplay } from "../rules/classic/log-replay.js";

interface Commits {
  readonly file: number;
  readonly path: string;
  readonly offsets: number[];
}

export class LogReplay {
  /** Commits that may be behind the last checkpoint, a file each. */
  private files: Commits[] = [];

  /** Takes the records of all files, oldest first. */
  add(file: number, path: string, { content, offset, behindEnd }: LogFileRecord): void {
    if (behindEnd || content === undefined) return;
    if (content.kind === "commit") this.addCommit(file, path, offset);
    // A checkpoint says from where on it does not cover the log.
    else if (content.kind === "checkpoint") this.forget(content.lsn.file, Number(content.lsn.offset));
  }

  private addCommit(file: number, path: string, offset: number): void {
    if (this.files.at(-1)?.file !== file) this.files.push({ file, path, offsets: [] });
    this.files.at(-1)?.offsets.push(offset);
  }

  private forget(file: number, offset: number): void {
    this.files = this.files.filter((commits) => commits.file >= file);
    const [oldest] = this.files;
    if (oldest?.file !== file) return;
    const kept = oldest.offsets.filter((at) => at >= offset);
    this.files[0] = { ...oldest, offsets: kept };
  }

  report(findings: Findings): void {
    const left = this.files.filter(({ offsets }) => offsets.length > 0);
    const [oldest] = left;
    if (oldest === undefined) return;
    const count = left.reduce((sum, { offsets }) => sum + offsets.length, 0);
    const place: FindingPlace = { path: oldest.path, offset: oldest.offsets[0] as number };
    findings.add(logReplay, place, {
      message: `the log holds ${count} committed records behind the last checkpoint: opening the home replays them`,
      actual: count,
      hint: "rows of these commits are not in the tables yet, and are not dumped",
    });
  }
}
