/** The files of a classic home, by what they are for. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type ClassicFileRole, classicFileRole } from "../../formats/classic-home.js";
import { InputError, systemError } from "./input-error.js";

export interface ClassicFile {
  /** Below the home. */
  readonly name: string;
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly role: ClassicFileRole;
}

export interface ClassicDirectory {
  readonly kind: "classic-directory";
  readonly path: string;
  /** Bytes of all files that have a role. */
  readonly size: number;
  /** By name. Files without a role are left out. */
  readonly files: readonly ClassicFile[];
}

/** @throws InputError `input-unknown` when no file of a home is there, and what reading a directory throws. */
export function openClassicDirectory(path: string): ClassicDirectory {
  const files = listClassicFiles(path);
  if (files.length === 0)
    throw new InputError("input-unknown", path, "a directory without files of a WiredTiger home");
  return { kind: "classic-directory", path, size: files.reduce((sum, { size }) => sum + size, 0), files };
}

/** Files are told by name; one that cannot be looked at is listed as empty: whoever opens it says why. */
export function listClassicFiles(path: string): ClassicFile[] {
  return namesIn(path).flatMap((name) => {
    const role = classicFileRole(name);
    const size = role === undefined ? undefined : sizeOfFile(join(path, name));
    return role === undefined || size === undefined ? [] : [{ name, path: join(path, name), size, role }];
  });
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch (error) {
    throw systemError(path, error);
  }
}

/** Bytes; undefined when there is none, or it is no file. */
function sizeOfFile(path: string): number | undefined {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat?.isFile() === true ? stat.size : undefined;
  } catch {
    return 0;
  }
}
