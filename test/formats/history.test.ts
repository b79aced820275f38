import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cell } from "../../formats/cell.js";
import { historyKey, historyValue, modifiesOf, modifyList, modifyListOf } from "../../formats/history.js";
import { packedStruct } from "../../formats/packed-struct.js";
import { type Page, page } from "../../formats/page.js";
import { bytesToHex, FormatError, hexToBytes, seededRandom } from "../../src/codec/index.js";
import { openPalm } from "../../src/store/palm.js";
import { blocksOf } from "../support/classic-files.js";
import { corpusPath } from "../support/corpus.js";
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

/** Keys and values of a row leaf's rows, prefixes undone. */
function* rowsOf(leaf: Page): Generator<[Uint8Array, Extract<Cell, { kind: "value" | "valueShort" }>]> {
  let key = new Uint8Array();
  for (const cell of (leaf as { cells: Cell[] }).cells) {
    if (cell.kind === "key" || cell.kind === "keyShort") key = Uint8Array.from(cell.data);
    else if (cell.kind === "keyPrefix" || cell.kind === "keyShortPrefix")
      key = Uint8Array.from([...key.subarray(0, cell.prefix), ...cell.data]);
    else if (cell.kind === "value" || cell.kind === "valueShort") yield [key, cell];
    else assert.unreachable(`a ${cell.kind} cell in a history store`);
  }
}

/** Checks all rows of a leaf; gives their number. */
function checkLeaf(leaf: Page, tables: Set<number>): number {
  let count = 0;
  let before = "";
  for (const [keyBytes, cell] of rowsOf(leaf)) {
    const key = historyKey.parse(keyBytes);
    const value = historyValue.parse(cell.data);
    assert.equal(historyKey.build(key), keyBytes);
    assert.equal(historyValue.build(value), cell.data);
    assert.is(value.updateType, 3);
    assert.ok(before < bytesToHex(keyBytes));
    before = bytesToHex(keyBytes);
    tables.add(key.btreeId);
    const window = "window" in cell ? cell.window : undefined;
    // A dropped start reads as 0; a version before a prepared update has no stop.
    if (window?.startTs) assert.is(window.startTs, key.startTimestamp);
    const { startTs = 0n, stopTs, durableStop = 0n } = window ?? {};
    if (stopTs !== undefined) assert.is(value.stopDurableTimestamp, startTs + stopTs + durableStop);
    else assert.is(value.stopDurableTimestamp, 2n ** 64n - 1n);
    count++;
  }
  return count;
}

test("every row of the real history stores is read and written back byte for byte", () => {
  const tables = new Set<number>();
  let classic = 0;
  const file = new Uint8Array(readFileSync(corpusPath("classic-12.0", "ts_hs", "WiredTigerHS.wt")));
  for (const block of blocksOf(file))
    if (block.type === 7) classic += checkLeaf(page.parse(block.bytes), tables);
  assert.ok(classic > 3000, `${classic} rows`);
  assert.ok(
    [...tables].every((id) => id % 8 === 0),
    "ids of local tables",
  );
});

test("so is every row of the history store in a page log", () => {
  const tables = new Set<number>();
  const store = openPalm(corpusPath("palm", "e_ts", "kv_home", "data.mdb"));
  let rows = 0;
  for (const { tableId, isDelta, data } of store.records()) {
    if (tableId !== 25n || isDelta || data[24] !== 7) continue;
    rows += checkLeaf(page.parse(data.slice()), tables);
  }
  store.close();
  assert.ok(rows > 700, `${rows} rows`);
  assert.ok(
    [...tables].every((id) => id % 8 === 1),
    "ids of shared tables",
  );
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
