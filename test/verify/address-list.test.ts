/** Addresses come out in the order of their offsets, each with what belongs to it, however far the offsets reach. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../src/codec/index.js";
import { AddressList, sortedShared } from "../../src/verify/classic/address-list.js";

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

test.run();
