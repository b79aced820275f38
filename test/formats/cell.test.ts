import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  addressAggregate,
  aggregateSlots,
  type Cell,
  type CellWindow,
  cell,
  cellLength,
  deltaInternalEntry,
  deltaLeafEntry,
  deltaValue,
  GLOBAL_AGGREGATE,
  GLOBAL_WINDOW,
  hasStop,
  MAX_TIMESTAMP,
  MAX_TRANSACTION,
  oldEntryWindow,
  page,
  preparedWindow,
  valueSlots,
  valueWindow,
  wrappingSlot,
} from "../../formats/index.js";
import { bytesToHex, type Format, hexToBytes, seededRandom } from "../../src/codec/index.js";
import { corpusPath } from "../support/corpus.js";
import { corpusBlocks } from "../support/corpus-blocks.js";

const test = suite("cells, time windows, deltas");

const clean = (hex: string): string => hex.replaceAll(" ", "");

/** The cell, after checking that it is built as it was. */
function read(hex: string, params = {}): Cell {
  const value = cell.parse(hexToBytes(hex), { params });
  assert.is(bytesToHex(cell.build(value, { params })), clean(hex));
  assert.is(cellLength(value), hexToBytes(hex).length);
  return value;
}

const errorOf = (format: Format<unknown>, hex: string, params = {}): string | undefined =>
  format.validate(hexToBytes(hex), { params }).find(({ severity }) => severity === "error")?.code;

test("short forms", () => {
  const key = read("09 30 00");
  assert.ok(key.kind === "keyShort" && bytesToHex(key.data) === "3000");
  const prefixed = read("06 07 61");
  assert.ok(prefixed.kind === "keyShortPrefix" && prefixed.prefix === 7);
  assert.is(read("03").kind, "valueShort");
});

test("a value without window has its length less 64, with one its length", () => {
  const plain = read(`80 81 ${"61".repeat(65)}`);
  assert.ok(plain.kind === "value" && plain.storedLength === 1 && plain.data.length === 65);
  const windowed = read("8c 28 c02e a5 80 8a 88 626262302d313000 00");
  assert.ok(windowed.kind === "value");
  assert.equal([windowed.value64, windowed.storedLength, windowed.data.length], [0n, 10, 10]);
  assert.equal(windowed.window, { bits: 0x28, startTs: 110n, startTxn: 37n });
  const unwindowed = read(`84 80 80 ${"61".repeat(64)}`);
  assert.ok(unwindowed.kind === "value" && unwindowed.data.length === 64, "64V of 0 adjusts");
  const run = read("84 82 81 61");
  assert.ok(run.kind === "value" && run.data.length === 1, "a run length does not");
});

test("copies, overflow items, deleted records", () => {
  const copy = read("98 28 8a c16d c38e");
  assert.ok(copy.kind === "valueCopy" && copy.distance === 974n);
  const deleted = read("44 c000");
  assert.ok(deleted.kind === "deleted" && deleted.value64 === 64n);
  const overflow = read("60 83 010203");
  assert.ok(overflow.kind === "keyOverflow" && overflow.cookie.length === 3);
});

test("addresses", () => {
  const leaf = read("38 2a c024 a5 8a 8e 00c02481c029c028c0005479ba6c");
  assert.ok(leaf.kind === "addressLeafNoOverflow" && leaf.cookie.length === 14);
  assert.equal(addressAggregate(leaf.window), {
    ...GLOBAL_AGGREGATE,
    oldestStartTs: 100n,
    newestTxn: 37n,
    newestStartDurableTs: 110n,
  });
  const removed = read("d0 80");
  assert.is(removed.kind, "addressDeletedVisibleAll");
  assert.is(errorOf(cell, "d0 81 00"), "value-range");
});

test("a fast-truncated child, with the page's flag and without", () => {
  const hex = "08 0a 8a 8f 86 a8 a8 8d c03dc1388380c04be4597a6d42";
  const value = read(hex, { fastTruncate: 1 });
  assert.ok(value.kind === "addressDeleted");
  const { truncateTxn, truncateTs, truncateDurableTs, truncatePrepared, cookie } = value;
  assert.equal([truncateTxn, truncateTs, truncateDurableTs, truncatePrepared], [6n, 40n, 40n, undefined]);
  assert.is(cookie.length, 13);
  const prepared = read(clean(hex).replace("86a8a8", "86a8a801"), { fastTruncate: 1 });
  assert.ok(prepared.kind === "addressDeleted" && prepared.truncatePrepared === 1);
  const plain = read("00 82 8080");
  assert.ok(plain.kind === "addressDeleted" && plain.cookie.length === 2);
});

test("what no cell has", () => {
  assert.is(errorOf(cell, ""), "union-tag");
  assert.is(errorOf(cell, "e0 80"), "union-tag", "type 14");
  assert.is(errorOf(cell, "0d 30 00"), "truncated");
  assert.is(errorOf(cell, `58 00 80 ${"61".repeat(64)}`), "cell-form", "a key with a window");
  assert.is(errorOf(cell, "8c 80 80 80"), "unknown-bits", "bit 0x80 of a window");
  assert.is(errorOf(cell, "8c 28 00"), "packed-illegal");
});

test("windows of values", () => {
  const window = (bits: number, slots: Omit<CellWindow, "bits">): ReturnType<typeof valueWindow> => {
    const stored = { bits, ...slots };
    const value = valueWindow(stored);
    assert.equal(valueSlots(value), stored);
    return value;
  };
  assert.equal(valueWindow(undefined), GLOBAL_WINDOW);
  assert.is(valueSlots(GLOBAL_WINDOW), undefined);
  const plain = window(0x28, { startTs: 110n, startTxn: 37n });
  assert.equal(plain, { ...GLOBAL_WINDOW, startTs: 110n, startTxn: 37n, durableStartTs: 110n });
  assert.not(hasStop(plain));
  const bare = window(0x50, { stopTs: 0n, stopTxn: 2n });
  assert.equal([bare.stopTs, bare.stopTxn, bare.durableStopTs], [0n, 2n, 0n]);
  assert.ok(hasStop(bare), "a delete without a timestamp");
  const stopped = window(0x7e, {
    startTs: 10n,
    startTxn: 5n,
    durableStart: 2n,
    stopTs: 30n,
    stopTxn: 1n,
    durableStop: 3n,
  });
  assert.equal(
    [stopped.durableStartTs, stopped.stopTs, stopped.stopTxn, stopped.durableStopTs],
    [12n, 40n, 6n, 43n],
  );
});

test("aggregates: differences modulo 2^64", () => {
  const durable = { ...GLOBAL_AGGREGATE, newestStopDurableTs: 44n };
  const slots = aggregateSlots(durable);
  assert.equal(slots, { bits: 0x04, durableStop: 45n });
  assert.equal(addressAggregate(slots), durable);
  assert.equal(aggregateSlots(GLOBAL_AGGREGATE), { bits: 0 });
});

test("windows that end before they begin", () => {
  assert.is(wrappingSlot({ bits: 0x18, startTs: 10n, stopTs: MAX_TIMESTAMP }, "value"), "stopTs");
  assert.is(wrappingSlot({ bits: 0x60, startTxn: 11n, stopTxn: MAX_TRANSACTION }, "address"), "stopTxn");
  assert.is(wrappingSlot({ bits: 0x0a, startTs: 10n, durableStart: MAX_TIMESTAMP }, "value"), "durableStart");
  assert.is(
    wrappingSlot({ bits: 0x0b, startTs: 10n, durableStart: MAX_TIMESTAMP }, "value"),
    undefined,
    "an id",
  );
  assert.is(wrappingSlot({ bits: 0x04, durableStop: 45n }, "address"), undefined);
  assert.is(wrappingSlot({ bits: 0x04, durableStop: 45n }, "value"), "durableStop");
});

test("preserved prepared transactions keep ids in the durable slots", () => {
  const start = preparedWindow({ bits: 0x2b, startTs: 50n, startTxn: 7n, durableStart: 900n });
  assert.equal([start.prepared, start.startTs, start.startPreparedId], ["start", 50n, 900n]);
  const both = preparedWindow({
    bits: 0x7b,
    startTs: 50n,
    startTxn: 7n,
    durableStart: 900n,
    stopTs: 2n,
    stopTxn: 0n,
  });
  assert.equal([both.prepared, both.stopTs, both.stopPreparedId], ["both", 52n, 900n]);
  const stop = preparedWindow({ bits: 0x5d, startTs: 50n, stopTs: 10n, stopTxn: 9n, durableStop: 901n });
  assert.equal(
    [stop.prepared, stop.durableStartTs, stop.stopTs, stop.stopPreparedId],
    ["stop", 50n, 60n, 901n],
  );
});

test("every window of the corpus is what the engine would write", () => {
  const counts = { values: 0, aggregates: 0 };
  const same = (name: string, stored: CellWindow | undefined, again: CellWindow | undefined): void => {
    assert.equal(again, stored, name);
  };
  for (const { name, bytes } of corpusBlocks()) {
    const value = page.parse(bytes);
    for (const entry of ("cells" in value && value.cells) || []) {
      if (!("window" in entry) || entry.window === undefined) continue;
      if (entry.kind.startsWith("address")) {
        counts.aggregates++;
        same(name, entry.window, aggregateSlots(addressAggregate(entry.window)));
      } else {
        counts.values++;
        same(name, entry.window, valueSlots(valueWindow(entry.window)));
      }
    }
  }
  assert.equal(counts, { values: 52627, aggregates: 6195 });
});

test("values of deltas, both forms", () => {
  const lengthFirst = deltaValue.parse(hexToBytes("88 626262302d313000 00"));
  assert.equal([lengthFirst.generation, lengthFirst.flags, lengthFirst.value.length], ["uB", 0, 8]);
  const flagsFirst = deltaValue.parse(hexToBytes("00 626262302d313000"));
  assert.equal([flagsFirst.generation, flagsFirst.flags, flagsFirst.value.length], ["Bu", 0, 8]);
  assert.equal(deltaValue.parse(hexToBytes("80 01")).flags, 1);
  assert.equal(deltaValue.parse(hexToBytes("01")).flags, 1);
  assert.is(errorOf(deltaValue, "01 61"), "delta-delete-value");
  assert.is(errorOf(deltaValue, "81 61 01"), "delta-delete-value");
  assert.is(errorOf(deltaValue, "02 61"), "unknown-bits");
  assert.is(errorOf(deltaValue, "88 6162 00"), "truncated");
  assert.is(errorOf(deltaValue, ""), "truncated");
});

test("entries of old deltas", () => {
  const entry = (hex: string): ReturnType<typeof deltaLeafEntry.parse> => {
    const value = deltaLeafEntry.parse(hexToBytes(hex));
    assert.is(bytesToHex(deltaLeafEntry.build(value)), clean(hex));
    return value;
  };
  const committed = oldEntryWindow(entry("07 86 94 94 81 81 61 62"));
  assert.equal(
    [committed.startTxn, committed.startTs, committed.durableStartTs, committed.prepare],
    [6n, 20n, 20n, false],
  );
  const stopped = oldEntryWindow(entry("38 87 c010 c010 81 81 61 62"));
  assert.equal([stopped.stopTxn, stopped.stopTs, stopped.durableStopTs], [7n, 80n, 80n]);
  const prepared = oldEntryWindow(entry("03 c02e b2 81 81 61 62"));
  assert.equal([prepared.startTxn, prepared.startTs, prepared.prepare], [110n, 50n, true]);
  const removed = entry("40 82 6162");
  assert.equal([removed.value, removed.key.length], [undefined, 2]);
  assert.is(errorOf(deltaLeafEntry, "80 81 81 61 62"), "unknown-bits");
});

test("entries of old internal deltas", () => {
  const hex = "00 29 757365723a3030303032 38 00 8d c068cb0a8780c01de45d121620";
  const value = deltaInternalEntry.parse(hexToBytes(hex));
  assert.ok(value.key.kind === "keyShort" && Buffer.from(value.key.data).toString() === "user:00002");
  assert.is(value.address?.kind, "addressLeafNoOverflow");
  assert.is(bytesToHex(deltaInternalEntry.build(value)), clean(hex));
  const removed = deltaInternalEntry.parse(hexToBytes("01 05 61"));
  assert.is(removed.address, undefined);
});

test("cells generated, built, read and measured", () => {
  const random = seededRandom(7);
  for (let round = 0; round < 3000; round++) {
    const bytes = cell.build(cell.generate(random));
    assert.is(cellLength(cell.parse(bytes)), bytes.length);
  }
});

test("first cells of the delta in MongoDB's oplog", () => {
  const file = corpusPath("vectors", "disagg_delta_oplog.expected.json");
  const [first, second] = JSON.parse(readFileSync(file, "utf8")).first_cells;
  const window = { bits: 0x08, startTs: BigInt(second.start_ts) };
  const built = cell.build({
    kind: "value",
    window,
    value64: 0n,
    data: new Uint8Array(second.length),
  } as unknown as Cell);
  const value = read(bytesToHex(built));
  assert.ok(value.kind === "value" && value.storedLength === 419);
  assert.is(valueWindow(value.window).startTs, 7613589195910545415n);
  assert.is(
    read(bytesToHex(cell.build({ kind: "keyShort", data: new Uint8Array(first.length) } as Cell))).kind,
    "keyShort",
  );
});

test.run();
