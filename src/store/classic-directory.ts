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

export function listClassicFiles(path: string): ClassicFile[] {
  try {
    return readdirSync(path)
      .sort()
      .flatMap((name) => {
        const role = classicFileRole(name);
        const stat = role === undefined ? undefined : statSync(join(path, name), { throwIfNoEntry: false });
        return role === undefined || stat?.isFile() !== true
          ? []
          : [{ name, path: join(path, name), size: stat.size, role }];
      });
  } catch (error) {
    throw systemError(path, error);
  }
}
