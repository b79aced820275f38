/**
 * What deltas are made of (formats: cells and deltas §5, §6). P1 and P2 deltas hold cells, whose values have a payload
 * of their own; P0 deltas hold entries without cells around them.
 */
import {
  and,
  bytes,
  format,
  generations,
  has,
  type Infer,
  lengthOf,
  not,
  optional,
  PACKED_ZERO,
  packed,
  packed32,
  type RandomSource,
  ref,
  type Symbols,
  struct,
  symbolValues,
  u8,
  type Violation,
} from "../src/codec/index.js";
import { cellType } from "./cell.js";
import { MAX_TIMESTAMP, MAX_TRANSACTION, type TimeWindow } from "./time-window.js";

export const deltaValueFlagSymbols = {
  delete: [0x01, "the key is removed, for everybody"],
} as const satisfies Symbols;
export const deltaValueFlags = symbolValues(deltaValueFlagSymbols);

const deltaValueFlagsField = u8({
  flags: deltaValueFlagSymbols,
  unknown: "error",
  hex: true,
  sample: (random) => Number(random.below(4) === 0),
});
interface DeltaValueFields {
  readonly flags: number;
  readonly value: Uint8Array;
}
const emptyWhenDeleted = {
  code: "delta-delete-value",
  doc: "a removed key has no value",
  check: ({ flags, value }: DeltaValueFields): Violation | undefined =>
    (flags & deltaValueFlags.delete) !== 0 && value.length !== 0
      ? { path: "value", expected: 0, actual: value.length }
      : undefined,
};
const sampleValue = (random: RandomSource, { flags = 0 }: Readonly<Record<string, unknown>>): Uint8Array =>
  random.bytes(((flags as number) & deltaValueFlags.delete) === 0 ? random.below(40) : 0);

export const deltaValueVariants = {
  Bu: {
    type: struct(
      { flags: deltaValueFlagsField, value: bytes(undefined, { doc: "up to the end", sample: sampleValue }) },
      { rules: [emptyWhenDeleted] },
    ),
    when: "since 17 February 2026",
    doc: "Form P2.",
  },
  uB: {
    type: struct(
      {
        length: packed32({ doc: "bytes of the value", derive: lengthOf("value") }),
        value: bytes(ref("length"), { sample: (random) => random.bytes(random.below(40)) }),
        flags: u8({ flags: deltaValueFlagSymbols, unknown: "error", hex: true, sample: () => 0 }),
      },
      { rules: [emptyWhenDeleted] },
    ),
    when: "October 2025 to February 2026",
    doc: "Form P1.",
  },
} as const;

export const deltaValue = generations(
  {
    name: "delta-value",
    title: "payload of a value cell in a leaf delta",
    source: "cells and deltas §5",
    doc: "The value and whether the key is removed; the cell around it has the time window.",
  },
  deltaValueVariants,
  {
    detection: "First byte 0x00 or 0x01: Bu; from 0x80 on: uB.",
    likely: (payload) => ((payload[0] ?? 0) >= PACKED_ZERO ? "uB" : "Bu"),
  },
);

export const oldDeltaFlagSymbols = {
  startTxn: 0x01,
  startTs: [0x02, "without a durable timestamp: prepared"],
  durableStart: 0x04,
  stopTxn: 0x08,
  stopTs: 0x10,
  durableStop: 0x20,
  delete: [0x40, "the key is removed"],
} as const satisfies Symbols;
export const oldDeltaFlags = symbolValues(oldDeltaFlagSymbols);

/** The order of an entry's numbers: that of their bits. */
export const oldDeltaSlots = [
  "startTxn",
  "startTs",
  "durableStart",
  "stopTxn",
  "stopTs",
  "durableStop",
] as const;

const isDelete = has(ref("flags"), oldDeltaFlags.delete);
const oldSlot = (name: keyof typeof oldDeltaFlags, doc: string) =>
  optional(packed({ doc }), and(has(ref("flags"), oldDeltaFlags[name]), not(isDelete)));

/** One entry of a P0 leaf delta. Timestamps and transactions are stored as they are, in the order of their bits. */
export const oldLeafEntryType = struct({
  flags: u8({ flags: oldDeltaFlagSymbols, unknown: "error", hex: true }),
  startTxn: oldSlot("startTxn", "start transaction"),
  startTs: oldSlot("startTs", "start timestamp"),
  durableStart: oldSlot("durableStart", "durable start timestamp"),
  stopTxn: oldSlot("stopTxn", "stop transaction"),
  stopTs: oldSlot("stopTs", "stop timestamp"),
  durableStop: oldSlot("durableStop", "durable stop timestamp"),
  keyLength: packed32({ doc: "bytes of the key", derive: lengthOf("key") }),
  valueLength: optional(packed32({ doc: "bytes of the value", derive: lengthOf("value") }), not(isDelete)),
  key: bytes(ref("keyLength"), { doc: "the whole key" }),
  value: optional(bytes(ref("valueLength")), not(isDelete)),
});
export type OldLeafEntry = Infer<typeof oldLeafEntryType>;

export const oldInternalFlagSymbols = {
  delete: [0x01, "the child is removed"],
} as const satisfies Symbols;
export const oldInternalFlags = symbolValues(oldInternalFlagSymbols);

const cellField = { ...cellType, see: "cell" };

/** One entry of a P0 internal delta: a key cell and the cell of its child. */
export const oldInternalEntryType = struct({
  flags: u8({ flags: oldInternalFlagSymbols, unknown: "error", hex: true }),
  key: cellField,
  address: optional(cellField, not(has(ref("flags"), oldInternalFlags.delete))),
});
export type OldInternalEntry = Infer<typeof oldInternalEntryType>;

export const deltaLeafEntry = format(
  {
    name: "delta-leaf-entry",
    title: "entry of an old leaf delta (P0)",
    source: "cells and deltas §6",
    doc: "Deltas until about October 2025: entries follow each other up to mem_size.",
  },
  oldLeafEntryType,
);

export const deltaInternalEntry = format(
  {
    name: "delta-internal-entry",
    params: {
      fastTruncate:
        "1: as with the page flag of that name, cells of deleted children carry the truncating transaction",
    },
    title: "entry of an old internal delta (P0)",
    source: "cells and deltas §6",
    doc: "Deltas until about October 2025: entries follow each other up to mem_size.",
  },
  oldInternalEntryType,
);

/**
 * The window of a P0 entry: absolute numbers, absent ones are defaults. A start timestamp without a durable one is
 * how a prepared update was written.
 */
export function oldEntryWindow(entry: OldLeafEntry): TimeWindow {
  const { startTs = 0n, startTxn = 0n, stopTs = MAX_TIMESTAMP, stopTxn = MAX_TRANSACTION } = entry;
  return {
    startTs,
    startTxn,
    durableStartTs: entry.durableStart ?? 0n,
    stopTs,
    stopTxn,
    durableStopTs: entry.durableStop ?? 0n,
    prepare: entry.startTs !== undefined && entry.durableStart === undefined,
  };
}
