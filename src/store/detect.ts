/** What kind of dump an input is, by its content. */
import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { CORRUPTION_MARKERS } from "../../formats/corruption-dump.js";
import { keyPageStart } from "../../formats/crypt-page.js";
import { startsLikeClassicFile } from "../../formats/description-block.js";
import { disaggTurtle } from "../../formats/disagg-turtle.js";
import { exportFiles, exportPageKeys } from "../../formats/page-log-export.js";
import { serviceEntryKeys, servicePageKeys } from "../../formats/page-service.js";
import { paliteShardName, SQLITE_MAGIC } from "../../formats/palite.js";
import { type ExactJson, type ExactObject, isExactObject, parseExactJson } from "../codec/exact-json.js";
import { FormatError } from "../codec/index.js";
import { looksLikePageLogBlock, looksLikeText, soundClassicBlock } from "./block-look.js";
import { listClassicFiles } from "./classic-directory.js";
import { readRange } from "./file.js";
import { startsLikeHex } from "./hex.js";
import { openInput, STANDARD_INPUT } from "./input.js";
import { InputError, systemError } from "./input-error.js";
import { type Line, readLines } from "./lines.js";
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
    return { kind, path, target: givenTarget(path, kind, isDirectory), evidence: "given" };
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

const DIRECTORY_ONLY: readonly InputKind[] = ["classic-directory"];
const FILE_ONLY: readonly InputKind[] = ["wt-file", "block", "corruption-log", "page-service-jsonl"];

/** What there is to open of a kind that was given; says so when it cannot be at such a path. */
function givenTarget(path: string, kind: InputKind, isDirectory: boolean): string {
  const refused = (reason: string): InputError => new InputError("input-unknown", path, reason);
  if (!isDirectory) {
    if (DIRECTORY_ONLY.includes(kind)) throw refused("not a directory, so no classic directory");
    return path;
  }
  if (FILE_ONLY.includes(kind)) throw refused(`a directory; ${kind} is the kind of a file`);
  const target = targetOf(path, kind);
  if (kind === "palm" && !isPresent(target))
    throw refused(`no ${HOME}/${LMDB_FILE} and no ${LMDB_FILE} in it`);
  if (kind === "page-log-jsonl" && !isPresent(join(path, exportFiles.pages)))
    throw hasExportFiles(path) ? missingPages(path) : refused(`no ${exportFiles.pages} in it`);
  return target;
}

const isPresent = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** Files of an export beside its pages. */
const hasExportFiles = (path: string): boolean =>
  isFile(join(path, exportFiles.checkpoints)) || isFile(join(path, exportFiles.globals));

const missingPages = (path: string): InputError =>
  new InputError(
    "input-missing",
    path,
    `${exportFiles.pages} is missing: the other files of a page-log export are there`,
  );

/** Where below a directory a kind has its files. */
function targetOf(path: string, kind: InputKind): string {
  if (kind === "palm")
    return [join(path, HOME, LMDB_FILE), join(path, LMDB_FILE)].find(isFile) ?? join(path, LMDB_FILE);
  if (kind === "palite") return paliteDatabases(join(path, HOME)).length > 0 ? join(path, HOME) : path;
  return path;
}

/**
 * Everything a path holds: a home of disaggregated storage has its local files beside the page log. One kind where one
 * is given.
 * @throws InputError as `detectInput` does.
 */
export function detectInputs(path: string, kind?: InputKind): DetectedInput[] {
  const first = detectInput(path, kind);
  if (kind !== undefined || first.kind === "classic-directory") return [first];
  if (path === STANDARD_INPUT || !statOf(path).isDirectory()) return [first];
  const others = [detectPalite(path), detectClassicDirectory(path)].flatMap((found) =>
    found === undefined || found.kind === first.kind ? [] : [{ target: path, ...found, path }],
  );
  return [first, ...others];
}

function detectDirectory(path: string): Found {
  const found = detectPageLogDirectory(path) ?? detectClassicDirectory(path);
  if (found !== undefined) return found;
  if (hasExportFiles(path)) throw missingPages(path);
  const reason = `a directory with nothing known in it: no ${HOME}/${LMDB_FILE}, no SQLite page log, no ${exportFiles.pages}, no WiredTiger files`;
  throw new InputError("input-unknown", path, reason);
}

function detectPageLogDirectory(path: string): Found | undefined {
  const environment = targetOf(path, "palm");
  if (isFile(environment)) return detectLmdb(environment);
  return detectPalite(path) ?? detectExportDirectory(path);
}

function detectPalite(path: string): Found | undefined {
  const home = targetOf(path, "palite");
  const databases = paliteDatabases(home);
  if (databases.some((file) => paliteShardName.test(basename(file)) || isPaliteDatabase(file))) {
    const count = databases.length === 1 ? "a SQLite database" : `${databases.length} SQLite databases`;
    return { kind: "palite", target: home, evidence: `${count} of a page log` };
  }
  return undefined;
}

/** By its names, whatever the bytes: damage in an export is for its reader to tell. */
function detectExportDirectory(path: string): Found | undefined {
  if (!isFile(join(path, exportFiles.pages))) return undefined;
  const files = Object.values(exportFiles).map((name) => join(path, name));
  if (files.every((file) => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0))
    throw new InputError("input-empty", path, `a page-log export of empty files`);
  return { kind: "page-log-jsonl", target: path, evidence: exportFiles.pages };
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
    const found =
      detectBinary(file, start) ??
      detectLines(file) ??
      (start.includes(0) ? detectDumps(file, start) : detectText(file, start));
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

/** Lines at the beginning that are looked at, and the bytes in which they must end. */
const FIRST_LINES = 16;
const FIRST_BYTES = 4 * 1024 * 1024;

/** Lines of a page log are told by at least half of the first ones, so that damage in some does not hide the others. */
function detectLines(file: RandomAccess): Found | undefined {
  const start = readRange(file, 0, FIRST_BYTES);
  const found = { lines: 0, pages: [] as Found[], entries: [] as Found[] };
  for (let from = 0, number = 1; from < start.length && found.lines < FIRST_LINES; number++) {
    const feed = start.indexOf(NEWLINE, from);
    if (feed === -1 && start.length < file.size) break;
    const line = start.subarray(from, feed === -1 ? start.length : feed);
    from += line.length + 1;
    if (!line.some((byte) => byte > 0x20)) continue;
    found.lines++;
    const kind = detectLine(line, number);
    if (kind !== undefined) found[kind.kind === "page-log-jsonl" ? "pages" : "entries"].push(kind);
  }
  return [found.pages, found.entries].find((kind) => kind.length > 0 && 2 * kind.length >= found.lines)?.[0];
}

/** What a sound line of a page log is of. */
function detectLine(line: Uint8Array, number: number): Found | undefined {
  const json = line[0] === OPEN_BRACE ? parseLine(line) : undefined;
  if (!isExactObject(json)) return undefined;
  const has = (...keys: string[]): boolean => keys.every((key) => json[key] !== undefined);
  if (isServicePage(json))
    return { kind: "page-service-jsonl", evidence: `a page with its entries in line ${number}` };
  if (has(exportPageKeys.tableId, exportPageKeys.pageId, exportPageKeys.lsn))
    return { kind: "page-log-jsonl", evidence: `a record in line ${number}` };
  return undefined;
}

/** The log of a server that died may have zeros in it. */
function detectDumps(file: RandomAccess, start: Uint8Array): Found | undefined {
  const text = start.subarray(0, start.indexOf(0));
  const line = text.length >= LEAST_TEXT && looksLikeText(text) ? dumpLine(file) : undefined;
  return line === undefined ? undefined : dumpsIn(line);
}
const LEAST_TEXT = 64;
const dumpsIn = (line: number): Found => ({
  kind: "corruption-log",
  evidence: `corruption dump in line ${line}`,
});

/** A page of the service is told by two of three signs, so that damage in one of them does not hide it. */
function isServicePage(json: ExactObject): boolean {
  const keys: readonly string[] = Object.values(serviceEntryKeys);
  const isEntry = (value: ExactJson): boolean =>
    isExactObject(value) && keys.filter((key) => Object.hasOwn(value, key)).length > 1;
  const signs = [
    json[servicePageKeys.pageId] !== undefined,
    json[servicePageKeys.entries] !== undefined,
    Object.values(json).some((value) => Array.isArray(value) && value.slice(0, FIRST_LINES).some(isEntry)),
  ];
  return signs.filter(Boolean).length > 1;
}

function detectText(file: RandomAccess, start: Uint8Array): Found | undefined {
  const first = firstLine(file);
  if (first === undefined) return undefined;
  const record = first.length > FIRST_BYTES ? detectLongLine(start) : detectLine(first.bytes, first.number);
  if (record !== undefined) return record;
  if (startsLikeHex(start)) return { kind: "block", evidence: "hex text" };
  const turtle = file.size <= START ? disaggTurtle.read(start) : undefined;
  if (turtle?.ok === true) return { kind: "block", evidence: "text of a turtle page" };
  const line = dumpLine(file);
  return line === undefined ? undefined : dumpsIn(line);
}

const OPEN_BRACE = 0x7b;
const NEWLINE = 0x0a;

/** A line too long to be looked at whole. */
function detectLongLine(start: Uint8Array): Found | undefined {
  const text = Buffer.from(start.buffer, start.byteOffset, Math.min(start.length, FIRST_LINES * 1024));
  const has = (key: string): boolean => text.includes(`"${key}"`);
  return text[0] === OPEN_BRACE && has(servicePageKeys.pageId) && has(servicePageKeys.entries)
    ? { kind: "page-service-jsonl", evidence: "a long page with its entries in the first line" }
    : undefined;
}

function firstLine(file: RandomAccess): Line | undefined {
  for (const line of readLines(file, FIRST_BYTES)) if (line.bytes.some((byte) => byte > 0x20)) return line;
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
