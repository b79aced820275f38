/** Folders that targets write into. A campaign kills its processes, so what dead ones left is removed by the next. */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A repair writes and syncs often: in memory that costs nothing. */
const IN_MEMORY = "/dev/shm";
const PREFIX = "pugmark-repair-";
/** Folder of a process; behind its id what makes folders of its threads different. */
const OWNER = new RegExp(`^${PREFIX}(\\d+)-`);
/** Process ids of other containers mean nothing here: what was written into lately is left alone, milliseconds. */
const LATELY = 60_000;

/** A new folder of this process, gone when it ends. */
export function scratchFolder(root = existsSync(IN_MEMORY) ? IN_MEMORY : tmpdir()): string {
  for (const name of readdirSync(root)) removeIfDead(join(root, name), OWNER.exec(name)?.[1]);
  const folder = mkdtempSync(join(root, `${PREFIX}${process.pid}-`));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function removeIfDead(folder: string, pid: string | undefined): void {
  if (pid === undefined || isAlive(Number(pid))) return;
  const changed = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
  if (Date.now() - changed > LATELY) rmSync(folder, { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
