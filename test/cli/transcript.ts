/**
 * Golden transcripts of the command line. A file is a sequence of commands, each with exactly what it printed:
 *
 *     $ pugmark decode address-cookie 00
 *     {"error":…}            stdout, as it is
 *     ! pugmark: …           stderr, every line behind `! `
 *     [exit 1]
 *
 * Lines of stdout that begin with `$ `, `! `, `# `, `[` or `\` have a `\` before them. stderr comes after stdout. Lines
 * that begin with `# ` before a command are comments.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { repositoryRoot } from "../support/corpus.js";

export interface Step {
  readonly comments: readonly string[];
  readonly command: string;
  /** The lines behind the command up to `[exit N]`, that one included. */
  readonly output: readonly string[];
}

/** @throws Error for text that is no transcript. */
export function parseTranscript(text: string): Step[] {
  const steps: Step[] = [];
  let comments: string[] = [];
  let open: { command: string; output: string[] } | undefined;
  for (const line of text.split("\n")) {
    if (open !== undefined) {
      open.output.push(line);
      if (!/^\[exit \d+\]$/.test(line)) continue;
      steps.push({ comments, ...open });
      comments = [];
      open = undefined;
    } else if (line.startsWith("$ ")) open = { command: line.slice(2), output: [] };
    else if (line.startsWith("# ")) comments.push(line);
    else if (line !== "") throw new Error(`a transcript has no place for ${JSON.stringify(line)}`);
  }
  if (open !== undefined) throw new Error(`no [exit N] behind $ ${open.command}`);
  return steps;
}

export const writeTranscript = (steps: readonly Step[]): string =>
  steps
    .map(({ comments, command, output }) => [...comments, `$ ${command}`, ...output, ""].join("\n"))
    .join("\n");

/**
 * Runs a command in the repository's folder and gives its output as a transcript has it. The command may use a new,
 * empty folder `$SCRATCH`, and `unhex` to make bytes of hex.
 */
export function runStep(command: string): string[] {
  const scratch = mkdtempSync(join(tmpdir(), "pugmark-"));
  try {
    return runIn(command, scratch);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

const UNHEX = 'process.stdout.write(Buffer.from(require("fs").readFileSync(0, "utf8").trim(), "hex"))';

function runIn(command: string, scratch: string): string[] {
  const script = `pugmark() { "$PUGMARK_NODE" $PUGMARK_ARGS "$PUGMARK_MAIN" "$@"; }
unhex() { "$PUGMARK_NODE" -e '${UNHEX}'; }
${command}`;
  const { stdout, stderr, status, error } = spawnSync("sh", ["-c", script], {
    cwd: repositoryRoot,
    env: { ...cleanEnvironment(), ...program(), SCRATCH: scratch },
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) throw error;
  return [...outputLines(stdout), ...errorLines(stderr), `[exit ${status}]`];
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  const { NO_COLOR, FORCE_COLOR, PUGMARK_DEBUG, NODE_OPTIONS, ...env } = process.env;
  return { ...env, LC_ALL: "C.UTF-8", TERM: "dumb" };
}

/** The built program for a built test; the sources through tsx for a test that runs from its source. */
function program(): Record<string, string> {
  const built = import.meta.url.endsWith(".js");
  const main = fileURLToPath(new URL(`../../src/cli/main.${built ? "js" : "ts"}`, import.meta.url));
  const tsx = built ? "" : `--import=${pathToFileURL(createRequire(import.meta.url).resolve("tsx"))}`;
  return { PUGMARK_NODE: process.execPath, PUGMARK_ARGS: tsx, PUGMARK_MAIN: main };
}

function outputLines(stdout: string): string[] {
  if (stdout === "") return [];
  const lines = stdout.split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  else lines.push("\\ (no newline at the end)");
  return lines.map((line, index) =>
    index === lines.length - 1 && !stdout.endsWith("\n") ? line : escapeLine(line),
  );
}

const escapeLine = (line: string): string => (/^(\$ |! |# |\[|\\)/.test(line) ? `\\${line}` : line);

function errorLines(stderr: string): string[] {
  if (stderr === "") return [];
  return stderr
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => (line === "" ? "!" : `! ${line}`));
}
