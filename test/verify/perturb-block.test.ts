/**
 * The verifier on one classic block in a file of its own: every bit of a leaf and of an internal page, and bits all
 * over compressed leaves. The checksum of those of 3.2.1 covers 64 bytes only: the rest goes to the decompressor.
 */
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { InputError } from "../../src/store/input-error.js";
import { type Finding, verify } from "../../src/verify/index.js";
import { Bounded } from "../support/bounded.js";
import { compressedLeaves, pages, type Sample } from "../support/samples.js";

/** Large blocks are damaged in one byte of so many. */
const SPARSE = 127;

const folder = mkdtempSync(join(tmpdir(), "pugmark-test-"));
const file = join(folder, "block");
const handle = openSync(file, "w");

async function errorsOf(bytes: Uint8Array): Promise<Finding[]> {
  writeSync(handle, bytes, 0, bytes.length, 0); // in place: emptying a file first makes some file systems flush it
  ftruncateSync(handle, bytes.length);
  const report = await verify([file], { kind: "block" });
  return report.findings.filter(({ severity }) => severity === "error");
}

const test = suite("perturbed blocks");
test.after(() => {
  closeSync(handle);
  rmSync(folder, { recursive: true });
});

/** Flips one bit at a time, a byte in `stride`, and the block cut at as many places. */
async function perturb(
  sample: Sample,
  stride: number,
  bits: readonly number[],
  covered: number,
): Promise<void> {
  const { name, bytes } = sample;
  assert.equal(await errorsOf(bytes), [], "sound before it is damaged");
  const bounded = await Bounded.started(name, () => errorsOf(bytes));
  const copy = bytes.slice();
  for (let offset = 0; offset < bytes.length; offset += offset < covered ? 1 : stride) {
    for (const bit of offset < covered ? [0, 1, 2, 3, 4, 5, 6, 7] : bits) {
      copy[offset]! ^= 1 << bit;
      const what = `byte ${offset} bit ${bit}`;
      const errors = await bounded.wait(what, () => errorsOf(copy));
      if (errors.length === 0 && offset < covered) assert.unreachable(`${name}: ${what} is not detected`);
      copy[offset]! ^= 1 << bit;
    }
    if (offset === 0) continue; // an empty file is no input at all
    const shorter = bytes.subarray(0, offset);
    const errors = await bounded.wait(`cut to ${offset}`, () => errorsOf(shorter));
    if (errors.length === 0) assert.unreachable(`${name}: cut to ${offset} is not detected`);
  }
  bounded.finish();
}

for (const sample of pages.filter(({ name }) => name.startsWith("classic")))
  test(`${sample.name}: every bit, every length`, () => perturb(sample, 1, [], sample.bytes.length));

for (const sample of compressedLeaves)
  test(`${sample.name}: bits of one byte in ${SPARSE}`, () => perturb(sample, SPARSE, [0, 7], 64));

test("an empty file is refused, not verified", async () => {
  const refused = await errorsOf(new Uint8Array()).catch((error: unknown) => error);
  assert.instance(refused, InputError);
});

test.run();
