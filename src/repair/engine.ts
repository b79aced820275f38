/** The real engine as a judge: its program opens the directory read-only and verifies tables. Nothing is changed. */
import { spawnSync } from "node:child_process";

export interface EngineVerdict {
  readonly command: string;
  readonly ok: boolean;
  /** Lines of errors; of a failure without one its exit code. */
  readonly errors: readonly string[];
}

const PROGRAM = "wt";
/**
 * Without mmap=false a read-only open of 3.2 and 12.0 does not look at checksums. With logging on, as the directory's
 * base configuration may have it, a read-only open of 3.2.1 removes a log file before it fails.
 */
export const READ_ONLY = "readonly=true,mmap=false,log=(enabled=false)";
/** Minutes an engine may wait for itself. */
const TIMEOUT_MS = 300_000;

/** Version of the engine's program; undefined when there is none. */
export function engineVersion(program: string = PROGRAM): string | undefined {
  const { error, stdout, stderr } = spawnSync(program, ["-V"], { encoding: "utf8" });
  return error === undefined ? /WiredTiger (\d+\.\d+\.\d+)/.exec(`${stdout}${stderr}`)?.[1] : undefined;
}

/** An exit code of 0 is not enough: some damage is only told in a line. */
export function runEngine(
  home: string,
  args: readonly string[],
  config = READ_ONLY,
  program: string = PROGRAM,
): EngineVerdict {
  const all = ["-C", config, "-h", home, ...args];
  const { status, signal, stderr, error } = spawnSync(program, all, {
    encoding: "utf8",
    timeout: TIMEOUT_MS,
    maxBuffer: 1 << 28,
  });
  const lines = (stderr ?? "").split("\n").filter((line) => line.trim() !== "");
  const ok = error === undefined && status === 0 && lines.length === 0;
  const why = error?.message ?? (signal === null ? `exit code ${status}` : `killed by ${signal}`);
  return { command: ["wt", ...all].join(" "), ok, errors: ok ? [] : lines.length > 0 ? lines : [why] };
}
