import { suite } from "uvu";
import * as assert from "uvu/assert";
import { historyKey, historyValue, modifiesOf, modifyList, modifyListOf } from "../../formats/history.js";
import { packedStruct } from "../../formats/packed-struct.js";
import { bytesToHex, FormatError, hexToBytes, seededRandom } from "../../src/codec/index.js";
import { detects, eachBitFlip, eachTruncation } from "../support/damage.js";
import { agreesFourWays, vectors } from "../support/vector.js";

const test = suite("history store");
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const u64 = (value: number): string => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytesToHex(bytes);
};

test("the key vector agrees in both directions", () => {
  for (const row of vectors("hs_key.json"))
    agreesFourWays(historyKey, row.hex, {
      btreeId: row.btree_id,
      keyLength: row.key_text.length,
      key: text(row.key_text),
      startTimestamp: BigInt(row.start_ts),
      counter: BigInt(row.counter),
    });
});

test("keys and values are the packed structs IuQQ and QQQu", () => {
  for (let seed = 0; seed < 500; seed++) {
    const random = seededRandom(seed);
    const key = historyKey.parse(historyKey.build(historyKey.generate(random)));
    const columns = [key.btreeId, key.key, key.startTimestamp, key.counter];
    assert.equal(packedStruct("IuQQ").build(columns), historyKey.build(key));
    const value = historyValue.generate(random);
    const { stopDurableTimestamp, startDurableTimestamp, updateType, data } = value;
    const packed = packedStruct("QQQu").build([
      stopDurableTimestamp,
      startDurableTimestamp,
      BigInt(updateType),
      data,
    ]);
    assert.equal(packed, historyValue.build(value));
  }
});

test("a key length is computed when left out", () => {
  const key = historyKey.build({
    btreeId: 16,
    key: text("key0001\0"),
    startTimestamp: 1n,
    counter: 0n,
  } as never);
  assert.is(bytesToHex(key), "90886b657930303031008180");
});

test("a value holds the full value or a modify list", () => {
  const full = hexToBytes(`808a83${bytesToHex(text("row"))}`);
  assert.equal(historyValue.parse(full), {
    stopDurableTimestamp: 0n,
    startDurableTimestamp: 10n,
    updateType: 3,
    data: text("row"),
  });
  const list = `${u64(1)}${u64(2)}${u64(5)}${u64(1)}6162`;
  const modify = historyValue.parse(hexToBytes(`e8ffffffffffffdfbf8a81${list}`));
  assert.is(modify.stopDurableTimestamp, 2n ** 64n - 1n);
  assert.equal(modifiesOf(modifyList.parse(modify.data)), [{ data: text("ab"), offset: 5n, size: 1n }]);
});

test("types that are never stored, unknown ones and broken lists are errors", () => {
  const codes = (hex: string): string[] => historyValue.validate(hexToBytes(hex)).map(({ code }) => code);
  assert.equal(codes("808082"), ["history-update-type"]);
  assert.equal(codes("808084"), ["history-update-type"]);
  assert.equal(codes("808085"), ["unknown-value"]);
  assert.equal(codes("80808100"), ["history-modify-list"]);
  assert.equal(codes("80"), ["truncated"]);
});

test("modify lists: sizes and places, then all data", () => {
  const list = modifyListOf([
    { data: text("ab"), offset: 3n, size: 0n },
    { data: text(""), offset: 0n, size: 2n },
    { data: text("c"), offset: 9n, size: 1n },
  ]);
  const hex = `${[3, 2, 3, 0, 0, 0, 2, 1, 9, 1].map(u64).join("")}616263`;
  agreesFourWays(modifyList, hex, list);
  assert.equal(modifyListOf(modifiesOf(list)), list);
  assert.equal(modifyList.parse(hexToBytes(u64(0))), { count: 0n, changes: [], data: new Uint8Array() });
});

test("a count or size beyond the bytes is refused before anything is made of it", () => {
  const refused = (hex: string, code: string): void =>
    assert.throws(
      () => modifyList.parse(hexToBytes(hex)),
      (error: unknown) => error instanceof FormatError && error.code === code,
      hex,
    );
  refused("ffffffffffffffff", "truncated");
  refused(`${u64(2 ** 40)}${u64(1).repeat(3)}`, "truncated");
  refused(`${u64(1)}${u64(2 ** 50)}${u64(0)}${u64(0)}61`, "modify-data-size");
  refused(`${u64(1)}${u64(0)}${u64(0)}${u64(0)}61`, "modify-data-size");
});

test("damage gives a value or an error, never anything else", () => {
  const modify = hexToBytes(`${u64(2)}${u64(1)}${u64(5)}${u64(1)}${u64(1)}${u64(0)}${u64(0)}6162`);
  for (const [format, bytes] of [
    [historyKey, hexToBytes("90886b657930303031008180")],
    [historyValue, hexToBytes(`808a83${bytesToHex(text("row"))}`)],
    [modifyList, modify],
  ] as const) {
    eachBitFlip(bytes, (damaged) => detects(format, damaged));
    eachTruncation(bytes, (shorter) => detects(format, shorter));
  }
});

test.run();
