/** What every kind of failure says: code, path, offset, expected and actual, when reading and when building. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  add,
  array,
  bytes,
  bytesToHex,
  countOf,
  crc32c,
  crc32cField,
  type Format,
  FormatError,
  format,
  hexToBytes,
  lengthOf,
  type Node,
  nibble,
  optional,
  packed,
  packed32,
  packedSigned,
  packedSizeOf,
  ref,
  region,
  remaining,
  selfSized,
  struct,
  sub,
  text,
  u8,
  u16le,
  u32be,
  u32le,
  u64le,
  union,
} from "../../src/codec/index.js";

const test = suite("codec: errors");
const make = (type: Node): Format<unknown> =>
  format({ name: "n", title: "", source: "" }, type) as Format<unknown>;
const BASE = 4096;

interface Failure {
  readonly code: string;
  readonly path: string;
  /** From the first byte. */
  readonly offset: number;
  readonly expected?: unknown;
  readonly actual?: unknown;
}
type Row = readonly [name: string, type: Node, hex: string, failure: Failure];

const cells = struct({
  cells: array(struct({ n: u8(), key: bytes(ref("n")), tail: u16le() })),
});

const UNREADABLE: readonly Row[] = [
  [
    "integer",
    struct({ a: u8(), b: u32le() }),
    "01 0203",
    { code: "truncated", path: "b", offset: 1, expected: 4, actual: 2 },
  ],
  [
    "bytes",
    cells,
    "01 aa 0000 05 aabb",
    { code: "truncated", path: "cells[1].key", offset: 5, expected: 5, actual: 2 },
  ],
  [
    "deep integer",
    cells,
    "00 0000 00 00",
    { code: "truncated", path: "cells[1].tail", offset: 4, expected: 2, actual: 1 },
  ],
  [
    "packed",
    struct({ a: packed() }),
    "e201",
    { code: "truncated", path: "a", offset: 0, expected: 3, actual: 2 },
  ],
  [
    "packed, illegal",
    struct({ a: u8(), b: packed() }),
    "01 7f",
    {
      code: "packed-illegal",
      path: "b",
      offset: 1,
      expected: "an unsigned packed integer (0x80..0xe8)",
      actual: 0x7f,
    },
  ],
  [
    "packed signed, illegal",
    struct({ a: packedSigned() }),
    "0f",
    {
      code: "packed-illegal",
      path: "a",
      offset: 0,
      expected: "a signed packed integer (0x10..0xe8)",
      actual: 0x0f,
    },
  ],
  [
    "packed, not minimal",
    struct({ a: packed() }),
    "e20001",
    { code: "packed-not-minimal", path: "a", offset: 0 },
  ],
  [
    "packed, too large",
    struct({ a: packed32({ max: 100 }) }),
    "c025",
    { code: "value-range", path: "a", offset: 0, expected: "at most 100", actual: 101 },
  ],
  [
    "packed signed",
    struct({ a: packedSigned() }),
    "17ff",
    { code: "packed-not-minimal", path: "a", offset: 0 },
  ],
  [
    "difference",
    struct({ a: packed(), b: packed({ differenceFrom: "a" }) }),
    "81 82",
    { code: "difference-range", path: "b", offset: 1, expected: "at most 1", actual: 2n },
  ],
  [
    "nibble",
    struct({ a: nibble(), b: nibble() }),
    "f1",
    { code: "truncated", path: "b", offset: 1, expected: 1, actual: 0 },
  ],
  [
    "nibble, no bytes",
    struct({ a: nibble() }),
    "",
    { code: "truncated", path: "a", offset: 0, expected: 1, actual: 0 },
  ],
  ["nibble, endless", struct({ a: nibble() }), "ffffffffffff", { code: "value-range", path: "a", offset: 0 }],
  [
    "nibble, padding",
    struct({ s: struct({ a: nibble() }) }),
    "31",
    { code: "padding-not-zero", path: "s", offset: 0, expected: 0, actual: 3 },
  ],
  [
    "text without its end",
    struct({ n: u8(), t: text("nul") }),
    "01 6162",
    { code: "unterminated", path: "t", offset: 1 },
  ],
  [
    "text, end outside of its region",
    region(struct({ t: text("nul") }), 2),
    "616200",
    { code: "unterminated", path: "t", offset: 0 },
  ],
  [
    "union",
    struct({ t: u8(), u: union(ref("t"), { one: [1, struct({})] }) }),
    "09",
    { code: "union-tag", path: "u", offset: 1, expected: "1 one", actual: 9 },
  ],
  [
    "region too long",
    struct({ n: u8(), r: region(struct({ a: u8() }), ref("n")) }),
    "05 01",
    { code: "truncated", path: "r", offset: 1, expected: 5, actual: 1 },
  ],
  [
    "region left over",
    struct({ n: u8(), r: region(struct({ a: u8() }), ref("n")), z: u8() }),
    "02 01 02 03",
    { code: "trailing-bytes", path: "r", offset: 2, expected: 0, actual: 1 },
  ],
  [
    "region overrun",
    struct({ r: region(struct({ a: u32be() }), 2), z: u16le() }),
    "01020304",
    { code: "truncated", path: "r.a", offset: 0, expected: 4, actual: 2 },
  ],
  [
    "bytes left over",
    struct({ a: u8() }),
    "01 0203",
    { code: "trailing-bytes", path: "", offset: 1, expected: 0, actual: 2 },
  ],
  [
    "length below zero",
    struct({ n: u8(), a: bytes(sub(ref("n"), 2)) }),
    "01 ff",
    { code: "truncated", path: "a", offset: 1, expected: -1, actual: 1 },
  ],
  [
    "count below zero",
    struct({ n: u8(), a: array(u8(), { count: sub(ref("n"), 2) }) }),
    "01",
    { code: "value-range", path: "a", offset: 1, actual: -1 },
  ],
  [
    "elements of nothing",
    struct({ a: array(struct({}), { count: 3 }) }),
    "",
    { code: "no-progress", path: "a[0]", offset: 0 },
  ],
  [
    "count above the input",
    struct({ n: u32le(), a: array(u16le(), { count: ref("n") }) }),
    "ffffffff 0100 02",
    { code: "truncated", path: "a[1]", offset: 6, expected: 2, actual: 1 },
  ],
  [
    "length above the input",
    struct({ n: u32le(), a: bytes(ref("n")) }),
    "ffffffff 01",
    { code: "truncated", path: "a", offset: 4, expected: 0xffffffff, actual: 1 },
  ],
  [
    "64-bit length",
    struct({ n: u64le(), a: bytes(ref("n")) }),
    "ffffffffffffffff 01",
    { code: "truncated", path: "a", offset: 8, expected: 2 ** 64, actual: 1 },
  ],
  [
    "version",
    struct({ a: u8(), v: u8({ supported: 2 }), b: u32le() }),
    "01 03",
    { code: "unsupported-version", path: "v", offset: 1, expected: "at most 2", actual: 3 },
  ],
];

test("bytes that cannot be read", () => {
  for (const [name, type, hex, { path, offset, ...failure }] of UNREADABLE) {
    const reading = make(type).read(hexToBytes(hex), { base: BASE });
    assert.not(reading.ok, name);
    if (reading.ok) continue;
    const { code, expected, actual } = reading.error;
    const told = {
      code,
      ...(expected === undefined ? {} : { expected }),
      ...(actual === undefined ? {} : { actual }),
    };
    assert.equal([told, reading.error.path, reading.error.offset], [failure, path, BASE + offset], name);
    assert.equal(reading.issues.length, 1);
    assert.throws(
      () => make(type).parse(hexToBytes(hex)),
      (error: unknown) => error instanceof FormatError,
    );
  }
});

const SYMBOLS = { one: 1, two: 2 } as const;
const INVALID: readonly Row[] = [
  [
    "constant",
    struct({ a: u8(), b: u16le({ constant: 7 }) }),
    "01 0800",
    { code: "constant", path: "b", offset: 1, expected: 7, actual: 8 },
  ],
  [
    "constant bytes",
    struct({ a: bytes(2, { constant: hexToBytes("0102") }) }),
    "0103",
    { code: "constant", path: "a", offset: 0 },
  ],
  [
    "minimum",
    struct({ a: packed({ min: 5n }) }),
    "84",
    { code: "value-range", path: "a", offset: 0, expected: "at least 5", actual: 4n },
  ],
  [
    "maximum",
    struct({ a: u64le({ max: 5n }) }),
    "0600000000000000",
    { code: "value-range", path: "a", offset: 0, expected: "at most 5", actual: 6n },
  ],
  [
    "symbol",
    struct({ a: u8({ symbols: SYMBOLS, unknown: "error" }) }),
    "03",
    { code: "unknown-value", path: "a", offset: 0, expected: "1 one, 2 two", actual: 3 },
  ],
  [
    "flags",
    struct({ a: u8({ flags: SYMBOLS, unknown: "error" }) }),
    "05",
    { code: "unknown-bits", path: "a", offset: 0, actual: 5 },
  ],
  [
    "checksum",
    struct({ a: u8(), crc: crc32cField() }),
    "01 00000000",
    { code: "checksum", path: "crc", offset: 1, expected: crc32c(hexToBytes("0100000000")), actual: 0 },
  ],
  [
    "in a list",
    struct({ l: array(struct({ a: u8(), b: u8({ constant: 0 }) })) }),
    "0100 0201",
    { code: "constant", path: "l[1].b", offset: 3, expected: 0, actual: 1 },
  ],
  [
    "rule",
    struct({
      h: struct(
        { a: u8(), b: u8() },
        {
          rules: [
            {
              code: "order",
              doc: "a comes before b",
              check: ({ a, b }) => (a < b ? undefined : { path: "b", expected: `above ${a}`, actual: b }),
            },
          ],
        },
      ),
    }),
    "0201",
    { code: "order", path: "h.b", offset: 1, expected: "above 2", actual: 1 },
  ],
];

test("bytes that can be read but are not valid", () => {
  for (const [name, type, hex, { path, offset, ...failure }] of INVALID) {
    const whole = make(type);
    const reading = whole.read(hexToBytes(hex), { base: BASE });
    assert.ok(reading.ok, name);
    assert.is(reading.issues.length, 1, name);
    const issue = reading.issues[0];
    if (issue === undefined || !reading.ok) continue;
    const { code, expected, actual } = issue;
    const told = {
      code,
      ...(expected === undefined ? {} : { expected }),
      ...(actual === undefined ? {} : { actual }),
    };
    assert.equal(
      [told, issue.path, issue.offset, issue.severity],
      [failure, path, BASE + offset, "error"],
      name,
    );
    assert.is(bytesToHex(whole.build(reading.value)), hex.replaceAll(" ", ""), name);
    assert.throws(
      () => whole.parse(hexToBytes(hex)),
      (error: unknown) => error instanceof FormatError && error.code === code && error.path === path,
    );
  }
});

test("what is not an error is only said", () => {
  const whole = make(
    struct({ a: u8({ symbols: SYMBOLS }), b: u8({ flags: SYMBOLS }), c: u8({ reserved: true }) }),
  );
  assert.equal(whole.parse(hexToBytes("0304 05")), { a: 3, b: 4, c: 5 });
  assert.equal(
    whole.validate(hexToBytes("030405")).map(({ severity, code }) => `${severity} ${code}`),
    ["warning unknown-value", "info unknown-bits", "warning reserved"],
  );
});

test("a rule sees parameters and the enclosing structs, innermost first", () => {
  const seen: unknown[] = [];
  const inner = struct(
    { b: u8() },
    {
      rules: [
        { code: "x", doc: "", check: (_, { params, enclosing }) => void seen.push(params, ...enclosing) },
      ],
    },
  );
  make(struct({ a: u8(), list: array(inner) })).read(hexToBytes("01 02"), { params: { p: 7 } });
  assert.equal(seen, [{ p: 7 }, { a: 1, list: [{ b: 2 }] }]);
});

test("partial reading tells how many bytes were used", () => {
  const reading = make(struct({ a: u8(), b: packed() })).read(hexToBytes("01 c000 ffff"), { partial: true });
  assert.ok(reading.ok && reading.length === 3);
});

type Unbuildable = readonly [name: string, type: Node, value: unknown, code: string, path: string];
const counted = struct({
  n: u8({ derive: countOf("l") }),
  l: array(struct({ x: u8() }), { count: ref("n") }),
});
const tagged = struct({ t: u8(), u: union(ref("t"), { one: [1, struct({ x: u8() })] }) });
const tolerant = struct({ t: u8(), u: union(ref("t"), { one: [1, struct({})] }, { other: struct({}) }) });
const withOptional = struct({ f: u8(), o: optional(u8(), ref("f")) });

const UNBUILDABLE: readonly Unbuildable[] = [
  ["nothing", struct({ a: u8() }), undefined, "value-type", ""],
  ["null", struct({ a: u8() }), null, "value-type", ""],
  ["a list for a struct", struct({}), [], "value-type", ""],
  ["bytes for a struct", struct({}), new Uint8Array(2), "value-type", ""],
  ["a field too few", struct({ a: u8(), b: u8() }), { a: 1 }, "missing-field", "b"],
  ["a field too many", struct({ a: struct({ b: u8() }) }), { a: { b: 1, c: 2 } }, "unknown-field", "a.c"],
  ["text for a number", struct({ a: u8() }), { a: "5" }, "value-type", "a"],
  ["a fraction", struct({ a: u8() }), { a: 1.5 }, "value-type", "a"],
  ["NaN", struct({ a: u32le() }), { a: Number.NaN }, "value-type", "a"],
  ["Infinity", struct({ a: packed32() }), { a: Number.POSITIVE_INFINITY }, "value-type", "a"],
  ["below zero", struct({ a: u8() }), { a: -1 }, "value-range", "a"],
  ["too large", struct({ a: u8() }), { a: 256 }, "value-range", "a"],
  ["too large a bigint", struct({ a: u64le() }), { a: 1n << 64n }, "value-range", "a"],
  ["not exact", struct({ a: u64le() }), { a: 2 ** 60 }, "value-type", "a"],
  ["packed below zero", struct({ a: packed() }), { a: -1n }, "value-range", "a"],
  ["packed above its limit", struct({ a: packed32({ max: 9 }) }), { a: 10 }, "value-range", "a"],
  ["signed too large", struct({ a: packedSigned() }), { a: 1n << 63n }, "value-range", "a"],
  ["nibble below zero", struct({ a: nibble() }), { a: -1 }, "value-range", "a"],
  [
    "above what it is subtracted from",
    struct({ a: packed(), b: packed({ differenceFrom: "a" }) }),
    { a: 1n, b: 2n },
    "difference-range",
    "b",
  ],
  [
    "nothing to subtract from",
    struct({ b: packed({ differenceFrom: "a" }), a: packed() }),
    { b: 2n },
    "value-type",
    "b",
  ],
  ["text for bytes", struct({ a: bytes() }), { a: "00" }, "value-type", "a"],
  ["bytes of another length", struct({ a: bytes(3) }), { a: new Uint8Array(2) }, "length-mismatch", "a"],
  [
    "bytes of another recorded length",
    struct({ n: u8(), a: bytes(ref("n")) }),
    { n: 3, a: new Uint8Array(2) },
    "length-mismatch",
    "a",
  ],
  ["a number for text", struct({ a: text("rest") }), { a: 5 }, "value-type", "a"],
  ["NUL in text", struct({ a: text("nul") }), { a: "a\0b" }, "unterminated", "a"],
  ["a lone surrogate", struct({ a: text("rest") }), { a: "\ud800" }, "text-surrogate", "a"],
  ["text of another length", struct({ a: text(3) }), { a: "é" }, "length-mismatch", "a"],
  ["a struct for a list", struct({ a: array(u8()) }), { a: {} }, "value-type", "a"],
  ["a hole in a list", struct({ a: array(u8()) }), { a: new Array(2) }, "missing-field", "a[0]"],
  ["an element", counted, { l: [{ x: 1 }, { x: 999 }] }, "value-range", "l[1].x"],
  ["another count", counted, { n: 1, l: [] }, "count-mismatch", "l"],
  ["an optional field too many", withOptional, { f: 0, o: 1 }, "unexpected-field", "o"],
  ["an optional field too few", withOptional, { f: 1 }, "missing-field", "o"],
  ["no case of a union", tagged, { t: 1, u: { x: 1 } }, "union-kind", "u"],
  ["null for a union", tagged, { t: 1, u: null }, "union-kind", "u"],
  ["an unheard-of case", tagged, { t: 1, u: { kind: "two", x: 1 } }, "union-kind", "u"],
  ["a case that is no name", tagged, { t: 1, u: { kind: Object.create(null), x: 1 } }, "union-kind", "u"],
  ["a case of another tag", tagged, { t: 2, u: { kind: "one", x: 1 } }, "union-tag", "u"],
  ["otherwise, with the tag of a case", tolerant, { t: 1, u: { kind: "other" } }, "union-tag", "u"],
  [
    "a region of another length",
    struct({ r: region(struct({ b: bytes() }), 2) }),
    { r: { b: new Uint8Array(3) } },
    "length-mismatch",
    "r",
  ],
  [
    "in what a derived length is asked of",
    struct({ n: u8({ derive: lengthOf("b") }), b: struct({ t: text("nul") }) }),
    { b: { t: 5 } },
    "value-type",
    "b.t",
  ],
  [
    "a derived value that does not fit",
    struct({ n: u8({ derive: lengthOf("b") }), b: bytes() }),
    { b: new Uint8Array(300) },
    "value-range",
    "n",
  ],
  [
    "a derived value of a fraction",
    struct({ n: u64le({ derive: add(ref("a"), 1) }), a: u8() }),
    { a: 0.5 },
    "value-type",
    "n",
  ],
  [
    "the packed size of a fraction",
    struct({ n: u8({ derive: packedSizeOf("a") }), a: u8() }),
    { a: 0.5 },
    "value-type",
    "n",
  ],
  [
    "a size with its own size, of a fraction",
    struct({ n: u8({ derive: selfSized(ref("a")) }), a: u8() }),
    { a: 0.5 },
    "value-type",
    "n",
  ],
  ["prototype keys", struct({ a: u8() }), JSON.parse('{"a":1,"__proto__":{}}'), "unknown-field", "__proto__"],
  ["a checksum of text", struct({ c: crc32cField() }), { c: "x" }, "value-type", "c"],
  [
    "a trailing field behind a missing one",
    struct({ a: u8(), b: optional(u8(), remaining) }),
    { b: 1 },
    "missing-field",
    "a",
  ],
];

test("values that cannot be built", () => {
  for (const [name, type, value, code, path] of UNBUILDABLE) {
    try {
      make(type).build(value);
      assert.unreachable(name);
    } catch (error) {
      assert.instance(error, FormatError, `${name}: ${error}`);
      assert.equal([(error as FormatError).code, (error as FormatError).path], [code, path], name);
    }
  }
});

test("an error as JSON has what is known, 64-bit values as text", () => {
  const reading = make(struct({ a: packed(), b: packed({ differenceFrom: "a" }) })).read(hexToBytes("81 82"));
  assert.not(reading.ok);
  if (reading.ok) return;
  assert.equal(JSON.parse(JSON.stringify(reading.error)), {
    code: "difference-range",
    path: "b",
    offset: 1,
    message: "difference 2 is above a 1",
    expected: "at most 1",
    actual: "2",
  });
});

test.run();
