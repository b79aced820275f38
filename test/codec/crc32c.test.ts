import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  crc32c,
  crc32cImplementation,
  crc32cRange,
  crc32cWithZeroedField,
  setCrc32c,
} from "../../src/codec/crc32c.js";
import { installNodeCrc32c } from "../../src/platform/node-crc32c.js";
import { skipped } from "../support/skip.js";

/** Known answers: RFC 3720 appendix B.4, and the check value of the polynomial's catalogue entry. */
const VECTORS: [name: string, bytes: Uint8Array, expected: number][] = [
  ["nothing", new Uint8Array(0), 0],
  ["check value", new TextEncoder().encode("123456789"), 0xe3069283],
  ["32 zeros", new Uint8Array(32), 0x8a9136aa],
  ["32 ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["ascending", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ["descending", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  [
    "iSCSI read command",
    Uint8Array.from(
      Buffer.from(
        "01c000000000000000000000000000001400000000000400000000140000001828000000000000000200000000000000",
        "hex",
      ),
    ),
    0xd9963a56,
  ],
];

const range = fc.record({
  bytes: fc.uint8Array({ maxLength: 2000 }),
  lead: fc.nat({ max: 17 }),
  start: fc.nat({ max: 700 }),
  length: fc.nat({ max: 2000 }),
  field: fc.nat({ max: 2000 }),
});

/** The same bytes at another alignment: the word view must not care where memory starts. */
function shifted(bytes: Uint8Array, lead: number): Uint8Array {
  const copy = new Uint8Array(lead + bytes.length).subarray(lead);
  copy.set(bytes);
  return copy;
}

/** One bit at a time, straight from the definition. */
function slow(bytes: Uint8Array): number {
  let c = -1;
  for (const byte of bytes) {
    c ^= byte;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  }
  return ~c >>> 0;
}

function implementations(): (() => string)[] {
  const builtIn = () => {
    setCrc32c();
    return crc32cImplementation();
  };
  return [builtIn, installNodeCrc32c];
}

const test = suite("crc32c");

for (const install of implementations()) {
  const name = install();

  test(`${name}: known vectors, at every alignment`, () => {
    install();
    for (const [what, bytes, expected] of VECTORS) {
      for (let lead = 0; lead < 5; lead++) assert.is(crc32c(shifted(bytes, lead)), expected, what);
    }
  });

  test(`${name}: any range agrees with the definition and can be split anywhere`, () => {
    install();
    const property = fc.property(range, ({ bytes, lead, start, length }) => {
      const input = shifted(bytes, lead);
      const wanted = slow(bytes.slice(start, start + length));
      assert.is(crc32cRange(input, start, start + length), wanted);
      const split = start + (length >> 1);
      const head = crc32c(input.slice(start, Math.min(split, bytes.length)));
      assert.is(crc32cRange(input, split, start + length, start < bytes.length ? head : 0), wanted);
    });
    fc.assert(property, { numRuns: 400 });
  });

  test(`${name}: a zeroed field, also one that lies partly or wholly outside`, () => {
    install();
    const property = fc.property(range, ({ bytes, lead, start, length, field }) => {
      const input = shifted(bytes, lead);
      const zeroed = bytes.slice().fill(0, field, field + 4);
      const wanted = slow(zeroed.slice(start, start + length));
      assert.is(crc32cWithZeroedField(input, start, start + length, field), wanted);
      assert.equal(input, bytes, "the input is left as it was");
    });
    fc.assert(property, { numRuns: 400 });
  });
}

test("the native code is in use", () => {
  const name = installNodeCrc32c();
  if (name === "slicing-by-16") return skipped("no native CRC32C binary for this platform", "other");
  assert.is(name, "@node-rs/crc32");
});

test("another implementation can be installed and removed", () => {
  setCrc32c({ name: "constant", minLength: 10, update: () => 7 });
  assert.is(crc32cImplementation(), "constant");
  assert.is(crc32c(new Uint8Array(10)), 7);
  assert.is(crc32c(VECTORS[1]![1]), VECTORS[1]![2], "below minLength the built-in code answers");
  setCrc32c();
  assert.is(crc32cImplementation(), "slicing-by-16");
});

test.after(() => {
  installNodeCrc32c();
});

test.run();
