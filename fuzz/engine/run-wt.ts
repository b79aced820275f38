/** The engine's own program under limits of time, memory and output. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";

export interface WtOutcome {
  readonly status: number | undefined;
  /** Set when it did not end by itself. */
  readonly died?: "hang" | "crash";
  readonly signal?: string;
  /** The first of what it says on standard error. */
  readonly message: string;
  /** SHA-256 of what follows the line `Data`. */
  readonly rows: string;
}

export interface WtLimits {
  /** Processor time of a command (default 20): on a busy machine its wall time says nothing, seconds. */
  readonly cpuSeconds?: number;
  /** Wall time (default 180), for commands that wait for ever; seconds. */
  readonly seconds?: number;
  /** Address space (default 2,048), MiB. */
  readonly memoryMiB?: number;
  /** The environment it is run in (default: this process's). */
  readonly env?: NodeJS.ProcessEnv;
}

const MAX_MESSAGE = 2000;
/** More output than this is a command without end, bytes. */
const MAX_OUTPUT = 256 << 20;
const DATA = Buffer.from("\nData\n");

export function runWt(
  args: readonly string[],
  { cpuSeconds = 20, seconds = 180, memoryMiB = 2048, env = process.env }: WtLimits = {},
): Promise<WtOutcome> {
  const limited = [
    "-c",
    `ulimit -c 0; ulimit -t ${cpuSeconds}; ulimit -v ${memoryMiB * 1024}; exec wt "$@"`,
    "wt",
    ...args,
  ];
  const child = spawn("sh", limited, { env, stdio: ["ignore", "pipe", "pipe"] });
  const rows = new RowsHash();
  let [printed, message, hung] = [0, "", false];
  const stop = (): void => {
    hung = true;
    child.kill("SIGKILL");
  };
  const timer = setTimeout(stop, seconds * 1000);
  child.stdout.on("data", (chunk: Buffer) => {
    printed += chunk.length;
    if (printed > MAX_OUTPUT) stop();
    else rows.add(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    if (message.length < MAX_MESSAGE) message += chunk.toString("latin1");
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      resolve({
        status: status ?? undefined,
        ...(signal === null ? {} : { signal, died: hung || signal === "SIGXCPU" ? "hang" : "crash" }),
        message: message.slice(0, MAX_MESSAGE),
        rows: rows.digest(),
      });
    });
  });
}

/** Hashes what follows the header of a dump, wherever chunks end. */
class RowsHash {
  private head: Buffer | undefined = Buffer.alloc(0);
  private readonly hash = createHash("sha256");

  add(chunk: Buffer): void {
    if (this.head === undefined) {
      this.hash.update(chunk);
      return;
    }
    this.head = Buffer.concat([this.head, chunk]);
    const at = this.head.indexOf(DATA);
    if (at < 0) return;
    this.hash.update(this.head.subarray(at + DATA.length));
    this.head = undefined;
  }

  digest(): string {
    return this.hash.digest("hex");
  }
}
