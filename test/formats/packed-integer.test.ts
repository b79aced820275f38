import * as fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { cookieVersion, packedInteger, packedIntegerSigned } from "../../formats/packed-integer.js";
import { bytesToHex, FormatError, hexToBytes } from "../../src/codec/index.js";
import { detects } from "../support/damage.js";
import { agreesFourWays, vectors } from "../support/vector.js";

const test = suite("packed integers");
const { varint, nibble_pair } = vectors("cookies.json");
const U64 = { min: 0n, max: 2n ** 64n - 1n };
const I64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

test("vectors agree in both directions", () => {
  assert.is(varint.length, 16);
  for (const { hex, value } of varint) {
    agreesFourWays(packedInteger, hex, { value: BigInt(value) });
    assert.equal(packedInteger.toJson(packedInteger.parse(hexToBytes(hex))), { value });
    if (BigInt(value) <= I64.max) agreesFourWays(packedIntegerSigned, hex, { value: BigInt(value) });
  }
  assert.is(nibble_pair.length, 5);
  for (const { hex, version, min_version } of nibble_pair)
    agreesFourWays(cookieVersion, hex, { version, minVersion: min_version });
});

test("negative integers have their own forms", () => {
  for (const [hex, value] of [
    ["7f", -1n],
    ["40", -64n],
    ["3fff", -65n],
    ["2000", -8256n],
    ["16dfbf", -8257n],
    ["108000000000000000", I64.min],
  ] as const)
    agreesFourWays(packedIntegerSigned, hex, { value });
  assert.throws(() => packedInteger.parse(hexToBytes("7f")), failsWith("packed-illegal"));
});

test("any integer comes back, and bytes sort as the numbers do", () => {
  for (const [format, range] of [
    [packedInteger, U64],
    [packedIntegerSigned, I64],
  ] as const)
    fc.assert(
      fc.property(fc.bigInt(range), fc.bigInt(range), (a, b) => {
        const [first, second] = [a, b].map((value) => bytesToHex(format.build({ value }))) as [
          string,
          string,
        ];
        assert.is(format.parse(hexToBytes(first)).value, a);
        assert.is(first < second, a < b);
      }),
      { numRuns: 3000 },
    );
});

test("forms the engine never writes are refused", () => {
  for (const [hex, code] of [
    ["", "truncated"],
    ["c0", "truncated"],
    ["e0", "packed-illegal"],
    ["e9", "packed-illegal"],
    ["f0", "packed-illegal"],
    ["00", "packed-illegal"],
    ["e20001", "packed-not-minimal"],
    ["e8ffffffffffffffff", "packed-not-minimal"],
    ["8080", "trailing-bytes"],
  ] as const)
    assert.throws(() => packedInteger.parse(hexToBytes(hex)), failsWith(code), hex);
  assert.throws(() => packedInteger.build({ value: 2n ** 64n }), failsWith("value-range"));
  assert.throws(() => packedIntegerSigned.build({ value: 2n ** 63n }), failsWith("value-range"));
});

test("all inputs of up to two bytes give a value that is written back, or an error", () => {
  for (const format of [packedInteger, packedIntegerSigned, cookieVersion])
    for (let first = 0; first < 256; first++) {
      detects(format, Uint8Array.of(first));
      for (let second = 0; second < 256; second++) detects(format, Uint8Array.of(first, second));
    }
});

const failsWith = (code: string) => (error: unknown) => error instanceof FormatError && error.code === code;

test.run();
