/** Rows as hex lines, JSON lines and documents. */
import { serialize } from "bson";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { packStruct } from "../../formats/packed-struct.js";
import { hexRows } from "../../src/report/rows/hex.js";
import { bsonRows, jsonRows } from "../../src/report/rows/json.js";
import { keyText, rangeText } from "../../src/report/rows/keys.js";
import type { TreeRow } from "../../src/tree/types.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const row = (key: Uint8Array | bigint, value: Uint8Array): TreeRow => ({
  key,
  value,
  window: undefined,
  origin: { isDelta: false },
  offset: 0,
});
const hexOf = (...rows: TreeRow[]): string =>
  Buffer.concat([...hexRows(rows)].map((chunk) => Buffer.from(chunk))).toString("latin1");

const test = suite("rows as text");

test("hex: a line a key, a line a value, record numbers in decimal", () => {
  assert.is(hexOf(), "");
  assert.is(
    hexOf(row(Uint8Array.of(0, 255, 16), new Uint8Array()), row(12n, Uint8Array.of(171))),
    "00ff10\n\n12\nab\n",
  );
});

test("hex: values longer than a chunk, at even and odd places", () => {
  for (const before of [0, 1, 2, 3]) {
    const first = row(9n ** BigInt(before), new Uint8Array());
    const value = Uint8Array.from({ length: 400_000 }, (_, i) => i * 7);
    assert.is(
      hexOf(first, row(bytes("k"), value), first),
      `${first.key}\n\n6b\n${Buffer.from(value).toString("hex")}\n${first.key}\n\n`,
    );
  }
});

function linesOf(make: (onIssue: (what: string, message: string) => void) => Iterable<string>): {
  lines: unknown[];
  issues: string[];
} {
  const issues: string[] = [];
  const lines = [...make((what, message) => issues.push(`${what}: ${message}`))].map((line) =>
    JSON.parse(line),
  );
  return { lines, issues };
}

test("json: one column as it is, several as a list, 64-bit numbers as text, bytes as hex", () => {
  const rows = [row(packStruct("iS", [-3, "a\nb"]), packStruct("QuH", [2n ** 63n, Uint8Array.of(1, 2), 7]))];
  assert.equal(
    linesOf((onIssue) => jsonRows(rows, { keyFormat: "iS", valueFormat: "QuH" }, onIssue)),
    { lines: [{ key: [-3, "a\nb"], value: ["9223372036854775808", "0102", 7] }], issues: [] },
  );
  const plain = [row(5n, packStruct("S", ["text"]))];
  assert.equal(linesOf((onIssue) => jsonRows(plain, { keyFormat: "r", valueFormat: "S" }, onIssue)).lines, [
    { key: "5", value: "text" },
  ]);
});

test("json: what the format does not fit is given as bytes, and named", () => {
  const { lines, issues } = linesOf((onIssue) =>
    jsonRows([row(bytes("k"), Uint8Array.of(0xe8))], { keyFormat: "u", valueFormat: "Q" }, onIssue),
  );
  assert.is(issues.length, 1);
  assert.ok(issues[0]?.startsWith("value: "));
  const [line] = lines as Array<Record<string, unknown>>;
  assert.is(line?.key, "6b");
  assert.is(line?.valueBytes, "e8");
  assert.type(line?.valueError, "string");
});

test("json: a format nobody knows", () => {
  const { lines, issues } = linesOf((onIssue) =>
    jsonRows([row(bytes("k"), bytes("v"))], { keyFormat: "u", valueFormat: "Z" }, onIssue),
  );
  assert.is(issues.length, 1);
  assert.is((lines[0] as Record<string, unknown>).valueBytes, "76");
});

test("bson: canonical documents; others are given as bytes", () => {
  const document = serialize({ _id: 1, text: "ä", double: 1.5, bytes: Uint8Array.of(1) });
  const { lines, issues } = linesOf((onIssue) =>
    bsonRows(
      [row(packStruct("q", [-9n]), document), row(packStruct("q", [2n]), bytes("no document"))],
      { keyFormat: "q", valueFormat: "u" },
      onIssue,
    ),
  );
  const [first, second] = lines as Array<Record<string, unknown>>;
  assert.equal(first, {
    key: "-9",
    value: {
      _id: { $numberInt: "1" },
      text: "ä",
      double: { $numberDouble: "1.5" },
      bytes: { $binary: { base64: "AQ==", subType: "00" } },
    },
  });
  assert.is(second?.valueBytes, Buffer.from("no document").toString("hex"));
  assert.is(issues.length, 1);
});

test("keys and ranges in words", () => {
  assert.is(keyText(12n), "12");
  assert.is(keyText(bytes("key1\0")), '6b65793100 ("key1")');
  assert.is(keyText(Uint8Array.of(1, 2)), "0102");
  assert.is(keyText(new Uint8Array()), "(empty)");
  assert.is(keyText(new Uint8Array(100)).length, 129);
  assert.is(rangeText({}), "all keys");
  assert.is(rangeText({ to: 5n }), "all keys below 5");
  assert.is(rangeText({ from: 5n }), "all keys from 5 on");
  assert.is(rangeText({ from: 5n, to: 9n }), "keys from 5 to below 9");
});

test.run();
