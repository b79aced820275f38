/** Writes that survive a crash: synced files, one atomic rename, synced directories. */
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { decodeText, encodeText } from "../codec/text.js";
import type { NewBlock } from "./classic/block-appender.js";
import { METADATA_FILE, TURTLE_FILE } from "./classic/home.js";
import type { NewFile } from "./draft.js";
import { RepairRefusal } from "./error.js";
import type { RepairHook, RepairPoint } from "./points.js";

export const TURTLE_SET = "WiredTiger.turtle.set";
/** Behind a new file's name until it is whole. */
export const UNFINISHED = ".repair-unfinished";

export function syncDirectory(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function writeAll(handle: number, bytes: Uint8Array, from: number, to: number, at: number): void {
  for (let done = from; done < to; ) done += writeSync(handle, bytes, done, to - done, at + done);
}

/** In two halves, so that a test can stop between them. */
function writeHalves(handle: number, bytes: Uint8Array, at: number, between: () => void): void {
  const half = bytes.length >> 1;
  writeAll(handle, bytes, 0, half, at);
  between();
  writeAll(handle, bytes, half, bytes.length, at);
}

/** A file that appears whole under its name, and never in place of another. @throws RepairRefusal with `code` */
export function placeFile(
  path: string,
  bytes: Uint8Array,
  hook: RepairHook,
  points: { half: RepairPoint; written?: RepairPoint; placed: RepairPoint },
  code: "file-exists" | "journal-exists",
): void {
  const unfinished = path + UNFINISHED;
  const handle = openSync(unfinished, "w");
  try {
    writeHalves(handle, bytes, 0, () => hook(points.half));
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  if (points.written !== undefined) hook(points.written);
  try {
    linkSync(unfinished, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    rmSync(unfinished);
    throw new RepairRefusal(code, `${path} is there already`);
  }
  rmSync(unfinished);
  syncDirectory(dirname(path));
  hook(points.placed);
}

export const placeTable = (home: string, { name, bytes }: NewFile, hook: RepairHook): void =>
  placeFile(
    join(home, name),
    bytes,
    hook,
    { half: "file-half", written: "file-written", placed: "file-placed" },
    "file-exists",
  );

/** Blocks behind the end of the metadata file. Until the turtle names them they are nothing. */
export function writeTail(
  home: string,
  blocks: readonly NewBlock[],
  fileSize: number,
  hook: RepairHook,
): void {
  hook("before-tail");
  const handle = openSync(join(home, METADATA_FILE), "r+");
  try {
    for (const { bytes, offset } of blocks) {
      writeHalves(handle, bytes, offset, () => hook("block-half"));
      hook("block-written");
    }
    ftruncateSync(handle, fileSize);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  hook("tail-synced");
}

export interface TurtlePublication {
  readonly before: string;
  readonly after: string;
}

/**
 * Puts a new turtle in the old one's place. There is a turtle at every moment: without one the engine starts an empty
 * database.
 * @throws RepairRefusal `directory-changed` when the turtle is not the expected one any more
 */
export function publishTurtle(
  home: string,
  { before, after }: TurtlePublication,
  checkUnused: () => void,
  hook: RepairHook,
  points: { half?: RepairPoint; written?: RepairPoint; before: RepairPoint; after: RepairPoint },
): void {
  const [turtle, set] = [join(home, TURTLE_FILE), join(home, TURTLE_SET)];
  const tell = (point: RepairPoint | undefined): void => (point === undefined ? undefined : hook(point));
  const handle = openSync(set, "w");
  try {
    writeHalves(handle, encodeText(after), 0, () => tell(points.half));
    tell(points.written);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  hook(points.before);
  checkUnused();
  if (decodeText(readFileSync(turtle)) !== before) {
    rmSync(set);
    throw new RepairRefusal("directory-changed", `${turtle} was written while the repair was under way`);
  }
  renameSync(set, turtle);
  hook(points.after);
  syncDirectory(home);
}

export function truncateMetadata(home: string, length: number): void {
  const handle = openSync(join(home, METADATA_FILE), "r+");
  try {
    ftruncateSync(handle, length);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
