import * as fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type PackedValue, packedStruct, packStruct, unpackStruct } from "../../formats/packed-struct.js";
import { formatByName } from "../../formats/registry.js";
import { bytesToHex, FormatError, hexToBytes, seededRandom } from "../../src/codec/index.js";
import { detects, eachTruncation } from "../support/damage.js";
import { agreesFourWays, vectors } from "../support/vector.js";

const test = suite("packed structs");
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

test("the history-store key vector agrees in both directions", () => {
  const rows = vectors("hs_key.json");
  assert.is(rows.length, 1);
  for (const row of rows)
    agreesFourWays(packedStruct(row.format), row.hex, [
      row.btree_id,
      text(row.key_text),
      BigInt(row.start_ts),
      BigInt(row.counter),
    ]);
});

test("each letter has its form", () => {
  const cases: Array<[string, PackedValue[], string]> = [
    ["b", [-128], "00"],
    ["b", [127], "ff"],
    ["b", [0], "80"],
    ["B", [200], "c8"],
    ["t", [1], "01"],
    ["3t", [7], "07"],
    ["8t", [255], "ff"],
    ["h", [-1], "7f"],
    ["H", [64], "c000"],
    ["i", [-64], "40"],
    ["I", [4294967295], "e4ffffdfbf"],
    ["l", [-2147483648], "1480000000"],
    ["L", [8256], "e100"],
    ["q", [-65n], "3fff"],
    ["Q", [18446744073709551615n], "e8ffffffffffffdfbf"],
    ["r", [1n], "81"],
    ["R", [1n], "0100000000000000"],
    ["S", ["ab"], "616200"],
    ["4S", ["ab\0\0"], "61620000"],
    ["s", ["a"], "61"],
    ["3s", ["abc"], "616263"],
    ["u", [text("xy")], "7879"],
    ["uu", [text("xy"), text("z")], "8278797a"],
    ["2uu", [text("xy"), text("z")], "78797a"],
    ["uQ", [text(""), 0n], "8080"],
    ["3i", [1, 2, 3], "818283"],
    ["SiS", ["k", -1, ""], "6b007f00"],
    ["", [], ""],
  ];
  for (const [formatText, values, hex] of cases) agreesFourWays(packedStruct(formatText), hex, values);
});

test("the last item without a count has no length, any other one has", () => {
  assert.equal(unpackStruct("uu", hexToBytes("816162")), [text("a"), text("b")]);
  assert.throws(() => unpackStruct("uu", hexToBytes("8361")), failsWith("truncated", "[0]"));
});

test("any values of any format come back", () => {
  const letters = "bBthHiIlLqQrRsSu";
  const anyText = fc.array(fc.tuple(fc.constantFrom(...letters), fc.integer({ min: 0, max: 4 })), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(anyText, fc.integer(), (columns, seed) => {
      const formatText = columns
        .map(([letter, count]) => (count === 0 ? letter : `${count}${letter}`))
        .join("");
      const format = packedStruct(formatText);
      const values = format.generate(seededRandom(seed));
      const packed = format.build(values);
      assert.equal(format.parse(packed), values);
      assert.equal(format.fromJson(JSON.parse(JSON.stringify(format.toJson(values)))), values);
      eachTruncation(packed, (shorter) => detects(format, shorter));
    }),
    { numRuns: 400 },
  );
});

test("packed keys sort as their columns do", () => {
  const key = fc.tuple(
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  );
  fc.assert(
    fc.property(key, key, (a, b) => {
      const order = a[0] === b[0] ? a[1] < b[1] : a[0] < b[0];
      assert.is(bytesToHex(packStruct("iQ", a)) < bytesToHex(packStruct("iQ", b)), order);
    }),
  );
});

test("values that do not fit are named by column", () => {
  const wrong: Array<[string, unknown[], string, string]> = [
    ["QB", [1n, 256], "value-range", "[1]"],
    ["b", [128], "value-range", "[0]"],
    ["h", [32768], "value-range", "[0]"],
    ["H", [65536], "value-range", "[0]"],
    ["i", [1.5], "value-range", "[0]"],
    ["Q", [-1n], "value-range", "[0]"],
    ["S", ["a\0b"], "unterminated", "[0]"],
    ["4S", ["abc"], "length-mismatch", "[0]"],
    ["uQ", ["text", 1n], "value-type", "[0]"],
    ["QQ", [1n], "count-mismatch", ""],
  ];
  for (const [formatText, values, code, path] of wrong)
    assert.throws(() => packStruct(formatText, values as PackedValue[]), failsWith(code, path), formatText);
});

test("stored values out of their column's range are errors", () => {
  assert.throws(() => unpackStruct("Sh", hexToBytes("6100e27fff")), failsWith("value-range", "[1]", 2));
  assert.throws(() => unpackStruct("3t", hexToBytes("08")), failsWith("value-range", "[0]"));
  assert.throws(() => unpackStruct("I", hexToBytes("e8ffffffffffffdfbf")), failsWith("value-range", "[0]"));
  assert.throws(() => unpackStruct("Q", hexToBytes("8181")), failsWith("trailing-bytes", "", 1));
});

test("a format text that is none says where", () => {
  for (const [formatText, offset] of [
    ["Qz", 1],
    ["Q,", 1],
    ["4", 0],
    ["9t", 0],
    ["0t", 0],
    ["IuQ Q", 3],
    ["99999i", 0],
    ["1234567890Q", 0],
  ] as const)
    assert.throws(() => packedStruct(formatText), failsWith("format-text", "", offset), formatText);
});

test("the registry makes the format of any format text", () => {
  assert.equal(formatByName("packed-struct:SQ")?.parse(hexToBytes("610081")), ["a", 1n]);
  assert.is(formatByName("packed-struct:z"), undefined);
  assert.equal(formatByName("packed-struct:IuQQ")?.toJson([16, text("k"), 1n, 0n]), [16, "6b", "1", "0"]);
});

test("annotations name the columns", () => {
  const span = packedStruct("Su").annotate(hexToBytes("610062"));
  assert.equal(
    span.children.map(({ name, start, end }) => [name, start, end]),
    [
      ["[0]", 0, 2],
      ["[1]", 2, 3],
    ],
  );
});

const failsWith = (code: string, path: string, offset?: number) => (error: unknown) =>
  error instanceof FormatError &&
  error.code === code &&
  error.path === path &&
  (offset === undefined || error.offset === offset);

test.run();
