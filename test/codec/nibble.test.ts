/** Nibble-packed numbers (formats: cells and deltas §1): bit 3 says that more follow, chunks after the first bear 1. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bytesToHex, FormatError, format, hexToBytes, nibble, struct, u8 } from "../../src/codec/index.js";
import { vectors } from "../support/vector.js";

const test = suite("codec: nibble-packed numbers");
const info = { name: "n", title: "", source: "" };
const pair = format(info, struct({ version: nibble(), minVersion: nibble() }));
const single = format(info, struct({ n: nibble() }));

const codeOf = (hex: string): string => {
  const reading = single.read(hexToBytes(hex));
  return reading.ok ? "no error" : reading.error.code;
};

test("every vector, both ways", () => {
  const rows: ReadonlyArray<{ hex: string; version: number; min_version: number }> =
    vectors("cookies.json").nibble_pair;
  assert.ok(rows.length >= 5);
  for (const { hex, version, min_version: minVersion } of rows) {
    assert.equal(pair.parse(hexToBytes(hex)), { version, minVersion }, hex);
    assert.is(bytesToHex(pair.build({ version, minVersion })), hex);
  }
});

/** First and last value of each length; the last nibble of an odd number of them is unused. */
const EDGES: ReadonlyArray<readonly [number, string]> = [
  [0, "00"],
  [7, "07"],
  [8, "08"],
  [71, "7f"],
  [72, "8800"],
  [583, "ff07"],
  [584, "8808"],
  [4679, "ff7f"],
  [0xffffffff, "efeeeeeeee02"],
];

test("the first and last value of every length", () => {
  for (const [n, hex] of EDGES) {
    assert.is(bytesToHex(single.build({ n })), hex, String(n));
    assert.equal(single.parse(hexToBytes(hex)), { n }, hex);
  }
});

test("any two numbers come back, and no value has two forms", () => {
  const number = fc.oneof(fc.nat({ max: 5000 }), fc.nat({ max: 0xffffffff }));
  fc.assert(
    fc.property(number, number, (version, minVersion) => {
      assert.equal(pair.parse(pair.build({ version, minVersion })), { version, minVersion });
    }),
    { numRuns: 2000 },
  );
  for (let first = 0; first < 0x10000; first++) {
    const bytes = Uint8Array.of(first & 0xff, first >> 8);
    const reading = single.read(bytes, { partial: true });
    if (reading.ok) assert.equal(single.build(reading.value), bytes.subarray(0, reading.length));
  }
});

test("numbers above 2^32 − 1 are refused, however many nibbles follow", () => {
  assert.is(codeOf("f8eeeeeeee02"), "value-range");
  assert.is(codeOf("efeeeeeeee03"), "value-range");
  assert.is(codeOf("ffffffffff07"), "value-range");
  assert.is(codeOf("ffffffffff0f"), "value-range");
  assert.is(codeOf("ff".repeat(100)), "value-range");
  assert.is(codeOf("ffffffffff"), "truncated");
  assert.throws(
    () => single.build({ n: 2 ** 32 }),
    (error: unknown) => error instanceof FormatError && error.code === "value-range",
  );
});

test("the unused half of the last byte is 0, and the next field begins behind it", () => {
  const next = format(info, struct({ n: nibble(), z: u8() }));
  assert.equal(next.parse(hexToBytes("05ff")), { n: 5, z: 255 });
  assert.is(bytesToHex(next.build({ n: 5, z: 255 })), "05ff");
  assert.is(codeOf("15"), "padding-not-zero");
  assert.is(codeOf(""), "truncated");
  assert.is(codeOf("0f"), "no error");
  assert.is(codeOf("8f"), "truncated");
});

test.run();
