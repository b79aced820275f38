/** One target fuzzed by jsfuzz for a while, in processes of its own that are taken down whatever they do. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removeScratch, scratchFolder } from "../scratch.js";
import { builtFile, jsfuzzProgram } from "./bundle.js";
import { type FindingNote, SEED_VARIABLE, SETTINGS_VARIABLE, type TargetSettings } from "./settings.js";

export interface SliceOptions extends TargetSettings {
  /** Inputs to begin with; those that reach something new are added. */
  readonly corpus: string;
  /** From the first execution on. */
  readonly seconds: number;
  readonly seed: number;
  /** Inputs may make a process take this much memory above what it has from the start, MiB. */
  readonly memoryMiB: number;
  /** Inputs run so far; every few seconds. */
  readonly onProgress?: (executions: number) => void;
}

export interface SliceResult {
  readonly executions: number;
  /** Wall time from the first to the last execution, seconds. */
  readonly seconds: number;
  /** Processor time spent on inputs, seconds; jsfuzz's own is not counted. */
  readonly processorSeconds: number;
  /** Wall time before that. */
  readonly startSeconds: number;
  /** Inputs that reached something new, and what jsfuzz started with. */
  readonly discoveries: number;
  /** Why no input was run, or what was said last: only then. */
  readonly ended?: string;
}

/** Time for loading the targets, on a busy machine, seconds. */
const START_SECONDS = 300;
/** jsfuzz measures wall time, which passes while a machine is suspended or busy; the watchdog does not. Seconds. */
const JSFUZZ_TIMEOUT = 24 * 3600;
/** What a process takes with all targets, their counters and jsfuzz loaded, MiB. */
const OWN_MEMORY = 384;
/** A target may print; more than this in a slice and its process is ended, bytes. */
const MAX_OUTPUT = 16 << 20;
const MAX_LINE = 4096;

export function runSlice(options: SliceOptions, signal: AbortSignal): Promise<SliceResult> {
  return new Slice(options).run(signal);
}

class Slice {
  private executions = 0;
  private discoveries = 0;
  private processorSeconds = 0;
  private printed = 0;
  private line = "";
  private lastLine = "";
  private readonly launched = performance.now();
  private started = 0;
  /** The process was lost: hang, memory, or a crash below JavaScript. */
  private lost: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  private onStart: () => void = () => {};
  private readonly artefact: string;
  /** What the target leaves in its temporary folder goes with it. */
  private readonly temporary = scratchFolder("pugmark-fuzz");

  constructor(private readonly options: SliceOptions) {
    this.artefact = join(options.findings, `${options.target}.lost`);
  }

  async run(signal: AbortSignal): Promise<SliceResult> {
    const { options } = this;
    mkdirSync(options.findings, { recursive: true });
    rmSync(this.artefact, { force: true });
    const child = this.start();
    const stop = (): void => kill(child);
    this.timer = setTimeout(() => this.neverStarted(child), START_SECONDS * 1000);
    this.onStart = (): void => {
      clearTimeout(this.timer);
      this.timer = setTimeout(stop, options.seconds * 1000);
    };
    signal.addEventListener("abort", stop, { once: true });
    await new Promise<void>((resolve) => child.once("close", () => resolve()));
    clearTimeout(this.timer);
    signal.removeEventListener("abort", stop);
    kill(child);
    removeScratch(this.temporary);
    this.keepLost();
    const seconds = this.started === 0 ? 0 : (performance.now() - this.started) / 1000;
    const startSeconds = ((this.started || performance.now()) - this.launched) / 1000;
    const { executions, discoveries, processorSeconds, lost } = this;
    const ended = this.started === 0 && !signal.aborted ? (lost ?? this.lastLine) : undefined;
    return {
      executions,
      seconds,
      processorSeconds,
      startSeconds,
      discoveries,
      ...(ended === undefined ? {} : { ended }),
    };
  }

  private neverStarted(child: ChildProcess): void {
    this.lost = `not started within ${START_SECONDS} s: ${this.lastLine}`;
    kill(child);
  }

  private start(): ChildProcess {
    const { target, bundle, findings, known, keepGoing, corpus, seed, inputSeconds, memoryMiB } =
      this.options;
    const settings: TargetSettings = { target, bundle, findings, known, keepGoing, inputSeconds };
    const flags = [
      `--timeout=${JSFUZZ_TIMEOUT}`,
      `--rss-limit-mb=${OWN_MEMORY + memoryMiB}`,
      "--versifier=false",
    ];
    const args = [jsfuzzProgram(), TARGET_FILE, corpus, ...flags, `--exact-artifact-path=${this.artefact}`];
    const child = spawn(process.execPath, args, {
      // jsfuzz puts its target's path behind the working directory, and leaves a coverage file there.
      cwd: builtFile("fuzz"),
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        [SETTINGS_VARIABLE]: JSON.stringify(settings),
        [SEED_VARIABLE]: String(seed),
        TMPDIR: this.temporary,
        NODE_OPTIONS: `--require=${JSON.stringify(builtFile("fuzz", "preload.cjs"))} --no-warnings`,
      },
    });
    child.stdout?.on("data", (chunk: Buffer) => this.read(child, chunk));
    child.stderr?.on("data", (chunk: Buffer) => this.read(child, chunk));
    return child;
  }

  private read(child: ChildProcess, chunk: Buffer): void {
    this.printed += chunk.length;
    if (this.printed > MAX_OUTPUT) {
      this.lost ??= "prints without end";
      kill(child);
      return;
    }
    const lines = (this.line + chunk.toString("latin1")).split("\n");
    this.line = (lines.pop() ?? "").slice(-MAX_LINE);
    for (const line of lines) this.readLine(line);
  }

  private readLine(line: string): void {
    this.lastLine = line;
    const status = /^#(\d+) (NEW|PULSE)/.exec(line);
    if (status !== null) {
      this.executions = Math.max(this.executions, Number(status[1]));
      if (status[2] === "NEW") this.discoveries++;
      this.options.onProgress?.(this.executions);
      if (this.started !== 0 || this.executions === 0) return;
      this.started = performance.now();
      this.onStart();
    } else if (/^processor time \d/.test(line))
      this.processorSeconds = Number(line.slice("processor time ".length));
    else if (/^timeout reached/.test(line)) this.lost = "an input takes too long";
    else if (/^MEMORY OOM|heap out of memory/.test(line)) this.lost = "takes too much memory";
    else if (/^Worker killed/.test(line)) this.lost ??= "the process died";
  }

  /** The input that took its process with it becomes a finding like any other. */
  private keepLost(): void {
    if (!existsSync(this.artefact)) return;
    const { target, findings } = this.options;
    const input = readFileSync(this.artefact);
    rmSync(this.artefact);
    if (this.lost === undefined) return;
    const name = `${target}-${createHash("sha256").update(input).digest("hex").slice(0, 16)}`;
    const note: FindingNote = { target, signature: `lost: ${this.lost}`, message: this.lost, stack: "" };
    writeFileSync(join(findings, name), input);
    writeFileSync(join(findings, `${name}.json`), JSON.stringify(note));
  }
}

const TARGET_FILE = "jsfuzz-target.cjs";

/** jsfuzz and its worker are one process group. */
function kill(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It is gone already.
  }
}
