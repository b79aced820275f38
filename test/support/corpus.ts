/** Where the repository's own files are, whether a test runs from its source or from dist/. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that holds package.json. */
export const repositoryRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

/** Absolute path of something in corpus/: `corpusPath("palm", "a_small", "kv_home")`. */
export const corpusPath = (...parts: string[]): string => join(repositoryRoot, "corpus", ...parts);

function findRoot(folder: string): string {
  return existsSync(join(folder, "package.json")) ? folder : findRoot(dirname(folder));
}
