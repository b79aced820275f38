import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  bytesToHex,
  FormatError,
  hexToBytes,
  packedLength,
  packedSize,
  readPackedNumber,
  readPackedSigned,
  readPackedUnsigned,
  writePackedSigned,
  writePackedUnsigned,
} from "../../src/codec/index.js";
import { vectors } from "../support/vector.js";

const test = suite("codec: packed integers");
const U64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const S64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
/** Every magnitude equally often: numbers near a power of two. */
const spread = fc
  .tuple(fc.nat({ max: 64 }), fc.integer({ min: -9000, max: 9000 }))
  .map(([bits, near]) => BigInt.asUintN(64, 2n ** BigInt(bits) + BigInt(near)));

const write = (value: bigint): Uint8Array => {
  const out: number[] = [];
  writePackedUnsigned(out, value);
  return Uint8Array.from(out);
};
const writeSigned = (value: bigint): Uint8Array => {
  const out: number[] = [];
  writePackedSigned(out, value);
  return Uint8Array.from(out);
};
const read = (hex: string, base = 0): bigint => {
  const bytes = hexToBytes(hex);
  return readPackedUnsigned(bytes, 0, bytes.length, base);
};
const readSigned = (hex: string): bigint => {
  const bytes = hexToBytes(hex);
  return readPackedSigned(bytes, 0, bytes.length);
};
const codeOf = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    assert.instance(error, FormatError);
    return (error as FormatError).code;
  }
  return "no error";
};

test("every vector, both ways", () => {
  const rows: ReadonlyArray<{ value: string; hex: string }> = vectors("cookies.json").varint;
  assert.ok(rows.length >= 16);
  for (const { value, hex } of rows) {
    assert.is(read(hex), BigInt(value), hex);
    assert.is(bytesToHex(write(BigInt(value))), hex);
    assert.is(packedSize(BigInt(value)), hex.length / 2);
    if (BigInt(value) < 2n ** 63n) assert.is(readSigned(hex), BigInt(value));
    if (BigInt(value) <= BigInt(Number.MAX_SAFE_INTEGER)) {
      const bytes = hexToBytes(hex);
      assert.is(readPackedNumber(bytes, 0, bytes.length, Number.MAX_SAFE_INTEGER), Number(value));
    }
  }
});

/** Written from the table of cells and deltas §1: the first and last value of every length. */
const UNSIGNED_EDGES: ReadonlyArray<readonly [bigint, string]> = [
  [0n, "80"],
  [63n, "bf"],
  [64n, "c000"],
  [8255n, "dfff"],
  [8256n, "e100"],
  [8256n + 0xffn, "e1ff"],
  [8256n + 0x100n, "e20100"],
  [8256n + 0xffffn, "e2ffff"],
  [8256n + 0x10000n, "e3010000"],
  [8256n + 0xffffffn, "e3ffffff"],
  [8256n + 0x1000000n, "e401000000"],
  [8256n + 0xffffffffn, "e4ffffffff"],
  [8256n + 2n ** 32n, "e50100000000"],
  [8256n + 2n ** 40n - 1n, "e5ffffffffff"],
  [8256n + 2n ** 40n, "e6010000000000"],
  [8256n + 2n ** 48n - 1n, "e6ffffffffffff"],
  [8256n + 2n ** 48n, "e701000000000000"],
  [8256n + 2n ** 56n - 1n, "e7ffffffffffffff"],
  [8256n + 2n ** 56n, "e80100000000000000"],
  [2n ** 64n - 1n, "e8ffffffffffffdfbf"],
];
const SIGNED_EDGES: ReadonlyArray<readonly [bigint, string]> = [
  [-1n, "7f"],
  [-64n, "40"],
  [-65n, "3fff"],
  [-8256n, "2000"],
  [-8257n, "16dfbf"],
  [-0x10000n, "160000"],
  [-0x10001n, "15feffff"],
  [-(2n ** 24n), "15000000"],
  [-(2n ** 24n) - 1n, "14feffffff"],
  [-(2n ** 32n), "1400000000"],
  [-(2n ** 32n) - 1n, "13feffffffff"],
  [-(2n ** 40n), "130000000000"],
  [-(2n ** 40n) - 1n, "12feffffffffff"],
  [-(2n ** 48n), "12000000000000"],
  [-(2n ** 48n) - 1n, "11feffffffffffff"],
  [-(2n ** 56n), "1100000000000000"],
  [-(2n ** 56n) - 1n, "10feffffffffffffff"],
  [-(2n ** 63n), "108000000000000000"],
  [2n ** 63n - 1n, "e87fffffffffffdfbf"],
];

test("the first and last value of every length", () => {
  for (const [value, hex] of UNSIGNED_EDGES) {
    assert.is(bytesToHex(write(value)), hex);
    assert.is(read(hex), value, hex);
    assert.is(packedSize(value), hex.length / 2);
  }
  for (const [value, hex] of SIGNED_EDGES) {
    assert.is(bytesToHex(writeSigned(value)), hex);
    assert.is(readSigned(hex), value, hex);
  }
});

test("any value comes back, in the length its first byte says", () => {
  fc.assert(
    fc.property(fc.oneof(U64, spread), (value) => {
      const bytes = write(value);
      assert.is(readPackedUnsigned(bytes, 0, bytes.length), value);
      assert.is(packedLength(bytes[0] as number), bytes.length);
      assert.is(packedSize(value), bytes.length);
      const signed = BigInt.asIntN(64, value);
      assert.is(readSigned(bytesToHex(writeSigned(signed))), signed);
    }),
    { numRuns: 5000 },
  );
});

test("byte order is numeric order", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        S64,
        spread.map((value) => BigInt.asIntN(64, value)),
      ),
      S64,
      (a, b) => {
        const order = Buffer.compare(writeSigned(a), writeSigned(b));
        assert.is(order, a < b ? -1 : a > b ? 1 : 0);
      },
    ),
    { numRuns: 3000 },
  );
});

test("of all strings of up to three bytes, those that are read are those that are written", () => {
  let count = 0;
  for (let length = 1; length <= 3; length++) {
    // The last byte of three is only looked at where it matters: at its ends.
    for (let first = 0; first < 256; first++)
      for (let rest = 0; rest < 256 ** (length - 1); rest += length === 3 && (rest & 0xff) === 1 ? 253 : 1) {
        const bytes = Uint8Array.from([first, rest >> 8, rest & 0xff].slice(0, length));
        if (length === 2) bytes[1] = rest;
        for (const [reader, writer] of [
          [readPackedUnsigned, write],
          [readPackedSigned, writeSigned],
        ] as const) {
          const code = codeOf(() => {
            const value = reader(bytes, 0, length);
            assert.equal(writer(value), bytes.subarray(0, packedLength(first)));
            count++;
          });
          if (code !== "no error")
            assert.match(code, /^(truncated|packed-illegal|packed-not-minimal|value-range)$/);
        }
      }
  }
  assert.ok(count > 100_000, String(count));
});

test("no other first byte is legal", () => {
  for (let first = 0; first < 256; first++) {
    const bytes = new Uint8Array(9).fill(0x55);
    bytes[0] = first;
    const unsigned = first >= 0x80 && first !== 0xe0 && first <= 0xe8;
    const signed = unsigned || (first >= 0x10 && first <= 0x18) || (first >= 0x20 && first < 0x80);
    assert.is(codeOf(() => readPackedUnsigned(bytes, 0, 9)) !== "packed-illegal", unsigned, `${first}`);
    assert.is(
      codeOf(() => readPackedNumber(bytes, 0, 9, 2 ** 53)) !== "packed-illegal",
      unsigned,
      `${first}`,
    );
    assert.is(codeOf(() => readPackedSigned(bytes, 0, 9)) !== "packed-illegal", signed, `${first}`);
  }
});

test("longer forms than needed are refused", () => {
  for (const hex of [
    "e20000",
    "e200ff",
    "e3000000",
    "e8007fffffffffffff",
    "e8ffffffffffffdfc0",
    "e8ffffffffffffffff",
  ])
    assert.is(
      codeOf(() => read(hex)),
      "packed-not-minimal",
      hex,
    );
  // 0x18: all eight bytes implied, that is −1; 17ff.. imply one more; 16e000 is −8192, a two-byte value.
  for (const hex of ["18", "17ff", "17df", "16ffff", "16dfc0", "16e000", "15ff0000", "107fffffffffffffff"])
    assert.is(
      codeOf(() => readSigned(hex)),
      "packed-not-minimal",
      hex,
    );
});

test("cut at any length: truncated, with what is needed and what is left", () => {
  for (const [value, hex] of [...UNSIGNED_EDGES, ...SIGNED_EDGES]) {
    const bytes = hexToBytes(hex);
    for (let length = 0; length < bytes.length; length++) {
      try {
        readPackedSigned(bytes, 0, length, 1000);
        assert.unreachable(`${value} in ${length} bytes`);
      } catch (error) {
        const { code, offset, expected, actual } = error as FormatError;
        const needed = length === 0 ? 1 : bytes.length;
        assert.equal([code, offset, expected, actual], ["truncated", 1000, needed, length]);
      }
    }
  }
});

test("values are read where they lie, and no byte further", () => {
  const bytes = hexToBytes("ffff e20100 ffff");
  assert.is(readPackedUnsigned(bytes, 2, 5), 8512n);
  assert.is(readPackedNumber(bytes, 2, 5, 9000), 8512);
  assert.is(
    codeOf(() => readPackedUnsigned(bytes, 2, 4)),
    "truncated",
  );
  assert.is(
    codeOf(() => readPackedNumber(bytes, 2, 4, 9000)),
    "truncated",
  );
  assert.is(
    codeOf(() => readPackedNumber(bytes, 2, 3, 9000)),
    "truncated",
  );
  assert.is(
    codeOf(() => readPackedNumber(hexToBytes("c0"), 0, 1, 9000)),
    "truncated",
  );
});

test("numbers above their limit are refused", () => {
  const bytes = write(4294967296n);
  assert.is(readPackedNumber(bytes, 0, 9, 4294967296), 4294967296);
  assert.is(
    codeOf(() => readPackedNumber(bytes, 0, 9, 4294967295)),
    "value-range",
  );
  assert.is(
    codeOf(() => readPackedNumber(write(2n ** 64n - 1n), 0, 9, 2 ** 53 - 1)),
    "value-range",
  );
  assert.is(
    codeOf(() => readSigned("e87fffffffffffdfc0")),
    "value-range",
  );
});

test.run();
