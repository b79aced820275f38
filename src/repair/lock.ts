/** Whether an engine has a home open: it holds a write lock on byte 0 of WiredTiger.lock, also when it only reads. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export interface LockState {
  readonly state: "free" | "held" | "unknown";
  readonly evidence: string;
}

const LOCK_FILE = "WiredTiger.lock";
const LINUX_LOCKS = "/proc/locks";

/** The lock as the kernel lists it; the file's existence means nothing. `table` is for tests. */
export function lockState(home: string, table: string = LINUX_LOCKS): LockState {
  const file = statSync(join(home, LOCK_FILE), { bigint: true, throwIfNoEntry: false });
  if (file === undefined) return { state: "free", evidence: `there is no ${LOCK_FILE}` };
  let text: string;
  try {
    text = readFileSync(table, "utf8");
  } catch {
    return {
      state: "unknown",
      evidence: `${table} cannot be read: locks of other processes cannot be seen here`,
    };
  }
  const holder = text
    .split("\n")
    .map(parseLock)
    .find((lock) => lock?.inode === file.ino && lock.from === "0");
  if (holder === undefined)
    return { state: "free", evidence: `${table} lists no lock on inode ${file.ino} (${LOCK_FILE})` };
  return {
    state: "held",
    evidence: `process ${holder.pid} holds a lock on inode ${file.ino} (${LOCK_FILE})`,
  };
}

/** `1: POSIX  ADVISORY  WRITE 123 08:01:456 0 0`; waiting ones have an arrow. */
function parseLock(line: string): { pid: string; inode: bigint; from: string } | undefined {
  const match = /^\d+: (?:POSIX|OFDLCK)\s+\S+\s+\S+\s+(-?\d+) [\da-f]+:[\da-f]+:(\d+) (\d+) /i.exec(line);
  if (match === null) return undefined;
  const [, pid, inode, from] = match as unknown as [string, string, string, string];
  return { pid, inode: BigInt(inode), from };
}
