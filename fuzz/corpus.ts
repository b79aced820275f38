/** Real bytes that targets begin with, from the repository's corpus. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that holds package.json, seen from the sources, from dist/ and from a bundle. */
const root = findRoot(dirname(fileURLToPath(import.meta.url)));

/** Absolute path of something in corpus/. */
export const corpusPath = (...parts: string[]): string => join(root, "corpus", ...parts);

/** A file of the corpus. */
export const corpusFile = (...parts: string[]): Uint8Array => readFileSync(corpusPath(...parts));

/** The seeds of a target, by file name; none where the folder is missing. */
export function corpusSeeds(target: string): Uint8Array[] {
  const folder = corpusPath(target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name)));
}

function findRoot(folder: string): string {
  return existsSync(join(folder, "package.json")) ? folder : findRoot(dirname(folder));
}
