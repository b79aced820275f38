/** What the inputs in corpus/ reach of the declarations: fields, names, flags, generations, and codes of rules. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FieldCoverage, type FormatCoverage } from "../../fuzz/campaign/field-coverage.js";
import { corpusPath } from "../../fuzz/corpus.js";
import { formatTargets } from "../../fuzz/targets/formats.js";

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
  // Broken by the inputs of format-delta-value; in a page every such value is read as another form first.
  page: ["delta-value"],
  // Told by the whole page, whose inputs break them.
  "block-header": ["generation-version", "unsupported-version"],
  // A page of one line ends before the rule is asked.
  "disagg-turtle": ["turtle-lines"],
  // Broken by what campaigns change, by no input that is kept.
  "log-record": ["log-record-alignment"],
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
  });

test.run();
