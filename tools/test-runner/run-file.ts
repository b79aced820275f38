/** Runs one test file in a process of its own and turns whatever happens to it into passes, failures, skips. */
import { type ChildProcess, spawn } from "node:child_process";
import { extname } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath, pathToFileURL } from "node:url";
import { EVENT_FD, type Need, type TestEvent } from "./protocol.js";

export interface Failure {
  name: string;
  detail: string;
}

export interface Skip {
  name: string;
  reason: string;
  needs: Need;
}

export interface FileResult {
  passed: number;
  failures: Failure[];
  skips: Skip[];
  /** What the file printed, cut at `OUTPUT_LIMIT` characters. */
  output: string;
  milliseconds: number;
}

export interface RunFileOptions {
  timeoutMs: number;
  cwd: string;
}

const OUTPUT_LIMIT = 64 * 1024;
/** A file whose tests are done but which keeps the process alive leaks a handle. */
const EXIT_GRACE_MS = 30_000;
const HEAP_LIMIT_MB = 2048;

const child = fileURLToPath(new URL(`./child${extname(import.meta.url)}`, import.meta.url));
const alive = new Set<ChildProcess>();

export async function runFile(file: string, options: RunFileOptions): Promise<FileResult> {
  const started = performance.now();
  const tally = new Tally();
  const running = spawn(
    process.execPath,
    [
      ...process.execArgv,
      "--enable-source-maps",
      `--max-old-space-size=${HEAP_LIMIT_MB}`,
      child,
      pathToFileURL(file).href,
    ],
    // A process group of its own, so that what the tests start ends with them.
    { cwd: options.cwd, stdio: ["ignore", "pipe", "pipe", "pipe"], detached: process.platform !== "win32" },
  );
  alive.add(running);

  const deadline = new Deadline(running, options.timeoutMs, `timed out after ${options.timeoutMs / 1000} s`);
  let output = "";
  const keep = (text: string): void => {
    if (output.length < OUTPUT_LIMIT) output += text;
  };
  running.stdout?.setEncoding("utf8").on("data", keep);
  running.stderr?.setEncoding("utf8").on("data", keep);
  readLines(running.stdio?.[EVENT_FD] as Readable | undefined, (line) => {
    tally.add(JSON.parse(line) as TestEvent);
    if (tally.finished)
      deadline.reset(EXIT_GRACE_MS, "did not exit after its last test: a handle is left open");
  });

  const ending = await ended(running);
  deadline.clear();
  killGroup(running);
  alive.delete(running);
  tally.close(deadline.passed ?? ending);
  const { passed, failures, skips } = tally;
  return { passed, failures, skips, output, milliseconds: performance.now() - started };
}

/** Ends every test process; for the runner's own interruption. */
export function killAll(): void {
  for (const running of alive) killGroup(running);
}

class Tally {
  passed = 0;
  readonly failures: Failure[] = [];
  readonly skips: Skip[] = [];
  finished = false;
  #current: string | undefined;

  add(event: TestEvent): void {
    if (event.kind === "start") {
      this.#current = event.name;
      return;
    }
    this.#current = undefined;
    if (event.kind === "pass") this.passed++;
    else if (event.kind === "fail") this.failures.push({ name: event.name, detail: event.detail });
    else if (event.kind === "skip")
      this.skips.push({ name: event.name, reason: event.reason, needs: event.needs });
    else this.#finish(event.registered);
  }

  #finish(registered: number): void {
    this.finished = true;
    if (registered === 0 && this.skips.length === 0) this.#fail("holds no test");
  }

  /** `problem` is why the process ended, when that was not simply exit code 0. */
  close(problem: string | undefined): void {
    if (!this.finished) {
      const where = this.#current === undefined ? "" : ` (while running "${this.#current}")`;
      this.#fail(`ended before its tests were finished${where}: ${problem ?? "exit code 0"}`);
    } else if (problem !== undefined && this.failures.length === 0) {
      this.#fail(problem);
    }
  }

  #fail(detail: string): void {
    this.failures.push({ name: "(file)", detail });
  }
}

/** Kills the process when its time is over, and remembers why. */
class Deadline {
  passed: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly running: ChildProcess,
    ms: number,
    reason: string,
  ) {
    this.reset(ms, reason);
  }

  reset(ms: number, reason: string): void {
    this.clear();
    this.#timer = setTimeout(() => {
      this.passed = reason;
      killGroup(this.running);
    }, ms);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}

function ended(running: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    running.once("error", (error) => resolve(`could not be started: ${error.message}`));
    // "exit", not "close": a process the tests left behind may hold the pipes open for ever. What was
    // written before the exit is still read below.
    running.once("exit", (code, signal) => {
      const problem = signal ? `ended by ${signal}` : code === 0 ? undefined : `exit code ${code}`;
      drained(running).then(() => resolve(problem));
    });
  });
}

/** Resolves when all pipes are at their end, or soon after when somebody else keeps them open. */
function drained(running: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const giveUp = setTimeout(resolve, 2000);
    running.once("close", () => {
      clearTimeout(giveUp);
      resolve();
    });
    killGroup(running);
  });
}

function killGroup(running: ChildProcess): void {
  if (running.pid === undefined) return;
  try {
    if (process.platform === "win32") running.kill("SIGKILL");
    else process.kill(-running.pid, "SIGKILL");
  } catch (error) {
    // ESRCH, and EPERM on macOS: the whole group has already gone, which is what is wanted.
    if (!["ESRCH", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

function readLines(stream: Readable | undefined, onLine: (line: string) => void): void {
  let rest = "";
  stream?.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
}
