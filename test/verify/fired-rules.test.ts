/** Every rule there is, is made to fire by a test of this folder; those of single blocks and of runs are here. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Finding, VerifyOptions } from "../../src/verify/index.js";
import { verify } from "../../src/verify/index.js";
import { rules } from "../../src/verify/rules/index.js";
import { corpusPath, repositoryRoot } from "../support/corpus.js";
import { pages } from "../support/samples.js";

const folder = mkdtempSync(join(tmpdir(), "pugmark-test-"));
const sound = corpusPath("vectors", "mongodb_valid_page.bin");
const leaf = pages.find(({ name }) => name === "base image of a leaf")?.bytes as Uint8Array;

function written(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function changed(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
}

interface Firing {
  readonly code: string;
  readonly severity: Finding["severity"];
  readonly paths: readonly string[];
  /** Where it is to be. */
  readonly path: string;
  readonly options?: VerifyOptions;
}

/** Two pages at which the same rules fire. */
const twice = `${["a", "b"].map(() => Buffer.from(changed(leaf, leaf.length - 1)).toString("hex")).join("\n")}\n`;

const firings: readonly Firing[] = [
  {
    code: "block-unreadable",
    severity: "error",
    paths: [written("short", "\u0001\u0002")],
    path: join(folder, "short"),
    options: { kind: "block" },
  },
  {
    code: "block-checksum",
    severity: "error",
    paths: [written("page", changed(leaf, leaf.length - 1))],
    path: join(folder, "page"),
    options: { kind: "block" },
  },
  {
    code: "findings-suppressed",
    severity: "info",
    paths: [written("hex", twice)],
    path: "",
    options: { maxFindingsPerCode: 1, kind: "block" },
  },
  {
    code: "input-unreadable",
    severity: "warning",
    paths: [sound, join(folder, "missing")],
    path: join(folder, "missing"),
  },
  {
    code: "input-unknown",
    severity: "warning",
    paths: [sound, written("strange", "nothing that is known\n")],
    path: join(folder, "strange"),
  },
];

const test = suite("rules that fire");
test.after(() => rmSync(folder, { recursive: true }));

for (const { code, severity, paths, path, options } of firings)
  test(code, async () => {
    const { findings } = await verify(paths, options);
    const fired = findings.filter((finding) => finding.code === code);
    assert.equal(
      fired.map((finding) => [finding.severity, finding.path]),
      [[severity, path]],
      findings.map(({ code: other, message }) => `${other} ${message}`).join("\n"),
    );
  });

/**
 * Rows of the tables of damage, calls that make one, and findings that are compared whole: each is asserted to be
 * found by the test it stands in.
 */
const ASSERTED = /(?:code: |metadata\(\s*)"([a-z0-9-]+)"|"(?:error|warning|info) ([a-z0-9-]+)[ "]/g;

test("every rule is made to fire somewhere", () => {
  const tests = join(repositoryRoot, "test", "verify");
  const fired = new Set<string>();
  for (const name of readdirSync(tests))
    for (const [, row, brief] of readFileSync(join(tests, name), "utf8").matchAll(ASSERTED))
      fired.add((row ?? brief) as string);
  const never = rules.map(({ code }) => code).filter((code) => !fired.has(code));
  assert.equal(never, []);
});

test.run();
