/**
 * Every bit of real structures flipped, every shorter beginning: found wherever a checksum covers it, and never a
 * crash, a foreign exception, a hang or a memory blow-up. Nothing here catches anything, so an exception fails the test.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { formatByName } from "../../formats/index.js";
import { hasErrors, type Issue } from "../../src/codec/index.js";
import { annotatePage, decodePage } from "../../src/page/index.js";
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

type Reader = (bytes: Uint8Array) => readonly Issue[];

/** The ways to read a kind of bytes: one for every bit, others for one bit a byte, the slowest for fewer. */
interface Readers {
  readonly main: Reader;
  readonly others: readonly Reader[];
  readonly annotate: (bytes: Uint8Array) => unknown;
}

function readersOf({ format: name }: Sample): Readers {
  const format = formatByName(name);
  if (format === undefined) throw new Error(`no format is called ${name}`);
  const read: Reader = (bytes) => format.read(bytes).issues;
  if (name !== "page") return { main: read, others: [], annotate: (bytes) => format.annotate(bytes) };
  return {
    main: (bytes) => decodePage(bytes).issues,
    others: [read],
    annotate: (bytes) => annotatePage(bytes),
  };
}

/** Which bytes the sample's own checksum covers. */
type Coverage = (offset: number) => boolean;
const everywhere: Coverage = () => true;
const nowhere: Coverage = () => false;
const headOnly: Coverage = (offset) => offset < 64;

/** Bytes between two that are annotated. */
const STRIDE = 8;

function perturb(sample: Sample, isCovered: Coverage): void {
  const { main, others, annotate } = readersOf(sample);
  for (const read of [main, ...others]) assert.not(hasErrors(read(sample.bytes)), `${sample.name} is sound`);
  const bounded = new Bounded(sample.name, () => main(sample.bytes));
  const tally = { flips: 0, lengths: 0 };
  const check = (read: Reader, what: string, bytes: Uint8Array, offset: number): boolean => {
    const found = hasErrors(bounded.call(what, () => read(bytes)));
    if (!found && isCovered(offset)) assert.unreachable(`${sample.name}: ${what} is not detected`);
    return found;
  };
  eachBitFlip(sample.bytes, (damaged, offset, bit) => {
    const what = `byte ${offset} bit ${bit}`;
    if (check(main, what, damaged, offset)) tally.flips++;
    if (bit !== offset % 8) return;
    for (const read of others) check(read, what, damaged, offset);
    if (offset % STRIDE === 0) bounded.call(`annotate ${what}`, () => annotate(damaged));
  });
  eachTruncation(sample.bytes, (shorter) => {
    const { length } = shorter;
    const what = `cut to ${length}`;
    for (const read of others) check(read, what, shorter, length);
    if (check(main, what, shorter, length)) tally.lengths++;
    if (length % STRIDE === 0) bounded.call(`annotate ${what}`, () => annotate(shorter));
  });
  bounded.finish();
  printFigures(sample, tally, bounded);
}

/** PUGMARK_TEST_FIGURES=1 shows how close the bounds are. */
function printFigures(
  { name, bytes }: Sample,
  tally: { flips: number; lengths: number },
  bounded: Bounded,
): void {
  if (process.env.PUGMARK_TEST_FIGURES === undefined) return;
  const found = `${tally.flips} of ${bytes.length * 8} flips, ${tally.lengths} of ${bytes.length} lengths found`;
  const cost = `slowest ${(bounded.slowest * 1000).toFixed(1)} ms, most memory ${(bounded.hungriest / 1e6).toFixed(1)} MB`;
  process.stderr.write(`${name}: ${found}; ${cost}\n`);
}

const K0_CHECKSUM = 10; // K0's covers the blob only, not the header before it
const cryptCoverage = (generation: string): Coverage =>
  generation === "K0" ? (offset) => offset >= K0_CHECKSUM : everywhere;

const cases: Array<[Sample, Coverage]> = [
  ...pages.map((sample): [Sample, Coverage] => [sample, everywhere]),
  [partlyCovered, headOnly],
  ...cryptPages.map((sample): [Sample, Coverage] => [sample, cryptCoverage(sample.generation)]),
  [turtle, nowhere], // its checksum is in the checkpoint record: perturb-page-log.test.ts
  [oldTurtle, nowhere],
  ...cookies.map((sample): [Sample, Coverage] => [sample, nowhere]),
];

const test = suite("perturbed structures");
for (const [sample, isCovered] of cases)
  test(`${sample.name}: every bit, every length`, () => perturb(sample, isCovered));

test.run();
