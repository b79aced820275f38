import { spawnSync } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const extension = extname(import.meta.url);
const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

interface Outcome {
  status: number | null;
  stdout: string;
  lastLine: string;
}

function runTests(args: string[], env: Record<string, string> = {}): Outcome {
  const { CI: _ci, PUGMARK_REQUIRE_ENGINE: _engine, ...outer } = process.env;
  const { status, stdout } = spawnSync(
    process.execPath,
    [...process.execArgv, pathOf(`../../tools/run-tests${extension}`), ...args],
    { encoding: "utf8", env: { ...outer, ...env } },
  );
  return { status, stdout, lastLine: stdout.trimEnd().split("\n").at(-1) ?? "" };
}

const fixture = (name: string): string => pathOf(`./fixtures/${name}.fixture${extension}`);

const runner = suite("run-tests");

runner("is green, and says so in its last line, when everything passes", () => {
  const { status, stdout, lastLine } = runTests([fixture("passes")]);
  assert.is(lastLine, "2 passed, 0 failed");
  assert.ok(stdout.endsWith("2 passed, 0 failed\n"));
  assert.is(status, 0);
});

/** What uvu alone would often call a success: the last line expected, and what the output must mention. */
const red: [name: string, lastLine: string, mentions: RegExp[]][] = [
  ["fails", "2 passed, 1 failed", [/fails › bad/, /actual·value/, /fails\.fixture\.ts:6/]],
  ["throws-in-before", "0 passed, 3 failed", [/no database/, /broken › second — did not run/]],
  ["throws-in-after", "1 passed, 2 failed", [/cannot clean up/, /second › never reached — did not run/]],
  ["throws-in-before-each", "0 passed, 2 failed", [/no page/, /broken › first — did not run/]],
  [
    "throws-non-error",
    "1 passed, 2 failed",
    [/threw undefined, which is not an Error/, /threw \{ code: 7 \}/],
  ],
  ["forgets-run", "0 passed, 1 failed", [/forgotten › never runs — never ran/]],
  ["forgets-one-run", "1 passed, 1 failed", [/forgotten › never runs — never ran/]],
  ["holds-no-test", "0 passed, 1 failed", [/holds no test/]],
  ["only", "1 passed, 1 failed", [/left › left out — did not run: another test is marked \.only/]],
  [
    "exits-midway",
    "1 passed, 1 failed",
    [/ended before its tests were finished \(while running "leaver › leaves"\)/],
  ],
  ["exits-while-loading", "0 passed, 1 failed", [/ended before its tests were finished: exit code 0/]],
  ["never-settles", "0 passed, 1 failed", [/while running "waiting › for nothing"/]],
  [
    "throws-while-loading",
    "0 passed, 1 failed",
    [/ended before its tests were finished: exit code 1/, /cannot load/],
  ],
  ["rejects-unhandled", "1 passed, 1 failed", [/exit code 1/, /nobody listens/]],
];
for (const [name, lastLine, mentions] of red) {
  runner(`is red when a file ${name}`, () => {
    const outcome = runTests([fixture(name)]);
    assert.is(outcome.lastLine, lastLine);
    for (const mention of mentions) assert.match(outcome.stdout, mention);
    assert.is(outcome.status, 1);
  });
}

runner("ends a file that hangs, and names the test", () => {
  const { status, stdout, lastLine } = runTests(["--timeout=3", fixture("hangs")]);
  assert.is(lastLine, "0 passed, 1 failed");
  assert.match(stdout, /while running "stuck › loops"\): timed out after 3 s/);
  assert.is(status, 1);
});

runner("is red when a pattern matches nothing, even beside one that does", () => {
  const alone = runTests(["no-such-test"]);
  assert.is(alone.lastLine, "0 passed, 1 failed");
  assert.match(alone.stdout, /no test file matches "no-such-test"/);
  assert.is(alone.status, 1);
  const beside = runTests([fixture("passes"), "no-such-test"]);
  assert.is(beside.lastLine, "2 passed, 1 failed");
  assert.is(beside.status, 1);
});

runner("adds up several files", () => {
  const { status, lastLine } = runTests(["passes", "fails", "skips"].map(fixture));
  assert.is(lastLine, "5 passed, 1 failed, 3 skipped");
  assert.is(status, 1);
});

runner("lists skipped tests with their reasons", () => {
  const { status, stdout, lastLine } = runTests([fixture("skips")], { CI: "true" });
  assert.is(lastLine, "1 passed, 0 failed, 3 skipped");
  assert.match(stdout, /SKIPPED 3:/);
  assert.match(stdout, /partly › needs the engine — no wt command/);
  assert.match(stdout, /partly › needs something else — not on this platform/);
  assert.match(stdout, /partly › marked — marked \.skip/);
  assert.is(status, 0);
});

runner("is red in CI when a test skips for want of the engine it requires", () => {
  const { status, stdout, lastLine } = runTests([fixture("skips")], {
    CI: "true",
    PUGMARK_REQUIRE_ENGINE: "1",
  });
  assert.is(lastLine, "1 passed, 1 failed, 2 skipped");
  assert.match(stdout, /partly › needs the engine — skipped where that is forbidden: no wt command/);
  assert.is(status, 1);
});

runner("does not take fixtures for tests", () => {
  const { stdout } = runTests(["fixture"]);
  assert.match(stdout, /no test file matches "fixture"/);
});

runner.run();
