/**
 * A place of our own for SQLite to work in: it locks by making a directory beside the database and opens the
 * write-ahead log for writing, and neither may happen to the input. What is staged here are links and copies.
 */
import { chmodSync, constants, copyFileSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { SQLITE_JOURNAL_MAGIC } from "../../formats/palite.js";
import { FileAccess, readRange } from "./file.js";
import { InputError } from "./input-error.js";

export interface StagedDatabase {
  /** What to open. */
  readonly file: string;
  /** Whether that is a copy, to be opened for writing, so that SQLite can undo what a journal says. */
  readonly isCopy: boolean;
  /** Takes everything away again; as long as that is not possible, at the process's end. */
  remove(): void;
}

/** Folders that are still there. */
const folders = new Set<string>();
let watchesExit = false;

/** @throws InputError when the temporary directory does not let us, or a file cannot be read. */
export function stageDatabase(path: string): StagedDatabase {
  const source = resolve(path);
  const folder = makeFolder(path);
  try {
    const file = join(folder, "0.db");
    const isCopy = hasHotJournal(source);
    if (isCopy) copy(`${source}-journal`, `${file}-journal`);
    if (isCopy || !link(source, file)) copy(source, file);
    // Not a link: SQLite opens it for writing, even if it only reads.
    if (sizeOf(`${source}-wal`) > 0) copy(`${source}-wal`, `${file}-wal`);
    return { file, isCopy, remove: () => removeFolder(folder) };
  } catch (error) {
    removeFolder(folder);
    throw failure(path, error);
  }
}

/** Bytes of a file; 0 when there is none. */
export const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/**
 * What lies beside a database as its rollback journal: nothing, or one that is done with (it begins with a zero byte);
 * one that says what is to be undone; or something else, which SQLite does not follow either.
 */
export function journalOf(path: string): "none" | "hot" | "other" {
  if (sizeOf(`${path}-journal`) === 0) return "none";
  const journal = new FileAccess(`${path}-journal`);
  try {
    const start = readRange(journal, 0, SQLITE_JOURNAL_MAGIC.length);
    if ((start[0] ?? 0) === 0) return "none";
    return start.every((byte, at) => byte === SQLITE_JOURNAL_MAGIC[at]) ? "hot" : "other";
  } finally {
    journal.close();
  }
}

export const hasHotJournal = (path: string): boolean => journalOf(path) === "hot";

function makeFolder(path: string): string {
  try {
    const folder = mkdtempSync(join(tmpdir(), "pugmark-"));
    folders.add(folder);
    if (!watchesExit) process.on("exit", () => [...folders].forEach(removeFolder));
    watchesExit = true;
    return folder;
  } catch (error) {
    throw failure(path, error);
  }
}

/** Where files that are open cannot be removed, the folder stays until the next try: on close, at the end. */
function removeFolder(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
    folders.delete(folder);
  } catch {
    // Files are open in it.
  }
}

/** False where the system has no symbolic links, or not for us. */
function link(source: string, file: string): boolean {
  try {
    symlinkSync(source, file, "file");
    return true;
  } catch {
    return false;
  }
}

function copy(source: string, file: string): void {
  copyFileSync(source, file, constants.COPYFILE_FICLONE);
  chmodSync(file, 0o600);
}

function failure(path: string, error: unknown): InputError {
  if (error instanceof InputError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new InputError(
    "input-unreadable",
    path,
    `cannot be staged for SQLite in ${tmpdir()}: ${code ?? message}`,
  );
}
