/** An in-place repair taken back: every byte is again what it was. */
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { METADATA_FILE, readTurtle } from "./classic/home.js";
import { publishTurtle, syncDirectory, TURTLE_SET, truncateMetadata, UNFINISHED } from "./durable.js";
import { RepairRefusal } from "./error.js";
import { type RepairJournal, readJournal } from "./journal.js";
import type { RepairHook } from "./points.js";
import { checkLock, checkLogs } from "./preconditions.js";
import { sha256 } from "./prepare.js";

export interface UndoOptions {
  /** The directory, where it is not the one the journal names. */
  readonly path?: string;
  readonly forceUnlocked?: boolean;
  readonly onPoint?: RepairHook;
}

export interface UndoneRepair {
  readonly path: string;
  readonly journal: RepairJournal;
  /** False: the repair had been broken off before it was published. */
  readonly published: boolean;
}

/**
 * Takes an in-place repair back, also one that was broken off. Can be repeated when it was broken off itself.
 * @throws RepairRefusal `undo-changed` when the engine has written since, `undo-done`
 */
export function undoRepair(journalPath: string, options: UndoOptions = {}): UndoneRepair {
  const journal = readJournal(journalPath);
  const home = options.path ?? journal.path;
  const { onPoint = () => {} } = options;
  checkLock(home, options);
  checkLogs(home);
  const { turtle, metadata, files } = journal.plan;
  const current = readTurtle(home).text;
  const published = current === turtle.after;
  if (!published && current !== turtle.before)
    throw changed(`${home}: the turtle file is neither the one before nor the one after the repair`);
  const length = statSync(join(home, METADATA_FILE)).size;
  checkTail(home, journal, length, published);
  const placed = files.filter(({ name }) => existsSync(join(home, name)));
  for (const { name, sha256: hash } of placed)
    if (sha256(readFileSync(join(home, name))) !== hash)
      throw changed(`${join(home, name)} was written since`);
  const unfinished = files
    .map(({ name }) => name + UNFINISHED)
    .filter((name) => existsSync(join(home, name)));
  if (
    !published &&
    length === metadata.length.before &&
    placed.length + unfinished.length === 0 &&
    setIsOld(home, journal)
  )
    throw new RepairRefusal("undo-done", `${home} is in the state before the repair`);
  if (published) {
    const points = { before: "undo-before-publish", after: "undo-after-publish" } as const;
    const publication = { before: turtle.after, after: turtle.before };
    publishTurtle(home, publication, () => void checkLock(home, options), onPoint, points);
  }
  if (length !== metadata.length.before) truncateMetadata(home, metadata.length.before);
  onPoint("undo-truncated");
  for (const name of [...placed.map((file) => file.name), ...unfinished]) rmSync(join(home, name));
  restoreSet(home, journal);
  syncDirectory(home);
  onPoint("undo-done");
  return { path: home, journal, published };
}

const changed = (message: string): RepairRefusal => new RepairRefusal("undo-changed", message);

/** Of a published repair every block has to be as it was written; of another one the file has only grown. */
function checkTail(
  home: string,
  { plan, tailSha256 }: RepairJournal,
  length: number,
  published: boolean,
): void {
  const { before, after } = plan.metadata.length;
  const path = join(home, METADATA_FILE);
  if (!published) {
    if (length < before) throw changed(`${path} has ${length} bytes, before the repair it had ${before}`);
    return;
  }
  if (length !== after) throw changed(`${path} has ${length} bytes, after the repair it had ${after}`);
  const [first] = plan.metadata.blocks;
  const start = first?.offset ?? after;
  const bytes = new Uint8Array(after - start);
  const handle = openSync(path, "r");
  try {
    for (let done = 0; done < bytes.length; )
      done += readSync(handle, bytes, done, bytes.length - done, start + done) || bytes.length;
  } finally {
    closeSync(handle);
  }
  if (sha256(bytes) !== tailSha256) throw changed(`${path}: the repair's blocks were written over`);
}

function setIsOld(home: string, { turtleSet }: RepairJournal): boolean {
  const path = join(home, TURTLE_SET);
  return existsSync(path) ? readFileSync(path).toString("base64") === turtleSet : turtleSet === null;
}

/** What a killed engine had left is put back. */
function restoreSet(home: string, { turtleSet }: RepairJournal): void {
  const path = join(home, TURTLE_SET);
  if (turtleSet === null) rmSync(path, { force: true });
  else writeFileSync(path, Buffer.from(turtleSet, "base64"));
}
