/** `-o FILE`: a document that appears whole or not at all, and never in place of something else. */
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { CommandError } from "./exit.js";

/**
 * Refuses a file that exists or lies inside an input folder.
 * @throws CommandError saying which.
 */
export function checkOutputFile(file: string, inputs: readonly string[]): void {
  if (exists(file)) throw new CommandError(`${file}: exists already, and is not overwritten`);
  const folder = realPath(dirname(resolve(file)));
  for (const input of inputs)
    if (isFolder(input) && `${folder}${sep}`.startsWith(`${realPath(input)}${sep}`))
      throw new CommandError(`${file}: lies inside the input ${input}, where nothing is written`);
}

/** Writes a text or bytes beside the final name, then gives it that name in one step that cannot replace another file. */
export function writeOutputFile(file: string, content: string | Uint8Array): void {
  const partial = join(dirname(file), `.${basename(file)}.${process.pid}.partial`);
  const handle = openSync(partial, "wx");
  try {
    writeWhole(handle, typeof content === "string" ? new TextEncoder().encode(content) : content);
    publish(partial, file);
  } finally {
    rmSync(partial, { force: true });
  }
}

function publish(partial: string, file: string): void {
  try {
    linkSync(partial, file);
  } catch (error) {
    if (!WITHOUT_LINKS.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    if (exists(file)) throw new CommandError(`${file}: exists already, and is not overwritten`);
    renameSync(partial, file);
  }
}

/** What file systems without hard links answer. */
const WITHOUT_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

function writeWhole(handle: number, bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;
const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
