/** Where results may be written. */
import { realpathSync, statSync } from "node:fs";
import { dirname, sep } from "node:path";
import { InputError } from "../store/input-error.js";

/** The real path of the folder something is made in. @throws InputError when there is none */
export function parentOf(path: string): string {
  const parent = dirname(path);
  if (statSync(parent, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new InputError("input-missing", parent, "no such directory");
  return realpathSync(parent);
}

/** Whether a folder is another one or below it, symbolic links followed. */
export const isInside = (folder: string, other: string): boolean =>
  `${folder}${sep}`.startsWith(`${realpathSync(other)}${sep}`);
