/** Inputs of a file or folder run again, each on the target its place names, in a fixed order. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Outcome, Runner } from "./runner.js";

export interface ReplayResult {
  readonly file: string;
  readonly target: string;
  readonly outcome: Outcome;
}

/** Where the targets of files are not named, or are not targets. */
export class UnknownTarget extends Error {
  override readonly name = "UnknownTarget";
}

/**
 * `corpus/<target>/anything` and `<target>-anything` name their target; others of a folder are passed over, for a
 * corpus holds more than inputs of targets.
 * @throws UnknownTarget for a single file that names none.
 */
export async function* replay(
  path: string,
  targetNames: readonly string[],
  runner: Pick<Runner, "run">,
  target?: string,
): AsyncGenerator<ReplayResult> {
  const files = filesOf(path);
  for (const file of files) {
    const named = target ?? targetOf(file, targetNames);
    if (named === undefined) {
      if (files.length === 1)
        throw new UnknownTarget(`${file}: no target is named by its folder or its name`);
      continue;
    }
    yield { file, target: named, outcome: await runner.run(named, readFileSync(file)) };
  }
}

/** Longest first: one target's name may begin another's. */
export function targetOf(file: string, names: readonly string[]): string | undefined {
  const folder = basename(dirname(file));
  if (names.includes(folder)) return folder;
  const longestFirst = [...names].sort((a, b) => b.length - a.length);
  return longestFirst.find((name) => basename(file) === name || basename(file).startsWith(`${name}-`));
}

function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesOf(join(path, name)))
    .filter((file) => !file.endsWith(".json"));
}
