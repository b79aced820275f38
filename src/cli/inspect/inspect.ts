/** From a path and options to what there is to show. */
import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { type ClassicFileRole, classicFileRole } from "../../../formats/classic-home.js";
import { formatByName } from "../../../formats/index.js";
import type { Inspection } from "../../report/inspection.js";
import { readRange } from "../../store/file.js";
import { startsLikeHex } from "../../store/hex.js";
import {
  type ClassicDirectory,
  type DetectedInput,
  detectInput,
  FileAccess,
  isPageLogKind,
  openBlock,
  openClassicDirectory,
  openCorruptionLog,
  openDetectedPageLog,
  openWtFile,
} from "../../store/index.js";
import type { AnyFormat } from "../convert.js";
import { CommandError } from "../exit.js";
import { inspectBlocks, inspectClassicFile, inspectCorruptionLog, inspectRawFile } from "./block-file.js";
import { inspectLogFile } from "./log-file.js";
import { inspectPageLog } from "./page-log.js";
import { type InspectRequest, refuse } from "./request.js";
import { tableNames } from "./table-names.js";

/** Files of a classic home that are one structure, by what they are for. */
const ROLE_FORMATS: Partial<Record<ClassicFileRole, string>> = {
  turtle: "turtle-file",
  "base-config": "config-file",
  "backup-metadata": "config-file",
};

/**
 * What the request asks for. `note` is told what was detected.
 * @throws CommandError, InputError
 */
export function inspect(request: InspectRequest, note: (line: string) => void): Inspection {
  const { path, kind } = request;
  const role = kind === undefined && isFile(path) ? classicFileRole(basename(path)) : undefined;
  if (role === "log" && request.format === undefined)
    return inFile(path, (file) => inspectLogFile(file, request));
  const format = request.format ?? formatOfRole(role);
  const inStore = [request.page, request.lsn, request.table].some((asked) => asked !== undefined);
  if (format !== undefined && path !== "-" && isFile(path) && kind === undefined && !inStore)
    return inFile(path, (file) =>
      isHexText(file) ? inspectBlocks(openBlock(path), request) : inspectRawFile(file, request, format),
    );
  const input = detectInput(path, kind);
  note(`${path === "-" ? "standard input" : path}: ${input.kind} (${input.evidence})`);
  return inspectDetected(input, request);
}

/** Bytes written as hex: what is meant are the bytes. */
const isHexText = (file: FileAccess): boolean => startsLikeHex(readRange(file, 0, 4096));

function formatOfRole(role: ClassicFileRole | undefined): AnyFormat | undefined {
  const name = role === undefined ? undefined : ROLE_FORMATS[role];
  return name === undefined ? undefined : formatByName(name);
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

function inFile<T>(path: string, use: (file: FileAccess) => T): T {
  const file = new FileAccess(path);
  try {
    return use(file);
  } finally {
    file.close();
  }
}

function inspectDetected(input: DetectedInput, request: InspectRequest): Inspection {
  const { kind, target } = input;
  if (isPageLogKind(kind)) return inPageLog(input, request);
  switch (kind) {
    case "block":
      return inspectBlocks(openBlock(target), request);
    case "corruption-log":
      return inCorruptionLog(target, request);
    case "wt-file":
      return inClassicFile(target, request);
    case "classic-directory":
      return inspectDirectory(openClassicDirectory(target), request);
    default:
      throw new CommandError(`${input.path}: a ${kind} cannot be inspected`);
  }
}

function inPageLog(input: DetectedInput, request: InspectRequest): Inspection {
  const log = openDetectedPageLog(input);
  try {
    return inspectPageLog(log, request, tableNames(log));
  } finally {
    log.close();
  }
}

function inCorruptionLog(path: string, request: InspectRequest): Inspection {
  const log = openCorruptionLog(path);
  try {
    return inspectCorruptionLog(log, request);
  } finally {
    log.close();
  }
}

function inClassicFile(path: string, request: InspectRequest): Inspection {
  const { file, allocationSize } = openWtFile(path);
  try {
    return inspectClassicFile(file, request, allocationSize);
  } finally {
    file.close();
  }
}

/** The files of a home, or the one that `--table` names. */
function inspectDirectory(directory: ClassicDirectory, request: InspectRequest): Inspection {
  const { table } = request;
  if (table !== undefined) return inClassicFile(fileOf(directory, table), { ...request, table: undefined });
  refuse(request, "a directory", ["page", "lsn", "offset", "length"], "name a file, or a table with --table");
  const rows = directory.files.map(({ name, role, size }) => ({ name, role, bytes: size }));
  return {
    input: { path: directory.path, kind: directory.kind },
    title: directory.path,
    facts: { kind: "classic directory", bytes: directory.size },
    parts: [],
    tables: [{ name: "files", title: "Files", columns: ["name", "role", "bytes"], rows }],
  };
}

function fileOf({ path, files }: ClassicDirectory, table: string): string {
  const bare = table.replace(/^(file|table):/, "");
  const found = files.find(({ name }) => name === bare || name === `${bare}.wt`);
  if (found !== undefined) return join(path, found.name);
  const tables = files.filter(({ name }) => name.endsWith(".wt")).map(({ name }) => name);
  throw new CommandError(
    `--table: no file is called ${JSON.stringify(bare)}; there are ${tables.join(", ")}`,
  );
}
