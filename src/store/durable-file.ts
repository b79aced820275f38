/** Files that are whole and outlive a loss of power, or are not there. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Makes or overwrites a file with the chunks, one behind the other. */
export function writeDurably(path: string, chunks: Iterable<Uint8Array>): void {
  const file = openSync(path, "w");
  try {
    for (const bytes of chunks) for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Ending of the name of a file that is not whole yet. */
export const UNFINISHED = ".new";

/** Puts a file in the place of another in one step. */
export function replaceFile(path: string, chunks: Iterable<Uint8Array>): void {
  const fresh = `${path}${UNFINISHED}`;
  try {
    writeDurably(fresh, chunks);
    renameSync(fresh, path);
  } finally {
    rmSync(fresh, { force: true });
  }
  syncDirectory(dirname(path));
}

/** Makes the names in a directory durable. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
