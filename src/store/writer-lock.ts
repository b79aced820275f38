/**
 * One writer a directory. Each says that it is there by a file with its process id and start time in the name, and
 * then looks for others: of two that come at the same moment both may give way, but never both stay. Files of
 * processes that are gone are removed; a name is never used again, so that cannot hit a new one.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { PageLogError } from "./page-log-error.js";

const PREFIX = ".pugmark-writer-";
const NAME = /^\.pugmark-writer-(\d+)-(\d+)$/;

export class WriterLock {
  /** @throws PageLogError `locked`, with the process id of the other one. */
  static take(directory: string): WriterLock {
    const pid = process.pid;
    const own = `${PREFIX}${pid}-${startOf(pid) ?? 0}`;
    const file = join(directory, own);
    try {
      writeFileSync(file, `${hostname()}\n`, { flag: "wx" });
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === "EEXIST" ? locked(directory, pid) : error;
    }
    try {
      for (const name of readdirSync(directory)) if (name !== own) giveWayTo(directory, name);
      return new WriterLock(file);
    } catch (error) {
      rmSync(file, { force: true });
      throw error;
    }
  }

  private constructor(private readonly file: string) {}

  release(): void {
    rmSync(this.file, { force: true });
  }
}

function giveWayTo(directory: string, name: string): void {
  const [, pid, start] = NAME.exec(name) ?? [];
  if (pid === undefined || start === undefined) return;
  const file = join(directory, name);
  const host = hostOf(file);
  if (host === undefined) return;
  if (host !== "" && host !== hostname())
    throw new PageLogError(
      "locked",
      `being written by process ${pid} on ${host}; if that is gone, remove ${name}`,
      {
        file: directory,
      },
    );
  if (isRunning(Number(pid), start)) throw locked(directory, Number(pid));
  rmSync(file, { force: true });
}

const locked = (directory: string, pid: number): PageLogError =>
  new PageLogError("locked", `being written by process ${pid}`, { file: directory });

/** Empty when the owner was killed before it wrote it; undefined when the lock is gone. */
function hostOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}

function isRunning(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const now = startOf(pid);
  return now === undefined || now === start;
}

/** When a process was started, in clock ticks since boot; undefined where the system does not say. */
function startOf(pid: number): string | undefined {
  try {
    // Behind the name, which may hold anything: state is the first field, the start time the twentieth.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
