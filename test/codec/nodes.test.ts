/** Every kind of declaration: its bytes, value, JSON, documentation and spans, both ways. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  add,
  and,
  array,
  bytes,
  bytesToHex,
  ceilDiv,
  countOf,
  crc32c,
  crc32cField,
  custom,
  eq,
  type Format,
  format,
  ge,
  has,
  hasErrors,
  hexToBytes,
  lengthOf,
  lt,
  min,
  mul,
  type Node,
  ne,
  nibble,
  not,
  optional,
  or,
  packed,
  packed32,
  packedSigned,
  packedSizeOf,
  param,
  peek,
  position,
  ref,
  region,
  remaining,
  type Span,
  seededRandom,
  select,
  selfSized,
  shr,
  struct,
  sub,
  text,
  u8,
  u16be,
  u16le,
  u32be,
  u32le,
  u64be,
  u64le,
  union,
} from "../../src/codec/index.js";

const test = suite("codec: kinds of declarations");
const make = (type: Node): Format<unknown> =>
  format({ name: "n", title: "", source: "" }, type) as Format<unknown>;

interface Row {
  readonly name: string;
  readonly type: Node;
  /** Hex of the bytes; spaces separate the leaves of the annotation. */
  readonly hex: string;
  readonly value: unknown;
  /** Default: the value. */
  readonly json?: unknown;
  /** The type column of the documentation of the first field. */
  readonly described: string;
}

const twoBytes = custom({
  name: "pair of bytes",
  decode: (cursor) => [cursor.bytes[cursor.take(1)], cursor.bytes[cursor.take(1)]],
  encode: (writer, value) => writer.bytes(value as number[]),
  generate: (random) => [random.below(256), random.below(256)],
  toJson: (value) => value,
  fromJson: (json) => json as number[],
});

const ROWS: readonly Row[] = [
  { name: "u8", type: struct({ a: u8() }), hex: "ff", value: { a: 255 }, described: "u8" },
  { name: "u16 LE", type: struct({ a: u16le() }), hex: "0102", value: { a: 0x201 }, described: "u16 LE" },
  { name: "u16 BE", type: struct({ a: u16be() }), hex: "0102", value: { a: 0x102 }, described: "u16 BE" },
  {
    name: "u32 LE",
    type: struct({ a: u32le() }),
    hex: "010203ff",
    value: { a: 0xff030201 },
    described: "u32 LE",
  },
  {
    name: "u32 BE",
    type: struct({ a: u32be() }),
    hex: "ff020304",
    value: { a: 0xff020304 },
    described: "u32 BE",
  },
  {
    name: "u64 LE",
    type: struct({ a: u64le() }),
    hex: "01000000000000ff",
    value: { a: 0xff00000000000001n },
    json: { a: "18374686479671623681" },
    described: "u64 LE",
  },
  {
    name: "u64 BE",
    type: struct({ a: u64be() }),
    hex: "0000000000000100",
    value: { a: 256n },
    json: { a: "256" },
    described: "u64 BE",
  },
  {
    name: "packed",
    type: struct({ a: packed(), b: packed() }),
    hex: "bf e20100",
    value: { a: 63n, b: 8512n },
    json: { a: "63", b: "8512" },
    described: "packed unsigned",
  },
  {
    name: "packed32",
    type: struct({ a: packed32() }),
    hex: "e20100",
    value: { a: 8512 },
    described: "packed unsigned, 32 bits",
  },
  {
    name: "packed signed",
    type: struct({ a: packedSigned() }),
    hex: "16dfbf",
    value: { a: -8257n },
    json: { a: "-8257" },
    described: "packed signed",
  },
  {
    name: "packed difference",
    type: struct({ a: packed(), b: packed({ differenceFrom: "a" }) }),
    hex: "8a 83",
    value: { a: 10n, b: 7n },
    json: { a: "10", b: "7" },
    described: "packed unsigned",
  },
  {
    name: "bytes of a number",
    type: struct({ a: bytes(2), b: u8() }),
    hex: "0102 03",
    value: { a: hexToBytes("0102"), b: 3 },
    json: { a: "0102", b: 3 },
    described: "bytes[2]",
  },
  {
    name: "bytes to the end",
    type: struct({ a: bytes() }),
    hex: "01020304",
    value: { a: hexToBytes("01020304") },
    json: { a: "01020304" },
    described: "bytes to the end",
  },
  {
    name: "bytes of a derived length",
    type: struct({ n: u8({ derive: lengthOf("a") }), a: bytes(ref("n")), z: u8() }),
    hex: "02 0102 09",
    value: { n: 2, a: hexToBytes("0102"), z: 9 },
    json: { n: 2, a: "0102", z: 9 },
    described: "u8",
  },
  {
    name: "text of a number",
    type: struct({ a: text(3) }),
    hex: "61c3a9",
    value: { a: "aé" },
    described: "text[3]",
  },
  {
    name: "text with NUL",
    type: struct({ a: text("nul"), b: u8() }),
    hex: "616200 07",
    value: { a: "ab", b: 7 },
    described: "text, NUL-terminated",
  },
  {
    name: "text to the end",
    type: struct({ a: text("rest") }),
    hex: "6162ff",
    value: { a: "ab\udcff" },
    described: "text",
  },
  {
    name: "struct",
    type: struct({ a: struct({ b: u8(), c: struct({ d: u8() }) }), e: u8() }),
    hex: "01 02 03",
    value: { a: { b: 1, c: { d: 2 } }, e: 3 },
    described: "struct",
  },
  {
    name: "counted list",
    type: struct({ n: u8({ derive: countOf("a") }), a: array(u16be(), { count: ref("n") }) }),
    hex: "02 0001 0002",
    value: { n: 2, a: [1, 2] },
    described: "u8",
  },
  {
    name: "list to the end",
    type: struct({ a: array(u8()) }),
    hex: "01 02 03",
    value: { a: [1, 2, 3] },
    described: "list of u8",
  },
  {
    name: "list up to a zero",
    type: struct({ a: array(u8(), { until: eq(peek, 0) }), z: u8(), y: u8() }),
    hex: "01 02 00 05",
    value: { a: [1, 2], z: 0, y: 5 },
    described: "list of u8",
  },
  {
    name: "empty list",
    type: struct({ a: array(u8(), { count: 0 }), b: u8() }),
    hex: "01",
    value: { a: [], b: 1 },
    described: "list of u8, count 0",
  },
  {
    name: "optional, present",
    type: struct({ f: u8(), a: optional(u16le(), has(ref("f"), 2)), b: u8() }),
    hex: "02 0100 09",
    value: { f: 2, a: 1, b: 9 },
    described: "u8",
  },
  {
    name: "optional, absent",
    type: struct({ f: u8(), a: optional(u16le(), has(ref("f"), 2)), b: u8() }),
    hex: "01 09",
    value: { f: 1, b: 9 },
    described: "u8",
  },
  {
    name: "trailing, present",
    type: struct({ a: u8(), b: optional(u8(), remaining), c: optional(u8(), remaining) }),
    hex: "01 02",
    value: { a: 1, b: 2 },
    described: "u8",
  },
  {
    name: "union",
    type: struct({
      t: u8({ symbols: { one: 1, two: 2 } }),
      a: union(ref("t"), { one: [1, struct({ x: u8() })], two: [2, struct({ y: u16be() })] }),
    }),
    hex: "02 0102",
    value: { t: 2, a: { kind: "two", y: 258 } },
    described: "u8",
  },
  {
    name: "union, otherwise",
    type: struct({
      t: u8(),
      a: union(ref("t"), { one: [1, struct({ x: u8() })] }, { other: struct({ raw: bytes() }) }),
    }),
    hex: "07 0102",
    value: { t: 7, a: { kind: "other", raw: hexToBytes("0102") } },
    json: { t: 7, a: { kind: "other", raw: "0102" } },
    described: "u8",
  },
  {
    name: "region",
    type: struct({
      n: u8({ derive: lengthOf("a") }),
      a: region(struct({ b: u8(), rest: bytes() }), ref("n")),
      z: u8(),
    }),
    hex: "03 01 0203 09",
    value: { n: 3, a: { b: 1, rest: hexToBytes("0203") }, z: 9 },
    json: { n: 3, a: { b: 1, rest: "0203" }, z: 9 },
    described: "u8",
  },
  {
    name: "header extension by recorded size",
    type: struct({
      size: u8({ derive: add(2, lengthOf("extension")) }),
      a: u8(),
      extension: bytes(sub(ref("size"), 2)),
      body: bytes(),
    }),
    hex: "04 01 0a0b ff",
    value: { size: 4, a: 1, extension: hexToBytes("0a0b"), body: hexToBytes("ff") },
    json: { size: 4, a: 1, extension: "0a0b", body: "ff" },
    described: "u8",
  },
  {
    name: "custom",
    type: struct({ a: twoBytes, b: u8() }),
    hex: "0102 03",
    value: { a: [1, 2], b: 3 },
    described: "pair of bytes",
  },
];

test("parse, build, JSON and annotations of every kind", () => {
  for (const { name, type, hex, value, json = value } of ROWS) {
    const whole = make(type);
    const data = hexToBytes(hex);
    assert.equal(whole.parse(data), value, name);
    assert.is(bytesToHex(whole.build(value)), bytesToHex(data), name);
    assert.equal(JSON.parse(JSON.stringify(whole.toJson(value))), json, name);
    assert.equal(whole.fromJson(json), value, name);
    assert.is(leavesText(whole.annotate(data), hex.replaceAll(" ", "")), hex, name);
    assert.equal(whole.validate(data), [], name);
  }
});

/** The bytes of each leaf, separated by spaces. */
function leavesText(root: Span, hex: string): string {
  const inner = (span: Span): Span[] => (span.children.length === 0 ? [span] : span.children.flatMap(inner));
  const parts = inner(root).map(({ start, end }) => hex.slice(2 * start, 2 * end));
  return parts.filter((part) => part !== "").join(" ");
}

test("the documentation of every kind", () => {
  for (const { name, type, described } of ROWS)
    assert.is(make(type).describe().generations[0]?.fields[0]?.type, described, name);
  const text = make(
    struct({
      n: u8({ doc: "how many", symbols: { few: [1, "not many"], many: 200 } }),
      list: array(struct({ x: u16le(), y: packed() }), { count: ref("n") }),
      o: optional(u8(), and(has(ref("n"), 1), not(lt(ref("n"), 3)))),
    }),
  ).describe();
  assert.equal(text.generations[0]?.fields, [
    {
      name: "n",
      offset: 0,
      size: 1,
      type: "u8",
      doc: "how many",
      values: [
        { name: "few", value: 1, doc: "not many" },
        { name: "many", value: 200 },
      ],
    },
    {
      name: "list",
      offset: 1,
      type: "list of struct, count n",
      fields: [
        { name: "x", offset: 0, size: 2, type: "u16 LE" },
        { name: "y", offset: 2, type: "packed unsigned" },
      ],
    },
    { name: "o", type: "u8, if ((n & 1) and not ((n < 3)))" },
  ]);
});

test("generated values of every kind read back from what is built of them", () => {
  for (const { name, type } of ROWS) {
    const whole = make(type);
    for (let seed = 1; seed <= 40; seed++) {
      // The list up to a zero cannot know that its elements must not be zero.
      if (name === "list up to a zero") continue;
      const built = whole.build(whole.generate(seededRandom(seed)));
      const reading = whole.read(built);
      assert.ok(reading.ok && !hasErrors(reading.issues), `${name} ${bytesToHex(built)}`);
      assert.equal(whole.build(reading.value), built, name);
    }
  }
});

const EXPRESSIONS: ReadonlyArray<readonly [string, ReturnType<typeof add>, number]> = [
  ["a number", 5, 5],
  ["ref", ref("a"), 200],
  ["ref of what is not there", ref("nothing"), 0],
  ["ref inside a struct", ref("s.x"), 3],
  ["param", param("p"), 7],
  ["param not given", param("q"), 0],
  ["remaining", remaining, 4],
  ["position", position, 2],
  ["peek", peek, 9],
  ["add", add(ref("a"), 3), 203],
  ["sub", sub(ref("a"), 3), 197],
  ["mul", mul(ref("a"), 3), 600],
  ["ceilDiv", ceilDiv(ref("a"), 3), 67],
  ["shr", shr(ref("a"), 3), 25],
  ["has", has(ref("a"), 0x40), 1],
  ["has not", has(ref("a"), 0x20), 0],
  ["eq", eq(ref("a"), 200), 1],
  ["ne", ne(ref("a"), 200), 0],
  ["lt", lt(ref("a"), 200), 0],
  ["ge", ge(ref("a"), 200), 1],
  ["min", min(ref("a"), 3), 3],
  ["and", and(1, ref("a"), 1), 1],
  ["and not", and(1, 0, 1), 0],
  ["or", or(0, 0, ref("a")), 200],
  ["or, its first", or(ref("a"), 0), 200],
  ["not", not(ref("a")), 0],
  ["select", select(ref("a"), 1, 2), 1],
  ["packed size", packedSizeOf("a"), 2],
  ["with its own packed size", selfSized(63), 65],
];

test("every expression, seen as the length of a list of zeros behind it", () => {
  for (const [name, expr, expected] of EXPRESSIONS) {
    const seen: number[] = [];
    const see = custom<number>({
      name: "sees",
      decode: (cursor) => cursor.take(4),
      encode: () => {},
      generate: () => 0,
      toJson: () => 0,
      fromJson: () => 0,
    });
    // A union's tag shows the value of the expression in the error of a tag without a case.
    const type = struct({ a: u8(), s: struct({ x: u8() }), u: union(expr, {} as never), z: see });
    const reading = make(type).read(hexToBytes("c8 03 09000000"), { params: { p: 7 } });
    assert.not(reading.ok, name);
    if (!reading.ok) seen.push(Number(reading.error.actual));
    assert.equal(seen, [expected], name);
  }
});

test("unknown flags and reserved bytes are kept, and said", () => {
  const whole = make(
    struct({
      flags: u8({ flags: { low: 1 } }),
      strict: u8({ flags: { low: 1 }, unknown: "error" }),
      unused: bytes(2, { reserved: true }),
      pad: u16le({ reserved: true }),
    }),
  );
  const data = hexToBytes("f1 f1 0100 0002");
  const reading = whole.read(data);
  assert.ok(reading.ok);
  assert.equal(
    reading.issues.map(({ code, severity, path, offset }) => [code, severity, path, offset]),
    [
      ["unknown-bits", "info", "flags", 0],
      ["unknown-bits", "error", "strict", 1],
      ["reserved", "warning", "unused", 2],
      ["reserved", "warning", "pad", 4],
    ],
  );
  assert.equal(whole.build(reading.value), data);
});

test("what is left out is derived: lengths, counts, reserved zeros, checksums over their ranges", () => {
  const whole = make(
    struct({
      total: u16le({ derive: add(lengthOf("head"), lengthOf("list")) }),
      head: struct({
        count: u8({ derive: countOf("list") }),
        unused: bytes(1, { reserved: true }),
        crc: crc32cField({ from: 2 }),
      }),
      list: array(packed(), { count: ref("head.count") }),
    }),
  );
  const built = whole.build({ head: {}, list: [1n, 9000n] });
  assert.is(bytesToHex(built.subarray(0, 4)), "0a000200");
  assert.is(bytesToHex(built.subarray(8)), "81e202e8");
  const zeroed = built.slice();
  zeroed.fill(0, 4, 8);
  assert.is(new DataView(built.buffer).getUint32(4, true), crc32c(zeroed.subarray(2)));
  assert.equal(whole.validate(built), []);
});

test("checksum ranges: the whole region, a part of it, and with the field outside", () => {
  const body = hexToBytes("0102030405060708");
  const crcAt = (data: Uint8Array, at: number): number => new DataView(data.buffer).getUint32(at, true);
  const all = make(struct({ crc: crc32cField(), body: bytes() })).build({ body });
  assert.is(crcAt(all, 0), crc32c(Uint8Array.of(0, 0, 0, 0, ...body)));
  const part = make(struct({ crc: crc32cField({ from: 6, to: 8 }), body: bytes() })).build({ body });
  assert.is(crcAt(part, 0), crc32c(body.subarray(2, 4)));
  const short = make(struct({ crc: crc32cField({ from: 6, to: 800 }), body: bytes() })).build({ body });
  assert.is(crcAt(short, 0), crc32c(body.subarray(2)));
  const outside = make(struct({ crc: crc32cField({ from: 0, zeroed: false, to: 0 }), body: bytes() })).build({
    body,
  });
  assert.is(crcAt(outside, 0), 0);
  const byFlag = make(
    struct({ whole: u8(), crc: crc32cField({ to: select(ref("whole"), 100, 6) }), body: bytes() }),
  );
  for (const flag of [0, 1]) {
    const data = byFlag.build({ whole: flag, body });
    const end = flag === 1 ? body : body.subarray(0, 1);
    assert.is(crcAt(data, 1), crc32c(Uint8Array.of(flag, 0, 0, 0, 0, ...end)));
    assert.equal(byFlag.validate(data), []);
    data[12] = 0xff;
    assert.is(byFlag.validate(data).length, flag, "only a covered byte matters");
  }
});

test("a checksum inside a region covers that region only", () => {
  const whole = make(
    struct({
      a: u8(),
      n: u8({ derive: lengthOf("r") }),
      r: region(struct({ crc: crc32cField(), b: bytes() }), ref("n")),
      z: u8(),
    }),
  );
  const data = whole.build({ a: 1, r: { b: hexToBytes("0203") }, z: 9 });
  assert.is(new DataView(data.buffer).getUint32(2, true), crc32c(Uint8Array.of(0, 0, 0, 0, 2, 3)));
  data[0] = 0xff;
  data[8] = 0xff;
  assert.equal(whole.validate(data), []);
  data[7] = 0xff;
  assert.equal(
    whole.validate(data).map(({ code, path, offset }) => [code, path, offset]),
    [["checksum", "r.crc", 2]],
  );
});

test("behind a region, a checksum covers the outer bytes again", () => {
  const whole = make(struct({ a: u8(), r: region(struct({ b: u8() }), 1), crc: crc32cField(), z: u8() }));
  const data = whole.build({ a: 1, r: { b: 2 }, z: 9 });
  assert.is(new DataView(data.buffer).getUint32(2, true), crc32c(Uint8Array.of(1, 2, 0, 0, 0, 0, 9)));
  assert.equal(whole.validate(data), []);
  data[0] = 5;
  assert.equal(
    whole.validate(data).map(({ code, offset }) => [code, offset]),
    [["checksum", 2]],
  );
});

test("given values are written as they are, also where they could be derived", () => {
  const whole = make(struct({ n: u8({ derive: 7 }), crc: crc32cField() }));
  assert.is(bytesToHex(whole.build({ n: 3, crc: 5 })), "0305000000");
});

test("an optional field that can be derived is, when the other fields ask for it", () => {
  const whole = make(
    struct({
      f: u8(),
      n: optional(u16le({ derive: lengthOf("a") }), has(ref("f"), 1)),
      crc: optional(crc32cField(), has(ref("f"), 2)),
      a: bytes(),
      tail: optional(u8({ derive: 9 }), remaining),
    }),
  );
  assert.is(bytesToHex(whole.build({ f: 0, a: hexToBytes("aa") })), "00aa");
  assert.is(bytesToHex(whole.build({ f: 1, a: hexToBytes("aa") })), "010100aa");
  const data = whole.build({ f: 3, a: hexToBytes("aa") });
  assert.is(data.length, 8);
  assert.equal(whole.validate(data), []);
});

test("mistakes of a declaration are found when it is made", () => {
  assert.throws(() => union(ref("t"), { one: [1, u8()] }), TypeError);
  assert.throws(() => union(ref("t"), {}, { other: bytes() }), TypeError);
  assert.throws(() => struct({ ["__proto__"]: u8() }), TypeError);
});

test("nibbles: neighbours share bytes, lists of them too", () => {
  const whole = make(struct({ a: nibble(), b: nibble(), c: nibble(), d: u8() }));
  assert.equal(whole.parse(hexToBytes("21 03 ff")), { a: 1, b: 2, c: 3, d: 255 });
  assert.is(bytesToHex(whole.build({ a: 1, b: 2, c: 3, d: 255 })), "2103ff");
  const list = make(struct({ n: array(nibble(), { count: 3 }), z: u8() }));
  assert.equal(list.parse(hexToBytes("21 03 ff")), { n: [1, 2, 3], z: 255 });
  assert.is(bytesToHex(list.build({ n: [1, 2, 3], z: 255 })), "2103ff");
  const inRegion = make(array(region(nibble(), 1)));
  assert.equal(inRegion.parse(hexToBytes("01 02")), [1, 2]);
  assert.is(bytesToHex(inRegion.build([1, 2])), "0102");
});

test.run();
