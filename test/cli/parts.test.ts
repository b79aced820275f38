import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CommandError, EXIT, explainError } from "../../src/cli/exit.js";
import { type InputLine, lineBatches } from "../../src/cli/lines.js";
import { nearMatches } from "../../src/cli/near.js";
import { checkOutputFile, writeOutputFile } from "../../src/cli/output-file.js";
import { runProgram } from "../../src/cli/program.js";
import { Terminal } from "../../src/cli/terminal.js";
import { byteSize, namedNumbers, safeNumber, wholeNumber } from "../../src/cli/values.js";
import { type ReportForm, renderReport, verdictExitCode } from "../../src/cli/verify-output.js";
import { InputError } from "../../src/store/input-error.js";
import { sampleReport } from "../report/sample.js";

const test = suite("parts of the command line");
const encoder = new TextEncoder();
const decoder = new TextDecoder();

async function linesOf(chunks: readonly string[], limit?: number): Promise<string[]> {
  const lines: InputLine[] = [];
  const source = Readable.from(chunks.map((chunk) => encoder.encode(chunk)));
  for await (const batch of lineBatches(source, limit)) lines.push(...batch);
  return lines.map((line) => (line === "too-long" ? "<too long>" : decoder.decode(line)));
}

test("lines do not depend on how input arrives", async () => {
  const parts = fc.array(fc.stringMatching(/^[ab\n]{0,6}$/), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(parts, async (chunks) => {
      const expected = chunks.join("").split("\n");
      if (expected[expected.length - 1] === "") expected.pop();
      assert.equal(await linesOf(chunks), expected);
    }),
    { numRuns: 200, seed: 7 },
  );
});

test("a long line is reported, dropped, and the next ones are read", async () => {
  assert.equal(await linesOf(["abc", "def", "ghi\nok\n", "12345678\n1234567"], 7), [
    ...["<too long>", "ok", "<too long>", "1234567"],
  ]);
});

test("names somebody may have meant", () => {
  const names = ["address-cookie", "classic-address-cookie", "page-header", "config", "crypt-page"];
  assert.equal(nearMatches("adress-cookie", names), ["address-cookie"]);
  assert.equal(nearMatches("cookie", names), ["address-cookie", "classic-address-cookie"]);
  assert.equal(nearMatches("confg", names), ["config"]);
  assert.equal(nearMatches("zzzzzzzz", names), []);
  assert.equal(nearMatches("x".repeat(100_000), names), []);
});

test("option values", () => {
  assert.is(wholeNumber("--lsn", "7594297955163570183"), 7594297955163570183n);
  assert.is(wholeNumber("--lsn", "0x10"), 16n);
  assert.is(byteSize("--allocation-size", "4KB"), 4096);
  assert.equal(namedNumbers("--param", ["a=1", "b=0x10"]), { a: 1, b: 16 });
  const wrong: Array<() => unknown> = [
    () => wholeNumber("--lsn", "18446744073709551616"),
    () => wholeNumber("--lsn", "-1"),
    () => wholeNumber("--lsn", ""),
    () => safeNumber("--offset", "9007199254740992"),
    () => byteSize("--allocation-size", "4k"),
    () => namedNumbers("--param", ["a"]),
    () => namedNumbers("--param", ["a=1=2"]),
    () => namedNumbers("--param", ["=1"]),
  ];
  for (const attempt of wrong) assert.throws(attempt, (error: unknown) => error instanceof CommandError);
});

test("exit codes of errors", () => {
  const code = (error: unknown): number | undefined => explainError(error)?.exitCode;
  assert.is(code(new CommandError("no")), EXIT.usage);
  assert.is(code(new InputError("input-missing", "x", "no such file")), EXIT.usage);
  assert.is(code(new InputError("input-unreadable", "x", "permission denied")), EXIT.usage);
  assert.is(code(new InputError("input-empty", "x", "empty")), EXIT.usage);
  assert.is(code(new InputError("input-unknown", "x", "nothing known")), EXIT.unrecognised);
  assert.is(code(new InputError("input-unsupported", "x", "too new")), EXIT.unrecognised);
  assert.is(
    code(Object.assign(new Error("EACCES"), { code: "EACCES", syscall: "open", path: "f" })),
    EXIT.usage,
  );
  assert.is(code(new TypeError("boom")), undefined);
  assert.is(code("a string"), undefined);
});

test("exit codes of verdicts", () => {
  const summary = { ...sampleReport.summary, errors: 0, warnings: 1, infos: 1 };
  assert.is(verdictExitCode(summary, "error"), EXIT.clean);
  assert.is(verdictExitCode(summary, "warning"), EXIT.findings);
  assert.is(verdictExitCode({ ...summary, warnings: 0 }, "warning"), EXIT.clean);
  assert.is(verdictExitCode({ ...summary, warnings: 0 }, "info"), EXIT.findings);
  assert.is(verdictExitCode({ ...summary, errors: 1 }, "error"), EXIT.findings);
});

test("every form of a report is made, and ends with a newline", async () => {
  const forms: readonly ReportForm[] = ["text", "json", "jsonl", "sarif", "html"];
  for (const form of forms) assert.match(await renderReport(sampleReport, form, { version: "1.2.3" }), /\n$/);
  const jsonl = await renderReport(sampleReport, "jsonl", { version: "1.2.3" });
  assert.is(jsonl.trimEnd().split("\n").length, sampleReport.findings.length + 1);
});

let folder = "";
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), "pugmark-"));
});
test.after.each(() => rmSync(folder, { recursive: true }));

test("a document appears whole, and replaces nothing", () => {
  const file = join(folder, "report.json");
  checkOutputFile(file, ["elsewhere"]);
  writeOutputFile(file, "text\n");
  assert.is(readFileSync(file, "utf8"), "text\n");
  assert.throws(() => checkOutputFile(file, []), /exists already/);
  assert.throws(
    () => writeOutputFile(file, "other"),
    (error: unknown) => explainError(error)?.exitCode === EXIT.usage,
  );
  assert.is(readFileSync(file, "utf8"), "text\n");
  assert.equal(readdirSync(folder), ["report.json"]);
});

test("nothing is written inside an input, whatever the path looks like", () => {
  symlinkSync(folder, join(folder, "link"));
  assert.throws(() => checkOutputFile(join(folder, "r"), [folder]), /lies inside the input/);
  assert.throws(() => checkOutputFile(join(folder, "link", "r"), [folder]), /lies inside the input/);
  assert.throws(() => checkOutputFile(join(folder, "r"), [join(folder, "link")]), /lies inside the input/);
  writeFileSync(join(folder, "input.wt"), "x");
  checkOutputFile(join(folder, "r"), [join(folder, "input.wt")]);
});

interface Capture {
  readonly streams: ConstructorParameters<typeof Terminal>[0];
  readonly out: () => string;
  readonly err: () => string;
}

function capture(isTTY: boolean, env: Record<string, string> = {}): Capture {
  const stdout = Object.assign(new PassThrough(), { isTTY });
  const stderr = Object.assign(new PassThrough(), { isTTY });
  const read = (stream: PassThrough): string => String(stream.read() ?? "");
  const streams = { stdin: Readable.from([]), stdout, stderr, env };
  return { streams, out: () => read(stdout), err: () => read(stderr) };
}

test("colours: on a terminal, not with NO_COLOR, as --color says", () => {
  const coloured = (
    isTTY: boolean,
    env: Record<string, string>,
    color?: "auto" | "always" | "never",
  ): boolean =>
    new Terminal({ ...capture(isTTY, env).streams, ...(color && { color }) }).palette("error", "x") !== "x";
  assert.is(coloured(true, {}), true);
  assert.is(coloured(false, {}), false);
  assert.is(coloured(true, { NO_COLOR: "1" }), false);
  assert.is(coloured(true, { TERM: "dumb" }), false);
  assert.is(coloured(true, { NO_COLOR: "1" }, "always"), true);
  assert.is(coloured(false, {}, "always"), true);
  assert.is(coloured(true, {}, "never"), false);
});

test("progress: only on a terminal, undone by output, not with --quiet", () => {
  const terminal = capture(true, { NO_COLOR: "1" });
  const shown = new Terminal(terminal.streams);
  shown.progress("checking 25 %");
  shown.fail("no");
  assert.is(terminal.err(), `\rchecking 25 %\r${" ".repeat(13)}\rpugmark: no\n`);
  for (const [isTTY, quiet] of [
    [false, false],
    [true, true],
  ] as const) {
    const silent = capture(isTTY);
    new Terminal({ ...silent.streams, quiet }).progress("checking 25 %");
    assert.is(silent.err(), "");
  }
});

test("--quiet keeps errors, drops notes", () => {
  const captured = capture(false);
  const terminal = new Terminal({ ...captured.streams, quiet: true });
  terminal.note("a note");
  terminal.fail("an\u001b error");
  assert.is(captured.err(), "pugmark: an\\x1b error\n");
});

test("an unexpected exception is exit 5, with how to report it; the stack only on request", async () => {
  const broken = (env: Record<string, string>): Capture => {
    const captured = capture(false, env);
    captured.streams.stdout.write = () => {
      throw new TypeError("boom");
    };
    return captured;
  };
  const plain = broken({});
  assert.is(await runProgram(["formats"], "1.2.3", plain.streams), EXIT.bug);
  const text = plain.err();
  assert.match(
    text,
    /^pugmark: unexpected error: TypeError: boom\npugmark: this is a bug in pugmark: please report/,
  );
  assert.not.match(text, /at /);
  const debug = broken({ PUGMARK_DEBUG: "1" });
  assert.is(await runProgram(["formats"], "1.2.3", debug.streams), EXIT.bug);
  assert.match(debug.err(), /pugmark: {5}at /);
});

test("--version", async () => {
  const captured = capture(false);
  assert.is(await runProgram(["--version"], "1.2.3", captured.streams), EXIT.clean);
  assert.is(captured.out(), "1.2.3\n");
});

test.run();
