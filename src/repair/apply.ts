/** A plan carried out: on a copy, or in place with a journal. */
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { encodeText } from "../codec/text.js";
import { readTurtle } from "./classic/home.js";
import { placeFile, placeTable, publishTurtle, syncDirectory, writeTail } from "./durable.js";
import { RepairRefusal } from "./error.js";
import { checkJournalPath, defaultJournal, journalOf } from "./journal.js";
import { isInside, parentOf } from "./places.js";
import { sameRepair } from "./plan-document.js";
import type { RepairHook } from "./points.js";
import { checkLock } from "./preconditions.js";
import { type PreparedRepair, prepareRepair } from "./prepare.js";
import type { RepairPlan } from "./types.js";

export interface ApplyOptions {
  /** The directory, where it is not the one the plan names. */
  readonly path?: string;
  /** A directory that does not exist: the repaired copy. Without it the repair is made in place. */
  readonly output?: string;
  /** Journal of an in-place repair (default: beside the directory). */
  readonly journal?: string;
  readonly forceUnlocked?: boolean;
  /** Called at every point; a test stops there. */
  readonly onPoint?: RepairHook;
}

export interface AppliedRepair {
  readonly plan: RepairPlan;
  /** The repaired directory. */
  readonly path: string;
  /** Of an in-place repair. */
  readonly journal?: string;
}

/**
 * Carries a plan out. It is made again from its edits first: a plan that is not what they lead to in this directory is
 * refused, and nothing is written.
 * @throws RepairRefusal
 */
export function applyRepair(plan: RepairPlan, options: ApplyOptions = {}): AppliedRepair {
  const { output, onPoint = () => {} } = options;
  const prepared = prepareAgain(plan, options);
  const home = prepared.plan.path;
  if (output === undefined) return applyInPlace(home, prepared, options, onPoint);
  const target = checkOutput(output, home);
  const copy = join(dirname(target), `.${basename(target)}.${process.pid}.repair-unfinished`);
  try {
    copyDirectory(home, copy);
    if (readTurtle(home).text !== prepared.plan.turtle.before)
      throw new RepairRefusal("directory-changed", `${home} was written while it was copied`);
    writeRepair(copy, prepared, onPoint, () => {});
    renameSync(copy, target);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
  syncDirectory(dirname(target));
  return { plan: prepared.plan, path: target };
}

function prepareAgain(plan: RepairPlan, { path, forceUnlocked }: ApplyOptions): PreparedRepair {
  const home = path ?? plan.path;
  checkLock(home, { forceUnlocked });
  const { text } = readTurtle(home);
  if (text === plan.turtle.after)
    throw new RepairRefusal("plan-applied", `${home} is in the state the plan leads to`);
  if (text !== plan.turtle.before)
    throw new RepairRefusal(
      "plan-other-directory",
      `${home}: the turtle file is not the one the plan was made for`,
    );
  const prepared = prepareRepair(home, plan.edits, {
    ...plan.options,
    ...(forceUnlocked && { forceUnlocked }),
  });
  if (sameRepair(prepared.plan, plan)) return prepared;
  throw new RepairRefusal(
    "plan-altered",
    "the plan was changed by hand, or files it rests on are other ones now: plan again",
  );
}

function applyInPlace(
  home: string,
  prepared: PreparedRepair,
  options: ApplyOptions,
  hook: RepairHook,
): AppliedRepair {
  const journal = resolve(options.journal ?? defaultJournal(home));
  checkJournalPath(journal, home);
  const text = `${JSON.stringify(journalOf(home, prepared), undefined, 2)}\n`;
  placeFile(
    journal,
    encodeText(text),
    hook,
    { half: "journal-half", placed: "journal-written" },
    "journal-exists",
  );
  writeRepair(home, prepared, hook, () => void checkLock(home, options));
  return { plan: prepared.plan, path: home, journal };
}

/** New files first, then the blocks nothing names yet, then the turtle that names them. */
function writeRepair(
  home: string,
  { plan, tail, files }: PreparedRepair,
  hook: RepairHook,
  checkUnused: () => void,
): void {
  for (const file of files) placeTable(home, file, hook);
  checkUnused();
  writeTail(home, tail.blocks, tail.fileSize, hook);
  const points = {
    half: "turtle-half",
    written: "turtle-written",
    before: "before-publish",
    after: "after-publish",
  } as const;
  publishTurtle(home, plan.turtle, checkUnused, hook, points);
  hook("directory-synced");
}

/** The absolute path of a directory that can be made. */
function checkOutput(output: string, home: string): string {
  const target = resolve(output);
  if (existsSync(target)) throw new RepairRefusal("output-exists", `${output} is there already`);
  const parent = parentOf(target);
  if (isInside(parent, home))
    throw new RepairRefusal("output-exists", `${output} lies inside ${home}, where nothing is written`);
  return join(parent, basename(target));
}

function copyDirectory(from: string, to: string): void {
  mkdirSync(to);
  for (const entry of readdirSync(from)) {
    const [source, target] = [join(from, entry), join(to, entry)];
    const stat = statSync(source);
    if (stat.isDirectory()) copyDirectory(source, target);
    else if (stat.isFile()) copyFile(source, target);
    else throw new RepairRefusal("source-unsupported", `${source} is neither a file nor a directory`);
  }
  syncDirectory(to);
}

function copyFile(source: string, target: string): void {
  copyFileSync(source, target, constants.COPYFILE_FICLONE);
  const handle = openSync(target, "r+");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
