/** Addresses come out in the order of their offsets, each with what belongs to it, however far the offsets reach. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../src/codec/index.js";
import { AddressList, sortedShared } from "../../src/verify/classic/address-list.js";
import { NO_KEY } from "../../src/verify/classic/key-bytes.js";

const test = suite("address lists");

for (const [kind, unit] of [
  ["a small file", 4096],
  ["a file of terabytes", 2 ** 38],
] as const)
  test(`sorted by offset: ${kind}`, () => {
    const random = seededRandom(7);
    const list = new AddressList();
    for (let at = 0; at < 3000; at++) list.push(random.below(2000) * unit, at, at * 3, at % 3, 0, at, at + 1);
    const sorted = sortedShared(list);
    const expected = Array.from({ length: list.length }, (_, at) => at).sort(
      (a, b) => (list.offsets[a] as number) - (list.offsets[b] as number),
    );
    assert.equal([...sorted.sizes], expected);
    assert.equal(
      [...sorted.offsets],
      expected.map((from) => list.offsets[from]),
    );
    assert.equal(
      [...sorted.checksums],
      expected.map((from) => from * 3),
    );
    assert.equal(
      [...sorted.highs],
      expected.map((from) => from + 1),
    );
    assert.equal(
      [...sorted.kinds],
      expected.map((from) => from % 3),
    );
  });

test("a list added as a whole is the list added address by address", () => {
  const random = seededRandom(8);
  const key = (): Uint8Array => Uint8Array.from({ length: random.below(9) }, () => random.below(256));
  const all = new AddressList();
  const expected: (readonly (Uint8Array | undefined | number)[])[] = [];
  for (let page = 0; page < 20; page++) {
    const list = new AddressList();
    for (let left = random.below(200); left > 0; left--) {
      const [low, high, told] = [key(), key(), key()];
      const [offset, size, checksum, kind] = [random.below(2 ** 40), random.below(2 ** 20), left, left % 3];
      const known = random.below(4) > 0;
      const number = known ? list.separators.push(low) : NO_KEY;
      list.push(offset, size, checksum, kind, 0, number, list.separators.push(high));
      list.times[list.length - 1] = known ? NO_KEY : list.separators.push(told);
      expected.push([offset, size, checksum, kind, known ? low : undefined, high, known ? undefined : told]);
    }
    all.append(list);
  }
  assert.is(all.length, expected.length);
  for (const [at, [offset, size, checksum, kind, low, high, told]] of expected.entries()) {
    assert.equal(
      [all.offsets[at], all.sizes[at], all.checksums[at], all.kinds[at]],
      [offset, size, checksum, kind],
    );
    assert.equal([all.lowOf(at), all.highOf(at), all.timesOf(at)], [low, high, told]);
  }
});

test.run();
