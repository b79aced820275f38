/** Real bytes that targets begin with, from the repository's corpus. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that holds package.json, seen from the sources, from dist/ and from a bundle. */
const root = findRoot(dirname(fileURLToPath(import.meta.url)));

/** Absolute path of something in corpus/. */
export const corpusPath = (...parts: string[]): string => join(root, "corpus", ...parts);

/** A file of the corpus. Not a `Buffer`, whose slices are no copies. */
export const corpusFile = (...parts: string[]): Uint8Array =>
  new Uint8Array(readFileSync(corpusPath(...parts)));

/** The seeds of a target, by file name; none where the folder is missing. */
export function corpusSeeds(target: string): Uint8Array[] {
  const folder = corpusPath(target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => corpusFile(target, name));
}

function findRoot(folder: string): string {
  return existsSync(join(folder, "package.json")) ? folder : findRoot(dirname(folder));
}
