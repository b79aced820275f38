/** What the tight encoders of cells write is what the declared codecs build. */
import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { cell } from "../../formats/cell.js";
import { deltaInternalEntry, deltaLeafEntry, deltaValue, oldEntryWindow } from "../../formats/delta.js";
import {
  aggregateSlots,
  GLOBAL_WINDOW,
  MAX_TIMESTAMP,
  MAX_TRANSACTION,
  type TimeAggregate,
  type TimeWindow,
  valueSlots,
} from "../../formats/time-window.js";
import { CellWriter, childTypes } from "../../src/write/page/cell-writer.js";

const u64 = fc.oneof(
  fc.bigInt(0n, 70n),
  fc.bigInt(8190n, 8320n),
  fc.bigInt(0n, 1n << 33n),
  fc.bigInt(0n, (1n << 63n) - 1n),
);
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 70 }),
  fc.uint8Array({ minLength: 100, maxLength: 400 }),
  fc.constantFrom(63, 64, 8255 + 64, 8256 + 64).map((length) => new Uint8Array(length).fill(7)),
);
const maybe = <T>(of: fc.Arbitrary<T>, absent: T): fc.Arbitrary<T> => fc.oneof(fc.constant(absent), of);

const anyWindow: fc.Arbitrary<TimeWindow> = fc
  .record({
    startTs: u64,
    startTxn: maybe(u64, 0n),
    durable: maybe(fc.bigInt(0n, 100n), 0n),
    stop: maybe(fc.bigInt(0n, 1n << 62n), MAX_TIMESTAMP),
    stopTxn: maybe(fc.bigInt(0n, 1n << 62n), MAX_TRANSACTION),
    durableStop: maybe(fc.bigInt(0n, 100n), 0n),
  })
  .map(({ startTs, startTxn, durable, stop, stopTxn, durableStop }) => {
    const stopTs = stop === MAX_TIMESTAMP ? stop : startTs + stop;
    return {
      startTs,
      startTxn,
      durableStartTs: startTs + durable,
      stopTs,
      stopTxn: stopTxn === MAX_TRANSACTION ? stopTxn : startTxn + stopTxn,
      durableStopTs: stopTs === MAX_TIMESTAMP ? 0n : stopTs + durableStop,
      prepare: false,
    };
  });
const window = fc.oneof(fc.constant(undefined), fc.constant(GLOBAL_WINDOW), anyWindow);

const aggregate: fc.Arbitrary<TimeAggregate> = anyWindow.map((one) => ({
  oldestStartTs: one.startTs,
  newestTxn: one.startTxn,
  newestStartDurableTs: one.durableStartTs,
  newestStopTs: one.stopTs,
  newestStopTxn: one.stopTxn,
  newestStopDurableTs: one.durableStopTs,
  prepare: one.startTs % 2n === 1n,
}));

function written(write: (cells: CellWriter) => unknown): Uint8Array {
  const cells = new CellWriter();
  cells.reset(3);
  write(cells);
  return cells.bytes.subarray(3, cells.length);
}

const SHORT = 63;
const same = (actual: Uint8Array, expected: Uint8Array): void =>
  assert.equal(Buffer.from(actual).toString("hex"), Buffer.from(expected).toString("hex"));

function valueCell(data: Uint8Array, of: TimeWindow | undefined): Uint8Array {
  const slots = of && valueSlots(of);
  if (slots !== undefined)
    return cell.build({ kind: "value", data, window: slots, value64: 0n } as Parameters<
      typeof cell.build
    >[0]);
  const kind = data.length <= SHORT ? "valueShort" : "value";
  return cell.build({ kind, data } as Parameters<typeof cell.build>[0]);
}

test("keys, whole and behind a prefix", () => {
  fc.assert(
    fc.property(bytes, fc.nat({ max: 255 }), (key, shared) => {
      const prefix = Math.min(shared, key.length);
      const data = key.subarray(prefix);
      const short = data.length <= SHORT;
      const kind = prefix === 0 ? (short ? "keyShort" : "key") : short ? "keyShortPrefix" : "keyPrefix";
      const built = cell.build({
        kind,
        data,
        ...(prefix === 0 ? {} : { prefix }),
      } as Parameters<typeof cell.build>[0]);
      same(
        written((cells) => cells.key(key, prefix)),
        built,
      );
    }),
  );
});

test("values with any window; empty ones everybody sees are left out", () => {
  fc.assert(
    fc.property(bytes, window, (data, of) => {
      const out = written((cells) => {
        const left = data.length === 0 && (of === undefined || valueSlots(of) === undefined);
        assert.is(cells.value(data, of), !left);
      });
      if (out.length > 0) same(out, valueCell(data, of));
      else assert.is(data.length, 0);
    }),
  );
});

test("values of deltas, flags behind and in front", () => {
  fc.assert(
    fc.property(
      bytes,
      window,
      fc.boolean(),
      fc.constantFrom("uB" as const, "Bu" as const),
      (data, of, removed, form) => {
        const value = removed ? new Uint8Array() : data;
        const payload = deltaValue.build({ generation: form, flags: removed ? 1 : 0, value } as Parameters<
          typeof deltaValue.build
        >[0]);
        same(
          written((cells) => cells.deltaValue(form, value, of, removed)),
          valueCell(payload, removed ? undefined : of),
        );
      },
    ),
  );
});

test("addresses", () => {
  fc.assert(
    fc.property(aggregate, fc.uint8Array({ minLength: 1, maxLength: 40 }), (of, cookie) => {
      for (const [type, kind] of [
        [childTypes.internal, "addressInternal"],
        [childTypes.leaf, "addressLeafNoOverflow"],
      ] as const)
        same(
          written((cells) => cells.address(type, of, cookie)),
          cell.build({ kind, window: aggregateSlots(of), cookie } as Parameters<typeof cell.build>[0]),
        );
    }),
  );
  same(
    written((cells) => cells.removedChild()),
    cell.build({ kind: "addressDeletedVisibleAll" } as Parameters<typeof cell.build>[0]),
  );
});

test("entries of old deltas are read back as they were meant", () => {
  fc.assert(
    fc.property(bytes, bytes, window, fc.boolean(), (key, value, of, removed) => {
      const entry = deltaLeafEntry.parse(written((cells) => cells.oldLeafEntry(key, value, of, removed)));
      same(entry.key, key);
      if (removed) return assert.is(entry.value, undefined);
      same(entry.value as Uint8Array, value);
      assert.equal(oldEntryWindow(entry), of ?? GLOBAL_WINDOW);
      same(
        deltaLeafEntry.build(entry),
        written((cells) => cells.oldLeafEntry(key, value, of, removed)),
      );
    }),
  );
  fc.assert(
    fc.property(bytes, aggregate, (key, of) => {
      const out = written((cells) => {
        cells.oldInternalFlags(false);
        cells.key(key);
        cells.address(childTypes.leaf, of, Uint8Array.of(1, 2, 3));
      });
      same(deltaInternalEntry.build(deltaInternalEntry.parse(out)), out);
      const gone = written((cells) => {
        cells.oldInternalFlags(true);
        cells.key(key);
      });
      assert.is(deltaInternalEntry.parse(gone).address, undefined);
    }),
  );
});

test.run();
