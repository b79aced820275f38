/** Opening page logs for writing. */
import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { PageLogError } from "./page-log-error.js";
import { layoutOf } from "./palite-files.js";
import { type OpenPaliteOptions, PaliteWriter } from "./palite-writer.js";
import type { WritablePageLog } from "./writable.js";

const HOME = "kv_home";

export type OpenWritableOptions = OpenPaliteOptions;

/**
 * Opens a PALite page log for writing: a database's home, or the `kv_home` in it. With `create` a new one is made there.
 * @throws PageLogError `locked` (somebody else writes), `missing`, `unsupported`, `io`
 */
export function openWritablePageLog(path: string, options: OpenWritableOptions = {}): WritablePageLog {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isDirectory())
    throw new PageLogError("unsupported", "only directories of databases are written", { file: path });
  return PaliteWriter.open(homeOf(path, options.create === true), options);
}

function homeOf(path: string, isNew: boolean): string {
  const home = join(path, HOME);
  if (basename(path) === HOME) return path;
  if (isDirectory(home)) return home;
  return isNew && !(isDirectory(path) && layoutOf(path) !== undefined) ? home : path;
}

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
