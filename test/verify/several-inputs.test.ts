/** Inputs that cannot be read among others, and files that cannot be read in a directory. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runProgram } from "../../src/cli/program.js";
import { InputError } from "../../src/store/input-error.js";
import { verify } from "../../src/verify/index.js";
import { corpusPath } from "../support/corpus.js";

const test = suite("several inputs");
const folder = mkdtempSync(join(tmpdir(), "pugmark-test-"));
test.after(() => rmSync(folder, { recursive: true }));

const sound = corpusPath("vectors", "mongodb_valid_page.bin");
const damaged = corpusPath("vectors", "mongodb_non_hex.log");
const missing = join(folder, "missing");
const empty = join(folder, "empty");
const strange = join(folder, "strange");
const MISSING = "no such file or directory";
writeFileSync(empty, "");
writeFileSync(strange, "nothing that is known\n");

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const code = await runProgram(["verify", ...args], "0.0.0", { stdin, stdout, stderr, env: {} } as never);
  const text = (stream: PassThrough): string => String(stream.read() ?? "");
  return { code, out: text(stdout), err: text(stderr) };
}
const failures = (err: string): string[] => err.split("\n").filter((line) => line.startsWith("pugmark:"));

test("one that is missing does not stop the others, and is no clean verdict", async () => {
  for (const paths of [
    [missing, sound],
    [sound, missing],
  ]) {
    const { code, out, err } = await run("--json", ...paths);
    assert.is(code, 2, err);
    const report = JSON.parse(out);
    assert.equal(
      report.inputs.map(({ path, kind, reason }: Record<string, unknown>) => [path, kind, reason]),
      paths.map((path) => [path, ...(path === sound ? ["block", undefined] : [null, MISSING])]),
    );
    assert.equal(
      report.findings.map(({ code: name, path }: { code: string; path: string }) => [name, path]),
      [["input-unreadable", missing]],
    );
    assert.is(report.summary.pages, 1);
    assert.is(report.summary.unreadable, 1);
    assert.is(report.summary.complete, false);
    assert.equal(failures(err), [`pugmark: ${missing}: no such file or directory`]);
  }
});

test("every input has its entry, also in the last line of JSON lines and among documents", async () => {
  const { out } = await run("--jsonl", missing, sound, empty, strange);
  const { inputs } = JSON.parse(out.trimEnd().split("\n").at(-1) as string);
  assert.equal(
    inputs.map(({ path, kind }: Record<string, unknown>) => [path, kind]),
    [missing, sound, empty, strange].map((path) => [path, path === sound ? "block" : null]),
  );
  assert.match((await run("--html", missing, sound)).out, /not opened: no such file or directory/);
  assert.match((await run(missing, sound)).out, /checked in 1 input;/);
});

test("one whose kind is given and wrong has its reason", async () => {
  const log = corpusPath("palm", "a_small");
  const { out } = await run("--json", "--kind", "palm", log, sound);
  const [first, second] = JSON.parse(out).inputs;
  assert.equal([first.kind, first.reason], ["palm", undefined]);
  assert.equal([second.path, second.reason], [sound, "not an LMDB environment"]);
});

test("kinds that cannot be at such a path", async () => {
  const home = corpusPath("classic-12.0", "basic");
  const file = join(home, "row.wt");
  for (const [kind, path, reason] of [
    ["classic-directory", file, "not a directory, so no classic directory"],
    ["palm", home, "no kv_home/data.mdb and no data.mdb in it"],
    ["page-log-jsonl", home, "no pages.jsonl in it"],
    ["page-service-jsonl", home, "a directory; page-service-jsonl is the kind of a file"],
    ["wt-file", home, "a directory; wt-file is the kind of a file"],
    ["corruption-log", file, "no corruption dump in it"],
    ["corruption-log", sound, "no corruption dump in it"],
  ] as const) {
    const { code, out, err } = await run("--kind", kind, path);
    assert.equal([code, out, err], [3, "", `pugmark: ${path}: ${reason}\n`]);
  }
});

test("an export without its pages", async () => {
  const home = join(folder, "export");
  mkdirSync(home);
  writeFileSync(join(home, "checkpoints.jsonl"), "");
  writeFileSync(join(home, "globals.jsonl"), "");
  for (const kind of [[], ["--kind", "page-log-jsonl"]]) {
    const { code, err } = await run(...kind, home);
    assert.is(code, 2);
    assert.match(err, /^pugmark: .*export: pages\.jsonl is missing: .*\n$/);
  }
});

test("damage wins over what cannot be read, and that over what is not known", async () => {
  assert.is((await run(damaged, missing, strange)).code, 1);
  assert.is((await run(missing, strange, sound)).code, 2);
  assert.is((await run(strange, sound)).code, 3);
  assert.is((await run(empty, sound)).code, 2);
  assert.is((await run("--fail-on", "warning", missing, sound)).code, 2);
});

test("each bad input has its own line", async () => {
  const { err } = await run(missing, empty, strange, sound);
  const lines = failures(err);
  assert.is(lines.length, 3, err);
  for (const [at, path] of [missing, empty, strange].entries())
    assert.ok(lines[at]?.includes(path), lines[at]);
});

test("bad inputs only", async () => {
  const { code, out } = await run(missing, strange);
  assert.is(code, 2);
  assert.ok(out.startsWith("INCOMPLETE") || out.includes("\nINCOMPLETE"), out);
});

test("a single one is an error of the library, and one line", async () => {
  assert.instance(await verify([missing]).catch((error: unknown) => error), InputError);
  const { code, out, err } = await run(missing);
  assert.equal([code, out], [2, ""]);
  assert.is(err, `pugmark: ${missing}: no such file or directory\n`);
});

test("files of a directory that cannot be read", async () => {
  for (const name of ["c.wt", "extra.wt", "WiredTiger.wt", "WiredTiger.turtle"]) {
    const home = join(folder, `home-${name}`);
    cpSync(corpusPath("corrupt-classic", "orig"), home, { recursive: true });
    rmSync(join(home, name), { force: true });
    mkdirSync(join(home, name)); // no file where one should be: also the superuser cannot read it
    const { code, err } = await run(home);
    assert.is(code, 2, `${name}: ${err}`);
    assert.is(failures(err).length, 1, err);
    assert.ok(err.includes(name), err);
  }
});

test("an unknown generation is a wrong use", async () => {
  const { code, out, err } = await run("--generation", "D9", sound);
  assert.equal([code, out], [2, ""]);
  assert.match(err, /^pugmark: --generation: no generation is called "D9"; there are .*D1.*K2.*\n$/);
});

test.run();
