/** What kind of dump an input is, by its content. */
import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { CORRUPTION_MARKERS } from "../../formats/corruption-dump.js";
import { keyPageStart } from "../../formats/crypt-page.js";
import { startsLikeClassicFile } from "../../formats/description-block.js";
import { disaggTurtle } from "../../formats/disagg-turtle.js";
import { exportFiles, exportPageKeys } from "../../formats/page-log-export.js";
import { servicePageKeys } from "../../formats/page-service.js";
import { paliteShardName, SQLITE_MAGIC } from "../../formats/palite.js";
import { type ExactJson, isExactObject, parseExactJson } from "../codec/exact-json.js";
import { FormatError } from "../codec/index.js";
import { looksLikePageLogBlock, soundClassicBlock } from "./block-look.js";
import { listClassicFiles } from "./classic-directory.js";
import { readRange } from "./file.js";
import { decodeHex } from "./hex.js";
import { openInput, STANDARD_INPUT } from "./input.js";
import { InputError, systemError } from "./input-error.js";
import { readLines } from "./lines.js";
import { lmdbVersion } from "./lmdb.js";
import { isPaliteDatabase, paliteDatabases } from "./palite.js";
import type { InputKind, RandomAccess } from "./types.js";

export interface DetectedInput {
  readonly kind: InputKind;
  /** As the caller gave it. */
  readonly path: string;
  /** What there is to open: the file or directory at the path or below it. */
  readonly target: string;
  /** Why it is taken for that, in a few words. */
  readonly evidence: string;
}
type Found = Pick<DetectedInput, "kind" | "evidence"> & { readonly target?: string };

/** Beginning of a file that is looked at. */
const START = 64 * 1024;
/** Classic blocks are looked for at these distances where the file's beginning is damaged. */
const BLOCK_STEP = 512;
const BLOCK_SEARCH = 128 * 1024;
const HOME = "kv_home";
const LMDB_FILE = "data.mdb";

/**
 * Finds out what is at a path (`-`: standard input). `kind` skips that: then only the place to open is found.
 * @throws InputError with one of its codes.
 */
export function detectInput(path: string, kind?: InputKind): DetectedInput {
  const isDirectory = path !== STANDARD_INPUT && statOf(path).isDirectory();
  if (kind !== undefined)
    return { kind, path, target: isDirectory ? targetOf(path, kind) : path, evidence: "given" };
  const { target = path, ...found } = isDirectory ? detectDirectory(path) : detectFile(path);
  return { ...found, path, target };
}

function statOf(path: string): { isDirectory(): boolean } {
  try {
    return statSync(path);
  } catch (error) {
    throw systemError(path, error);
  }
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

/** Where below a directory a kind has its files. */
function targetOf(path: string, kind: InputKind): string {
  if (kind === "palm")
    return [join(path, HOME, LMDB_FILE), join(path, LMDB_FILE)].find(isFile) ?? join(path, LMDB_FILE);
  if (kind === "palite") return paliteDatabases(join(path, HOME)).length > 0 ? join(path, HOME) : path;
  return path;
}

function detectDirectory(path: string): Found {
  const found = detectPageLogDirectory(path) ?? detectClassicDirectory(path);
  if (found !== undefined) return found;
  const reason = `a directory with nothing known in it: no ${HOME}/${LMDB_FILE}, no SQLite page log, no ${exportFiles.pages}, no WiredTiger files`;
  throw new InputError("input-unknown", path, reason);
}

function detectPageLogDirectory(path: string): Found | undefined {
  const environment = targetOf(path, "palm");
  if (isFile(environment)) return detectLmdb(environment);
  const home = targetOf(path, "palite");
  const databases = paliteDatabases(home);
  if (databases.some((file) => paliteShardName.test(basename(file)) || isPaliteDatabase(file))) {
    const count = databases.length === 1 ? "a SQLite database" : `${databases.length} SQLite databases`;
    return { kind: "palite", target: home, evidence: `${count} of a page log` };
  }
  if (!isFile(join(path, exportFiles.pages))) return undefined;
  return { ...detectFile(join(path, exportFiles.pages)), target: path };
}

function detectLmdb(path: string): Found {
  const file = openInput(path);
  try {
    if (file.size === 0) throw new InputError("input-empty", path, "empty file");
    if (lmdbVersion(file) !== undefined) return { kind: "palm", target: path, evidence: "LMDB meta page" };
    throw new InputError("input-unknown", path, "not an LMDB environment, though its name says so");
  } finally {
    file.close();
  }
}

function detectClassicDirectory(path: string): Found | undefined {
  const files = listClassicFiles(path);
  const known = files.find(
    ({ role }) => role === "turtle" || role === "metadata" || role === "version" || role === "log",
  );
  const table = files.find((file) => file.role === "table" && file.size > 0 && detectsAsTable(file.path));
  const evidence = known ?? table;
  return evidence === undefined ? undefined : { kind: "classic-directory", evidence: evidence.name };
}

function detectsAsTable(path: string): boolean {
  try {
    return detectFile(path).kind === "wt-file";
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

function detectFile(path: string): Found {
  const file = openInput(path);
  try {
    if (file.size === 0)
      throw new InputError("input-empty", path, path === STANDARD_INPUT ? "no bytes" : "empty file");
    const start = readRange(file, 0, START);
    const found = detectBinary(file, start) ?? (start.includes(0) ? undefined : detectText(file, start));
    const damaged = found ?? detectDamagedTable(file);
    if (damaged !== undefined) return damaged;
    throw new InputError(
      "input-unknown",
      path,
      "neither a page log, a classic file, a block or page, hex text, nor a log with corruption dumps",
    );
  } finally {
    file.close();
  }
}

function detectBinary(file: RandomAccess, start: Uint8Array): Found | undefined {
  if (lmdbVersion(file) !== undefined) return { kind: "palm", evidence: "LMDB meta page" };
  if (SQLITE_MAGIC.every((byte, at) => start[at] === byte)) return detectSqlite(file.path);
  if (startsLikeClassicFile(start)) return { kind: "wt-file", evidence: "description block" };
  if (looksLikePageLogBlock(start)) return { kind: "block", evidence: "page-log block header" };
  if (keyPageStart(start.subarray(0, file.size)) !== undefined)
    return { kind: "block", evidence: "key provider's page" };
  const whole = file.size <= START ? start : readRange(file, 0, MAX_CLASSIC_BLOCK);
  return soundClassicBlock(whole) === file.size
    ? { kind: "block", evidence: "sound classic block" }
    : undefined;
}

function detectSqlite(path: string): Found {
  if (path === STANDARD_INPUT)
    throw new InputError("input-unsupported", path, "a SQLite database; give it as a file");
  if (isPaliteDatabase(path))
    return { kind: "palite", evidence: "SQLite database with tables of a page log" };
  throw new InputError("input-unknown", path, "a SQLite database without the tables of a page log");
}

/** Larger blocks are not recognised by their checksum alone; they can be named. */
const MAX_CLASSIC_BLOCK = 16 * 1024 * 1024;

/** A `.wt` file whose description block is damaged still has sound blocks behind it. */
function detectDamagedTable(file: RandomAccess): Found | undefined {
  const bytes = file.size % BLOCK_STEP === 0 ? readRange(file, 0, 2 * BLOCK_SEARCH) : new Uint8Array(0);
  for (let at = BLOCK_STEP; at < Math.min(bytes.length, BLOCK_SEARCH); at += BLOCK_STEP)
    if (soundClassicBlock(bytes.subarray(at)) > 0)
      return { kind: "wt-file", evidence: `no description block, but a sound block at offset ${at}` };
  return undefined;
}

function detectText(file: RandomAccess, start: Uint8Array): Found | undefined {
  const first = firstLine(file);
  if (first === undefined) return undefined;
  const json = first.bytes[0] === OPEN_BRACE ? parseLine(first.bytes) : undefined;
  if (isExactObject(json)) {
    if (json[servicePageKeys.entries] !== undefined)
      return {
        kind: "page-service-jsonl",
        evidence: `\`${servicePageKeys.entries}\` of a page in line ${first.number}`,
      };
    if (
      [exportPageKeys.tableId, exportPageKeys.pageId, exportPageKeys.lsn].every(
        (key) => json[key] !== undefined,
      )
    )
      return { kind: "page-log-jsonl", evidence: `a record in line ${first.number}` };
  }
  if (decodeHex(start.subarray(0, start.lastIndexOf(NEWLINE) + 1 || start.length)).ok)
    return { kind: "block", evidence: "hex text" };
  const turtle = file.size <= START ? disaggTurtle.read(start) : undefined;
  if (turtle?.ok === true) return { kind: "block", evidence: "text of a turtle page" };
  const line = dumpLine(file);
  return line === undefined
    ? undefined
    : { kind: "corruption-log", evidence: `corruption dump in line ${line}` };
}

const OPEN_BRACE = 0x7b;
const NEWLINE = 0x0a;

function firstLine(file: RandomAccess): { number: number; bytes: Uint8Array } | undefined {
  for (const line of readLines(file)) if (line.bytes.some((byte) => byte > 0x20)) return line;
  return undefined;
}

function parseLine(bytes: Uint8Array): ExactJson | undefined {
  try {
    return parseExactJson(bytes, { longText: 64, byteLists: true });
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** The first line of a server log that dumps a block. */
function dumpLine(file: RandomAccess): number | undefined {
  const markers = CORRUPTION_MARKERS.map((marker) => Buffer.from(marker));
  for (const { bytes, number } of readLines(file)) {
    const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (markers.some((marker) => line.includes(marker))) return number;
  }
  return undefined;
}
