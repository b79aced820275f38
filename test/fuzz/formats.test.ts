import { suite } from "uvu";
import { formatTargets } from "../../fuzz/targets/formats.js";
import { seededRandom } from "../../src/codec/index.js";

const test = suite("fuzz targets of formats");
const INPUTS = 150;

for (const { name, seeds, fuzz } of formatTargets)
  test(name, () => {
    const valid = [...seeds()];
    for (const seed of valid) fuzz(seed);
    const random = seededRandom(name.length);
    for (let i = 0; i < INPUTS; i++) {
      const seed = valid[i % valid.length]!.slice();
      for (let left = random.below(4); left > 0 && seed.length > 1; left--)
        seed[1 + random.below(seed.length - 1)] = random.below(256);
      fuzz(seed.subarray(0, random.below(3) === 0 ? 1 + random.below(seed.length) : seed.length));
      fuzz(random.bytes(random.below(120)));
    }
  });

test.run();
