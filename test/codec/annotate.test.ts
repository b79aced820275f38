/** Annotations: ranges, names, symbols, derived values, checksums, secrets, gaps, and how far damage lets them go. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  array,
  bytes,
  bytesToHex,
  crc32cField,
  type Format,
  format,
  hexToBytes,
  type Node,
  nibble,
  optional,
  packed,
  ref,
  region,
  type Span,
  secretSummary,
  struct,
  text,
  u8,
  u16le,
  u32le,
  union,
} from "../../src/codec/index.js";

const test = suite("codec: annotations");
const make = (type: Node): Format<unknown> =>
  format({ name: "thing", title: "", source: "" }, type) as Format<unknown>;

/** One line a span: indent, name, range, kind, and what is shown of its value. */
function outline(span: Span, depth = 0): string[] {
  const { name, start, end, kind, bits, value, symbol, description, derived, secret, checksum } = span;
  const range = bits === undefined ? `${start}..${end}` : `bits ${bits.from}..${bits.to}`;
  const shown = value instanceof Uint8Array ? bytesToHex(value) : value === undefined ? "" : String(value);
  const marks = [
    symbol && `"${symbol}"`,
    description && `(${description})`,
    derived && "derived",
    secret && "secret",
  ];
  const line = [name, range, kind, shown, ...marks, checksum].filter((part) => part).join(" ");
  const issues = span.issues.map(({ code }) => `! ${code}`);
  return [line, ...issues, ...span.children.flatMap((child) => outline(child, depth + 1))].map((inner, i) =>
    i === 0 ? inner : `  ${inner}`,
  );
}

const header = struct({
  version: nibble(),
  minVersion: nibble(),
  type: u8({ symbols: { leaf: [7, "row-store leaf"], internal: 6 }, doc: "kind of page" }),
  flags: u16le({ flags: { compressed: [1, "body is compressed"], level: 0x0e }, doc: "how it is stored" }),
  lsn: packed(),
  base: packed({ differenceFrom: "lsn", doc: "of the full image" }),
  crc: crc32cField(),
  name: optional(text("nul"), ref("type"), { doc: "its name" }),
});
const HEADER = "21 07 0704 8a 83 00000000 616200";

test("names, symbols, bits, differences and checksums", () => {
  assert.equal(outline(make(header).annotate(hexToBytes(HEADER), { base: 100 })), [
    "thing 100..113 struct",
    "  version 100..100.5 nibble 1",
    "  minVersion 100.5..101 nibble 2",
    '  type 101..102 int 7 "leaf" (row-store leaf)',
    '  flags 102..104 int 1031 "compressed|level" (how it is stored)',
    "    ! unknown-bits",
    "    compressed bits 0..1 bits 1 (body is compressed)",
    "    level bits 1..4 bits 3",
    "    bit 10 bits 10..11 bits 1 (without a meaning)",
    "  lsn 104..105 packed 10",
    "  base 105..106 packed 7 (of the full image) derived",
    "  crc 106..110 int 0 invalid",
    "    ! checksum",
    "  name 110..113 text ab (its name)",
  ]);
});

test("an absent optional field has no span", () => {
  const type = struct({ a: u8(), b: optional(u8(), ref("a")), c: u8() });
  assert.equal(outline(make(type).annotate(hexToBytes("00 05"))), [
    "thing 0..2 struct",
    "  a 0..1 int 0",
    "  c 1..2 int 5",
  ]);
});

test("runs of unnamed bits up to the highest one", () => {
  const type = struct({ f: u32le({ flags: { low: 1, high: 0x80000000 } }) });
  assert.equal(outline(make(type).annotate(hexToBytes("070000e0"))).slice(3), [
    "    low bits 0..1 bits 1",
    "    high bits 31..32 bits 1",
    "    bits 1–2 bits 1..3 bits 3 (without a meaning)",
    "    bits 29–30 bits 29..31 bits 3 (without a meaning)",
  ]);
});

test("lists, unions and regions", () => {
  const type = struct({
    list: array(struct({ tag: u8(), body: union(ref("tag"), { one: [1, struct({ x: u8() })] }) }), {
      count: 2,
    }),
    inner: region(struct({ rest: bytes() }), 2),
  });
  assert.equal(outline(make(type).annotate(hexToBytes("01 aa 01 bb cccc"))), [
    "thing 0..6 struct",
    "  list 0..4 array",
    "    [0] 0..2 struct",
    "      tag 0..1 int 1",
    '      body 1..2 union "one"',
    "        x 1..2 int 170",
    "    [1] 2..4 struct",
    "      tag 2..3 int 1",
    '      body 3..4 union "one"',
    "        x 3..4 int 187",
    "  inner 4..6 struct",
    "    rest 4..6 bytes cccc",
  ]);
  const paths = (span: Span): string[] => [span.path, ...span.children.flatMap(paths)];
  assert.equal(paths(make(type).annotate(hexToBytes("01 aa 01 bb cccc"))).slice(5, 8), [
    "list[0].body.x",
    "list[1]",
    "list[1].tag",
  ]);
});

test("a value that is no struct has a span too", () => {
  assert.equal(outline(make(packed({ min: 100n })).annotate(hexToBytes("81"))), [
    "thing 0..1 struct",
    "  value 0..1 packed 1",
    "    ! value-range",
  ]);
  assert.equal(outline(make(array(u8())).annotate(hexToBytes("0102"))), [
    "thing 0..2 struct",
    "  value 0..2 array",
    "    [0] 0..1 int 1",
    "    [1] 1..2 int 2",
  ]);
});

test("what cannot be read is a gap, and says why", () => {
  const type = struct({ a: u8(), cells: array(struct({ n: u8(), key: bytes(ref("n")) })) });
  assert.equal(outline(make(type).annotate(hexToBytes("09 01 aa 09 bbcc"))), [
    "thing 0..6 struct",
    "  a 0..1 int 9",
    "  cells 1..4 array",
    "    [0] 1..3 struct",
    "      n 1..2 int 1",
    "      key 2..3 bytes aa",
    "    [1] 3..4 struct",
    "      n 3..4 int 9",
    "      key 4..4 bytes",
    "        ! truncated",
    "  (gap) 4..6 gap (not understood)",
  ]);
});

test("bytes left over, and the unused half of a byte, are gaps", () => {
  const type = struct({ s: struct({ a: nibble() }), b: u8() });
  assert.equal(outline(make(type).annotate(hexToBytes("01 02 0304"))), [
    "thing 0..4 struct",
    "  ! trailing-bytes",
    "  s 0..1 struct",
    "    a 0..0.5 nibble 1",
    "    (gap) 0.5..1 gap (not understood)",
    "  b 1..2 int 2",
    "  (gap) 2..4 gap (not understood)",
  ]);
});

test("an issue stands on the span its path names, not on a gap beside it", () => {
  const type = struct(
    { a: u8() },
    { rules: [{ code: "no", doc: "never right", check: () => ({ message: "no" }) }] },
  );
  const root = make(type).annotate(hexToBytes("01 02"), { partial: true });
  assert.equal(outline(root), [
    "thing 0..2 struct",
    "  ! no",
    "  a 0..1 int 1",
    "  (gap) 1..2 gap (not understood)",
  ]);
  assert.is(make(type).validate(hexToBytes("01 02"), { partial: true })[0]?.offset, 0);
});

test("checksums are valid, invalid, or unchecked where the input could not be read", () => {
  const type = struct({ crc: crc32cField(), body: bytes(2) });
  const good = make(type).build({ body: hexToBytes("0102") });
  const stateOf = (data: Uint8Array): unknown => make(type).annotate(data).children[0]?.checksum;
  assert.is(stateOf(good), "valid");
  good[4] = 0xff;
  assert.is(stateOf(good), "invalid");
  assert.is(stateOf(good.subarray(0, 5)), "unchecked");
});

const SECRET = "feedfacecafebeef";
const vault = struct({
  n: u8(),
  key: bytes(8, { secret: true }),
  keys: array(struct({ k: optional(bytes(8, { secret: true }), ref("n")) }), { count: 1 }),
});

test("secrets appear nowhere: spans, JSON, errors, issues", () => {
  const data = hexToBytes(`01 ${SECRET} ${SECRET}`);
  const whole = make(vault);
  const seen = [whole.annotate(data), whole.toJson(whole.parse(data)), whole.validate(data)];
  for (let length = 0; length < data.length; length++) {
    seen.push(whole.annotate(data.subarray(0, length)), whole.read(data.subarray(0, length)).issues);
    const reading = whole.read(data.subarray(0, length));
    if (!reading.ok) seen.push(reading.error, reading.error.message);
  }
  const secret = hexToBytes(SECRET);
  for (const item of seen) {
    const said = JSON.stringify(item, (_, part) =>
      part instanceof Uint8Array ? bytesToHex(part) : typeof part === "bigint" ? String(part) : part,
    );
    assert.not.match(said, SECRET);
    assert.not.match(said, [...secret].join(","));
  }
  assert.equal(whole.toJson(whole.parse(data)), {
    n: 1,
    key: secretSummary(secret),
    keys: [{ k: secretSummary(secret) }],
  });
  assert.equal(secretSummary(secret).length, 8);
  assert.match(secretSummary(secret).fingerprint, /^sha256:[0-9a-f]{16}$/);
  const revealed = whole.toJson(whole.parse(data), { secrets: "reveal" });
  assert.equal(whole.fromJson(revealed), whole.parse(data));
});

test.run();
