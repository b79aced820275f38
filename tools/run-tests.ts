/**
 * The test runner: `node dist/tools/run-tests.js [--jobs=N] [--timeout=SECONDS] [--verbose] [PATTERN…]`.
 *
 * Each file runs in a process of its own. uvu exits 0 when a hook throws, when a non-Error is thrown, when
 * `.run()` is missing and when no file matches; here each of these is a failure. The last line of the output is
 * `N passed, N failed`, or `N passed, N failed, N skipped`; the exit code is 0 only if something passed and
 * nothing failed.
 */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findTestFiles } from "./test-runner/find-files.js";
import { type Failure, type FileResult, killAll, runFile, type Skip } from "./test-runner/run-file.js";

const DEFAULT_TIMEOUT_S = 600;

interface Totals {
  passed: number;
  failures: Failure[];
  skips: Skip[];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    jobs: { type: "string", default: String(availableParallelism()) },
    timeout: { type: "string", default: String(DEFAULT_TIMEOUT_S) },
    verbose: { type: "boolean", default: false },
  },
});
const root = packageRoot();
const jobs = positiveNumber("--jobs", values.jobs);
const timeoutMs = positiveNumber("--timeout", values.timeout) * 1000;

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    killAll();
    process.exit(1);
  });
}
process.exitCode = (await main()) ? 0 : 1;

async function main(): Promise<boolean> {
  const found = findTestFiles(root, positionals);
  const totals: Totals = { passed: 0, failures: [], skips: [] };
  for (const problem of found.problems) totals.failures.push({ name: "(runner)", detail: problem });
  await runAll(found.files, totals);
  if (totals.passed + totals.failures.length === 0) {
    totals.failures.push({ name: "(runner)", detail: "no test ran" });
  }
  summarise(totals);
  return totals.failures.length === 0;
}

async function runAll(files: readonly string[], totals: Totals): Promise<void> {
  const waiting = [...files];
  const worker = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const result = forbidSkips(await runFile(file, { timeoutMs, cwd: root }));
      const name = displayName(file);
      report(name, result);
      totals.passed += result.passed;
      totals.failures.push(
        ...result.failures.map((failure) => ({ ...failure, name: `${name}: ${failure.name}` })),
      );
      totals.skips.push(...result.skips.map((skip) => ({ ...skip, name: `${name}: ${skip.name}` })));
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
}

/** In CI the engine and the browser have to be there: their absence must not look like success. */
function forbidSkips(result: FileResult): FileResult {
  if (process.env.CI !== "true" || process.env.PUGMARK_REQUIRE_ENGINE !== "1") return result;
  const forbidden = result.skips.filter((skip) => skip.needs !== "other");
  const asFailures = forbidden.map(({ name, reason }) => ({
    name,
    detail: `skipped where that is forbidden: ${reason}`,
  }));
  return {
    ...result,
    skips: result.skips.filter((skip) => !forbidden.includes(skip)),
    failures: [...result.failures, ...asFailures],
  };
}

function report(name: string, { passed, failures, skips, output, milliseconds }: FileResult): void {
  const counts = [`${passed} passed`];
  if (failures.length > 0) counts.push(`${failures.length} failed`);
  if (skips.length > 0) counts.push(`${skips.length} skipped`);
  say(
    `${failures.length > 0 ? "FAIL" : "ok  "} ${name} (${counts.join(", ")}, ${(milliseconds / 1000).toFixed(1)} s)`,
  );
  for (const failure of failures) say(indent(`✘ ${failure.name}\n${indent(failure.detail)}`));
  if ((failures.length > 0 || values.verbose) && output.trim() !== "")
    say(indent(`output:\n${indent(output.trim())}`));
}

function summarise({ passed, failures, skips }: Totals): void {
  if (skips.length > 0) {
    say(`\nSKIPPED ${skips.length}:`);
    for (const skip of skips) say(`  ! ${skip.name} — ${skip.reason}`);
  }
  if (failures.length > 0) {
    say(`\nFAILED ${failures.length}:`);
    for (const failure of failures) say(`  ✘ ${failure.name} — ${failure.detail.split("\n", 1)[0]}`);
  }
  const skipped = skips.length > 0 ? `, ${skips.length} skipped` : "";
  say(
    `${skips.length + failures.length > 0 ? "\n" : ""}${passed} passed, ${failures.length} failed${skipped}`,
  );
}

function displayName(file: string): string {
  return relative(root, file)
    .replaceAll("\\", "/")
    .replace(/^dist\//, "")
    .replace(/\.js$/, ".ts");
}

function positiveNumber(option: string, text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  say(`${option} needs a positive number, not "${text}"`);
  process.exit(2);
}

/** The folder that holds package.json: this file runs from tools/ as well as from dist/tools/. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "    ");
}
