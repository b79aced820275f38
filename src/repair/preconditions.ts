/** What has to be true of a home before anything is written to it or to a copy of it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readTurtle, type Turtle } from "./classic/home.js";
import { RepairRefusal } from "./error.js";
import { lockState } from "./lock.js";
import { logState } from "./log-state.js";
import type { Precondition } from "./types.js";

/** With any of them the engine makes the metadata anew when it opens the home. */
const BACKUP_FILES = ["WiredTiger.backup", "WiredTiger.ibackup", "WiredTiger.isrc"];
const COMPLETE = /COMPLETE$/;

export interface HomeOptions {
  readonly forceUnlocked?: boolean | undefined;
}

/**
 * Every condition that can be seen without the metadata, all of them before the first is refused.
 * @throws RepairRefusal the first one that is not met, with the others in `more`
 */
export function checkHome(home: string, options: HomeOptions = {}): { turtle: Turtle; met: Precondition[] } {
  const met: Precondition[] = [];
  const refused: RepairRefusal[] = [];
  let turtle: Turtle | undefined;
  for (const check of [checkLock, checkLogs, checkBackup]) {
    const result = tried(() => check(home, options));
    if (result instanceof RepairRefusal) refused.push(result);
    else met.push(result);
  }
  const found = tried(() => checkTurtle(home));
  if (found instanceof RepairRefusal) refused.push(found);
  else {
    turtle = found.turtle;
    met.push(found.met);
  }
  const [first, ...more] = refused;
  if (first !== undefined) throw new RepairRefusal(first.code, first.message, more);
  return { turtle: turtle as Turtle, met };
}

function tried<T>(work: () => T): T | RepairRefusal {
  try {
    return work();
  } catch (error) {
    if (error instanceof RepairRefusal) return error;
    throw error;
  }
}

/** @throws RepairRefusal `engine-running`, `lock-unknown` */
export function checkLock(home: string, { forceUnlocked = false }: HomeOptions = {}): Precondition {
  const { state, evidence } = lockState(home);
  if (state === "held") throw new RepairRefusal("engine-running", `${home}: ${evidence}`);
  if (state === "unknown" && !forceUnlocked)
    throw new RepairRefusal(
      "lock-unknown",
      `${home}: ${evidence}; if you know that no engine runs: --force-unlocked`,
    );
  return { code: "engine-running", evidence: state === "unknown" ? `${evidence}; forced` : evidence };
}

/** @throws RepairRefusal `log-replay`, `log-unreadable` */
export function checkLogs(home: string): Precondition {
  const { state, evidence } = logState(home);
  if (state === "replay")
    throw new RepairRefusal(
      "log-replay",
      `${evidence}: let the engine open and close the directory once, then plan again`,
    );
  if (state === "unreadable") throw new RepairRefusal("log-unreadable", evidence);
  return { code: "log-replay", evidence };
}

function checkBackup(home: string): Precondition {
  const file = BACKUP_FILES.find((name) => existsSync(join(home, name)));
  if (file === undefined)
    return { code: "backup-metadata", evidence: `none of ${BACKUP_FILES.join(", ")} is there` };
  throw new RepairRefusal(
    "backup-metadata",
    `${join(home, file)}: the engine makes the metadata anew from it; open the backup with the engine once, then plan again`,
  );
}

function checkTurtle(home: string): { turtle: Turtle; met: Precondition } {
  const turtle = readTurtle(home);
  const state = turtle.value.liveRestore?.state;
  if (turtle.value.liveRestore !== undefined && !(state !== undefined && COMPLETE.test(state)))
    throw new RepairRefusal("live-restore", `${home}: a live restore is in state ${state ?? "unknown"}`);
  return { turtle, met: { code: "turtle-missing", evidence: "WiredTiger.turtle is there, read whole" } };
}
