/** Which test files to run: the sources say which there are, and each must have been compiled. */
import { readdirSync, statSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";

export interface Found {
  /** Absolute paths of compiled tests, sorted. */
  files: string[];
  /** What stops the run from being trusted: a test that was not compiled, a pattern that matches nothing. */
  problems: string[];
}

const SOURCE = ".test.ts";

/**
 * A pattern is the path of a file, or a part of a test's path such as `codec/` or `run-tests`; without
 * patterns every test is meant. A named file that is no test source is run as it is.
 */
export function findTestFiles(root: string, patterns: readonly string[]): Found {
  const tests = testSources(root);
  const chosen = new Set<string>(patterns.length === 0 ? tests : []);
  const files = new Set<string>();
  const problems: string[] = [];
  for (const pattern of patterns) {
    if (isFile(pattern) && !pattern.endsWith(SOURCE)) {
      files.add(resolve(pattern));
      continue;
    }
    const part = isFile(pattern) ? slashed(relative(root, resolve(pattern))) : pattern;
    const matching = tests.filter((test) => test.includes(part));
    if (matching.length === 0) problems.push(`no test file matches "${pattern}"`);
    for (const test of matching) chosen.add(test);
  }
  for (const test of chosen) {
    const compiled = join(root, "dist", test.replace(/\.ts$/, ".js"));
    if (isFile(compiled)) files.add(compiled);
    else problems.push(`${test} is not compiled: run \`npm run build\``);
  }
  return { files: [...files].sort(), problems };
}

/** `test/area/name.test.ts`, relative to the root, for every test. */
function testSources(root: string): string[] {
  return readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(SOURCE))
    .map((path) => `test/${slashed(path)}`)
    .sort();
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
const slashed = (path: string): string => path.split(sep).join("/");
