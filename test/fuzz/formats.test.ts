import { suite } from "uvu";
import { formats } from "../../formats/registry.js";
import { fuzz } from "../../fuzz/formats.js";
import { type RandomSource, seededRandom } from "../../src/codec/index.js";

const test = suite("fuzz target: formats");
const INPUTS = 200;

/** A value of the format with a few bytes changed, or cut. */
function damaged(format: number, random: RandomSource): Uint8Array {
  const codec = formats[format] as (typeof formats)[number];
  const bytes = codec.build(codec.generate(random)).slice();
  for (let i = random.below(4); i > 0 && bytes.length > 0; i--)
    bytes[random.below(bytes.length)] = random.below(256);
  return bytes.subarray(0, random.below(3) === 0 ? random.below(bytes.length + 1) : bytes.length);
}

for (const [index, { name }] of formats.entries())
  test(name, () => {
    const random = seededRandom(index + 1);
    for (let i = 0; i < INPUTS; i++) {
      fuzz(Uint8Array.of(index, ...damaged(index, random)));
      fuzz(Uint8Array.of(index, ...random.bytes(random.below(120))));
    }
  });

test.run();
