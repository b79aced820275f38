import { suite } from "uvu";
import * as assert from "uvu/assert";
import { targets } from "../../fuzz/targets/index.js";
import { seededRandom } from "../../src/codec/index.js";

const test = suite("fuzz targets");
/** Formats have many targets, and whole stores take longer. */
const inputsOf = (name: string): number => {
  if (/^(verify|tree|checkpoint|repair)-/.test(name)) return 20;
  return name.startsWith("format-") ? 60 : 400;
};

test("names are distinct, oracles are one line", () => {
  assert.is(new Set(targets.map(({ name }) => name)).size, targets.length);
  for (const { name, oracle } of targets) {
    assert.match(name, /^[a-z][A-Za-z0-9-]*$/);
    assert.ok(oracle.length > 20 && !oracle.includes("\n"), name);
  }
});

for (const { name, seeds, fuzz } of targets)
  test(name, () => {
    const valid = [...seeds()];
    for (const seed of valid) fuzz(seed);
    fuzz(new Uint8Array());
    const random = seededRandom(name.length);
    for (let i = 0; i < inputsOf(name); i++) {
      const seed = valid[i % valid.length]!.slice();
      for (let left = random.below(6); left > 0 && seed.length > 1; left--)
        seed[1 + random.below(seed.length - 1)] = random.below(256);
      fuzz(seed.subarray(0, random.below(3) === 0 ? 1 + random.below(seed.length) : seed.length));
      fuzz(random.bytes(random.below(120)));
    }
  });

test.run();
