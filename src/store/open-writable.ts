/** Opening page logs for writing. */
import { existsSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { exportFiles } from "../../formats/page-log-export.js";
import { JsonlWriter, type OpenJsonlOptions } from "./jsonl-writer.js";
import { PageLogError } from "./page-log-error.js";
import { layoutOf } from "./palite-files.js";
import { type OpenPaliteOptions, PaliteWriter } from "./palite-writer.js";
import type { WritablePageLog } from "./writable.js";

const HOME = "kv_home";

export interface OpenWritableOptions extends OpenPaliteOptions, OpenJsonlOptions {
  /** Of a new log (default `palite`); that of another one is seen. */
  readonly kind?: "palite" | "page-log-jsonl";
}

/**
 * Opens a page log for writing: a PALite database's home or the `kv_home` in it, or a directory of JSON lines. With
 * `create` a new one is made where there is none.
 * @throws PageLogError `locked` (somebody else writes), `missing`, `unsupported`, `io`
 */
export function openWritablePageLog(path: string, options: OpenWritableOptions = {}): WritablePageLog {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isDirectory())
    throw new PageLogError("unsupported", "only directories are written as page logs", { file: path });
  const isExport = existsSync(join(path, exportFiles.pages));
  if (isExport || (options.create === true && options.kind === "page-log-jsonl"))
    return JsonlWriter.open(path, options);
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
