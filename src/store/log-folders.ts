/** Where the log files of a home are. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { logFileName } from "../../formats/log.js";
import { parseConfig } from "../codec/config.js";
import { configGetText } from "../codec/config-edit.js";
import { FormatError } from "../codec/error.js";
import { decodeText } from "../codec/text.js";
import { InputError } from "./input-error.js";
import { readSmall } from "./small-file.js";

/** Where MongoDB has them. */
const JOURNAL = "journal";

export interface LogFileAt {
  readonly path: string;
  readonly number: number;
}

/** Folders a home's log may be in: beside its files, in `journal`, and where its base configuration says. */
export function logFolders(home: string): string[] {
  const path = baseConfigLogPath(home) ?? ".";
  const named = path === "" || path === "." ? home : isAbsolute(path) ? path : join(home, path);
  return [...new Set([home, join(home, JOURNAL), named])].filter(isFolder);
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

function baseConfigLogPath(home: string): string | undefined {
  const file = join(home, "WiredTiger.basecfg");
  if (!existsSync(file)) return undefined;
  try {
    return configGetText(parseConfig(decodeText(readSmall(file)), { syntax: "file" }), ["log", "path"]);
  } catch (error) {
    if (error instanceof FormatError || error instanceof InputError) return undefined;
    throw error;
  }
}

/** The log files of one folder, oldest first; spare ones are none. */
export function logFilesIn(folder: string): LogFileAt[] {
  const logs = readdirSync(folder).flatMap((name) => {
    const known = logFileName(name);
    return known?.kind === "log" ? [{ path: join(folder, name), number: known.number }] : [];
  });
  return logs.sort((a, b) => a.number - b.number);
}
