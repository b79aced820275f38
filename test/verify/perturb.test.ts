/**
 * Every bit of real structures flipped, every shorter beginning: found wherever a checksum covers it, and never a
 * crash, a foreign exception, a hang or a memory blow-up. A foreign exception fails the test by itself: nothing here
 * catches anything but what `detects` knows.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { formatByName } from "../../formats/index.js";
import { type Format, hasErrors } from "../../src/codec/index.js";
import { Bounded } from "../support/bounded.js";
import { eachBitFlip, eachTruncation } from "../support/damage.js";
import {
  cookies,
  cryptPages,
  oldTurtle,
  pages,
  partlyCovered,
  type Sample,
  turtle,
} from "../support/samples.js";

type AnyFormat = Format<unknown>;

function formatOf({ format: name }: Sample): AnyFormat {
  const format = formatByName(name);
  assert.ok(format, `a format called ${name}`);
  return format as AnyFormat;
}

const isDamaged = (format: AnyFormat, bytes: Uint8Array): boolean => hasErrors(format.read(bytes).issues);

/** Which bytes the sample's own checksum covers. */
type Coverage = (offset: number) => boolean;
const everywhere: Coverage = () => true;
const nowhere: Coverage = () => false;
const headOnly: Coverage = (offset) => offset < 64;

function flips(sample: Sample, isCovered: Coverage): void {
  const format = formatOf(sample);
  assert.equal(
    format.read(sample.bytes).issues.filter(({ severity }) => severity === "error"),
    [],
  );
  const bounded = new Bounded(sample.name, () => isDamaged(format, sample.bytes));
  let found = 0;
  eachBitFlip(sample.bytes, (damaged, offset, bit) => {
    const what = `byte ${offset} bit ${bit}`;
    const detected = bounded.call(what, () => isDamaged(format, damaged));
    if (detected) found++;
    else if (isCovered(offset)) assert.unreachable(`${sample.name}: ${what} is not detected`);
    if (offset % 8 === 0 && offset % 64 === bit * 8)
      bounded.call(`annotate ${what}`, () => format.annotate(damaged));
  });
  bounded.finish();
  report(`${sample.name}: ${found} of ${sample.bytes.length * 8} flips found`, bounded);
}

function truncations(sample: Sample, isCovered: Coverage): void {
  const format = formatOf(sample);
  const bounded = new Bounded(sample.name, () => isDamaged(format, sample.bytes));
  let found = 0;
  eachTruncation(sample.bytes, (shorter) => {
    const what = `cut to ${shorter.length}`;
    const detected = bounded.call(what, () => isDamaged(format, shorter));
    if (detected) found++;
    else if (isCovered(shorter.length)) assert.unreachable(`${sample.name}: ${what} is not detected`);
    if (shorter.length % 8 === 0) bounded.call(`annotate ${what}`, () => format.annotate(shorter));
  });
  bounded.finish();
  report(`${sample.name}: ${found} of ${sample.bytes.length} truncations found`, bounded);
}

function report(line: string, { slowest, hungriest }: Bounded): void {
  if (process.env.PUGMARK_TEST_FIGURES === undefined) return;
  const cost = `slowest ${(slowest * 1000).toFixed(1)} ms, most memory ${(hungriest / 1e6).toFixed(1)} MB`;
  process.stderr.write(`${line}; ${cost}\n`);
}

const K0_CHECKSUM = 10; // K0's covers the blob only, not the header before it
const cryptCoverage = (generation: string): Coverage =>
  generation === "K0" ? (offset) => offset >= K0_CHECKSUM : everywhere;

const cases: Array<[Sample, Coverage]> = [
  ...pages.map((sample): [Sample, Coverage] => [sample, everywhere]),
  [partlyCovered, headOnly],
  ...cryptPages.map((sample): [Sample, Coverage] => [sample, cryptCoverage(sample.generation)]),
  [turtle, nowhere], // its checksum is in the checkpoint record
  [oldTurtle, nowhere],
  ...cookies.map((sample): [Sample, Coverage] => [sample, nowhere]),
];

const test = suite("perturbed structures");
for (const [sample, isCovered] of cases) {
  test(`${sample.name}: every bit`, () => flips(sample, isCovered));
  test(`${sample.name}: every length`, () => truncations(sample, isCovered));
}

test.run();
