import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { formats } from "../../formats/registry.js";
import { rules } from "../../src/verify/rules/index.js";
import { repositoryRoot } from "../support/corpus.js";

const test = suite("documentation");

test("what is generated from the code is up to date", () => {
  const program = join(repositoryRoot, "dist/tools/docs.js");
  const output = execFileSync(process.execPath, [program, "--check"], { encoding: "utf8" });
  assert.is(output, "");
});

test("each code is documented once", () => {
  const page = readFileSync(join(repositoryRoot, "docs", "findings.md"), "utf8");
  const listed = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code]) => code as string);
  assert.equal(listed, [...new Set(rules.map(({ code }) => code))].sort());
});

test("codes of rules are kebab-case and say the same wherever they are used twice", () => {
  for (const { code, title } of rules) {
    assert.match(code, /^[a-z]+(-[a-z]+)*$/);
    assert.ok(title.length > 0);
  }
});

test("names of formats are unique", () => {
  const names = formats.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
});

test.run();
