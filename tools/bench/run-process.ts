/** One run of a command: wall time and peak memory. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface ProcessRun {
  readonly seconds: number;
  /** Peak resident memory, bytes; undefined where the system does not tell. */
  readonly peak: number | undefined;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const GNU_TIME = "/usr/bin/time";
const MARK = "peak-kib=";
const POLL_MS = 2;
const KEPT = 64 * 1024;

/** How peak memory is found here, for the head of the table. */
export const peakMemorySource = existsSync(GNU_TIME)
  ? "the kernel's ru_maxrss through /usr/bin/time"
  : existsSync("/proc/self/status")
    ? `VmHWM of /proc, read every ${POLL_MS} ms (what grows in the last moment is missed)`
    : "not measured here";

/**
 * Runs a command to its end. GNU time is a small process, so the peak is the command's own: a child's ru_maxrss
 * begins with that of the process it was forked from, and Node is a large one. `input` is fed as fast as it is read;
 * rejects when the command succeeds without having read all of it. `output: "ignore"`: what it prints is lost.
 */
export function runProcess(
  command: readonly string[],
  { input, output = "pipe" }: { input?: Iterable<string>; output?: "pipe" | "ignore" } = {},
): Promise<ProcessRun> {
  const timed = existsSync(GNU_TIME);
  const [file, ...args] = timed ? [GNU_TIME, "-f", `${MARK}%M`, ...command] : command;
  return new Promise((resolve, reject) => {
    const started = process.hrtime.bigint();
    const child = spawn(file as string, args, { stdio: [input ? "pipe" : "ignore", output, "pipe"] });
    const stdout = child.stdout === null ? () => "" : lastOf(child.stdout);
    const stderr = lastOf(child.stderr as Readable);
    const polled = timed || child.pid === undefined ? undefined : watchPeak(child.pid);
    const fed = input && child.stdin ? pipeline(Readable.from(input), child.stdin) : Promise.resolve();
    fed.catch(() => {}); // a command that stopped reading says why by its exit code
    child.on("error", reject);
    child.on("close", (code) => {
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      const said = stderr();
      const peak = timed ? peakOf(said) : polled?.();
      const run = { seconds, peak, code, stdout: stdout(), stderr: withoutMark(said) };
      if (code === 0) fed.then(() => resolve(run), reject);
      else resolve(run);
    });
  });
}

/** Keeps the end of what a stream says. */
function lastOf(stream: Readable): () => string {
  let text = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    text = (text + chunk).slice(-KEPT);
  });
  return () => text;
}

function peakOf(stderr: string): number | undefined {
  const found = /peak-kib=(\d+)\s*$/.exec(stderr);
  return found === null ? undefined : Number(found[1]) * 1024;
}

const withoutMark = (stderr: string): string =>
  stderr
    .split("\n")
    .filter((line) => !line.startsWith(MARK) && !line.startsWith("Command exited with"))
    .join("\n")
    .trim();

/** The kernel's own high-water mark: reading it late loses nothing but the last interval. */
function watchPeak(pid: number): () => number | undefined {
  let peak: number | undefined;
  const look = (): void => {
    try {
      const found = /VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
      if (found !== null) peak = Number(found[1]) * 1024;
    } catch {
      // gone, or no /proc here: the last reading stands
    }
  };
  const timer = setInterval(look, POLL_MS);
  return () => {
    clearInterval(timer);
    return peak;
  };
}
