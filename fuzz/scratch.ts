/** Folders for a while. Campaigns kill processes, and are killed: what dead ones left is removed by the next. */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MEMORY = "/dev/shm";
/** For what writes and syncs often: in memory that costs nothing. */
export const inMemory = (): string => (existsSync(MEMORY) ? MEMORY : tmpdir());
/** Process ids of other containers mean nothing here: what was written into lately is left alone, milliseconds. */
const LATELY = 60_000;

/** Folders of this process; undefined before there are any. */
let own: Set<string> | undefined;

/** A new folder of this process in `root`, gone when it ends; its name begins with `prefix`. */
export function scratchFolder(prefix: string, root = tmpdir()): string {
  // Behind the process's id stands what makes folders of its threads different.
  const owner = new RegExp(`^${prefix}-(\\d+)-`);
  for (const name of readdirSync(root)) removeIfDead(join(root, name), owner.exec(name)?.[1]);
  const folder = mkdtempSync(join(root, `${prefix}-${process.pid}-`));
  remember(folder);
  return folder;
}

function remember(folder: string): void {
  if (own === undefined) {
    const folders = new Set<string>();
    process.once("exit", () => folders.forEach(remove));
    own = folders;
  }
  own.add(folder);
}

export function removeScratch(folder: string): void {
  own?.delete(folder);
  remove(folder);
}

const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true });

function removeIfDead(folder: string, pid: string | undefined): void {
  if (pid === undefined || isAlive(Number(pid))) return;
  const changed = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
  if (Date.now() - changed > LATELY) remove(folder);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
