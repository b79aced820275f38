/** Runs the command line as a process of its own: the built one for a built test, the sources through tsx otherwise. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { repositoryRoot } from "./corpus.js";

export interface CliRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const built = import.meta.url.endsWith(".js");
const main = fileURLToPath(
  new URL(built ? "../../bin/pugmark.js" : "../../src/cli/main.ts", import.meta.url),
);

export function runCli(...args: string[]): CliRun {
  const { NO_COLOR, FORCE_COLOR, NODE_OPTIONS, ...env } = process.env;
  const { status, stdout, stderr, error } = spawnSync(
    process.execPath,
    [...(built ? [] : ["--import=tsx"]), main, ...args],
    { cwd: repositoryRoot, env, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 },
  );
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}
