/** What the inputs in corpus/ reach of the declarations: fields, names, flags, generations, and codes of rules. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FieldCoverage, type FormatCoverage } from "../../fuzz/campaign/field-coverage.js";
import { corpusPath } from "../../fuzz/corpus.js";
import { formatTargets } from "../../fuzz/targets/formats.js";
import { repositoryRoot } from "../support/corpus.js";

const test = suite("field coverage of the corpus");
const LEAST = 0.95;

/** Not reached, and why. */
const unreached: Readonly<Record<string, readonly string[]>> = {
  // A header with this flag is read as the generation that has it.
  "block-header": ["D1 flags & modified"],
  // A delta header with the magic of an image is no delta; the flags are those of every generation, reached in others.
  page: [
    "extended header.flags & emptyValuesAll",
    "extended header.flags & encrypted",
    "extended header.flags & unused",
    "D0-delta block.magic = base",
  ],
  // What a record of no known type holds: none is in the corpus of whole records, the body alone has one.
  "log-record": [" body.data"],
};

/** Rules no input of the corpus breaks, and why. */
const unbroken: Readonly<Record<string, readonly string[]>> = {
  // The size is not among the bytes: whoever knows the file's gives it.
  "extent-list": ["extent-file-size"],
  // Told by the whole page, whose inputs break them.
  "block-header": ["generation-version", "unsupported-version"],
  // A page of one line ends before the rule is asked.
  "disagg-turtle": ["turtle-lines"],
  "log-record-body": ["log-operation-unknown"],
};

function reached({ name, subject }: (typeof formatTargets)[number]): FormatCoverage {
  assert.ok(subject);
  const coverage = new FieldCoverage(subject.format);
  const folder = corpusPath(name);
  for (const file of existsSync(folder) ? readdirSync(folder).sort() : []) {
    const input = readFileSync(join(folder, file));
    coverage.add(subject.bytesOf(input), subject.generationOf(input));
  }
  return coverage.report();
}

/** Codes of errors and rules that some input shows. */
const shown = new Set<string>();

/** Codes that no bytes show, and why. */
const ofNoBytes: ReadonlySet<string> = new Set([
  // Of values to be written, JSON or an edit.
  ...["config-missing", "count-mismatch", "generation-field", "hex-odd", "json", "text-surrogate"],
  ...["unknown-field", "value-type"],
  // Of what is asked for beside the bytes: a generation, a format string, an allocation size.
  ...["address-alignment", "format-text", "unknown-generation"],
  // Of a declaration whose elements take no room: there is none.
  "no-progress",
]);

function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (entry.name.endsWith(".ts")) yield readFileSync(path, "utf8");
  }
}

for (const target of formatTargets)
  test(target.name, () => {
    const report = reached(target);
    const { format, declared, missing, missingRules } = report;
    assert.ok(
      declared === 0 || report.reached / declared >= LEAST,
      `${report.reached} of ${declared}: ${missing}`,
    );
    assert.equal(missing, unreached[format] ?? []);
    assert.equal(missingRules, unbroken[format] ?? []);
    for (const code of report.codes) shown.add(code);
  });

test("every code of an error that bytes can have is shown by some input", () => {
  const folders = [join(repositoryRoot, "src", "codec"), join(repositoryRoot, "formats")];
  const texts = folders.flatMap((folder) => [...sources(folder)]);
  const codes = new Set(
    texts.flatMap((text) => [...text.matchAll(/\bcode: "([a-z0-9-]+)"/g)].map(([, code]) => code!)),
  );
  assert.ok(codes.size > 80);
  const without = [...codes].filter((code) => !shown.has(code)).sort();
  assert.equal(without, [...ofNoBytes].sort());
});

test.run();
