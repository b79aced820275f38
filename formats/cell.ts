/**
 * Cells: what pages are made of (formats: cells and deltas §2, §3). Values hold what is stored: differences of time
 * windows as they are (`time-window.ts` makes timestamps of them), lengths less their adjustment.
 */
import {
  add,
  and,
  band,
  bytes,
  type Expr,
  eq,
  format,
  has,
  type Infer,
  lengthOf,
  lt,
  mul,
  ne,
  optional,
  or,
  PACKED_ZERO,
  packed,
  packed32,
  param,
  peek,
  type RandomSource,
  ref,
  type Symbols,
  select,
  shr,
  struct,
  sub,
  symbolValues,
  type Type,
  type UnionNode,
  u8,
  union,
  type Violation,
} from "../src/codec/index.js";
import { pageFlags } from "./page-header.js";

/** Bits 0 and 1 of the first byte; 0: a long cell, whose type is in the high half. */
export const shortCellSymbols = {
  long: 0,
  keyShort: [1, "key of at most 63 bytes"],
  keyShortPrefix: [2, "key of at most 63 bytes of its own, behind bytes of the previous key"],
  valueShort: [3, "value of at most 63 bytes, visible to all"],
} as const satisfies Symbols;
export const shortCells = symbolValues(shortCellSymbols);
export const SHORT_MASK = 0x03;
export const SHORT_LENGTH_SHIFT = 2;
export const SHORT_MAX = 63;

export const cellTypeSymbols = {
  addressDeleted: [0, "child deleted by a fast truncate; still readable for older timestamps"],
  addressInternal: [1, "child is an internal page"],
  addressLeaf: [2, "child is a leaf that may have overflow items"],
  addressLeafNoOverflow: [3, "child is a leaf without overflow items"],
  deleted: [4, "record that does not exist, column store"],
  key: 5,
  keyOverflow: [6, "key on an overflow page"],
  keyPrefix: [7, "key behind bytes of the previous key"],
  value: 8,
  valueCopy: [9, "same value as an earlier cell of the page"],
  valueOverflow: [10, "value on an overflow page"],
  valueOverflowRemoved: [11, "only ever in memory"],
  keyOverflowRemoved: [12, "only ever in memory"],
  addressDeletedVisibleAll: [13, "delta: child removed"],
} as const satisfies Symbols;
export const cellTypes = symbolValues(cellTypeSymbols);
export const CELL_TYPE_SHIFT = 4;

/** Bits of a long cell's first byte. */
export const cellBits = { value64: 0x04, window: 0x08 } as const;
/** What a stored length of 0 stands for where shorter data would have made a short cell. */
export const LENGTH_ADJUST = 64;

/** Bits of the byte in front of a window: which numbers follow. */
export const windowBitSymbols = {
  prepare: [0x01, "written by a prepared transaction"],
  durableStart: 0x02,
  durableStop: 0x04,
  startTs: 0x08,
  stopTs: 0x10,
  startTxn: 0x20,
  stopTxn: 0x40,
} as const satisfies Symbols;
export const windowBits = symbolValues(windowBitSymbols);
export const WINDOW_BITS_UNUSED = 0x80;

/** The order of the numbers in a window, which is not the order of their bits. */
export const windowSlots = [
  "startTs",
  "startTxn",
  "durableStart",
  "stopTs",
  "stopTxn",
  "durableStop",
] as const;

const slot = (name: keyof typeof windowBits, doc: string) =>
  optional(packed({ doc }), has(ref("bits"), windowBits[name]));
const bitIfPresent = (name: keyof typeof windowBits): Expr => select(lengthOf(name), windowBits[name], 0);

export const cellWindowType = struct(
  {
    bits: u8({
      doc: "which numbers follow",
      flags: windowBitSymbols,
      unknown: "error",
      hex: true,
      derive: windowSlots.map(bitIfPresent).reduce((sum, bit) => add(sum, bit)),
      sample: (random) => random.below(0x80),
    }),
    startTs: slot("startTs", "start timestamp"),
    startTxn: slot("startTxn", "start transaction"),
    durableStart: slot("durableStart", "durable start timestamp, as difference from the start timestamp"),
    stopTs: slot("stopTs", "stop timestamp, as difference from the start timestamp"),
    stopTxn: slot("stopTxn", "stop transaction, as difference from the start transaction"),
    durableStop: slot("durableStop", "durable stop timestamp, as difference from the stop timestamp"),
  },
  { doc: "time window of a value, or aggregate of a child's windows; differences are modulo 2^64" },
);
export type CellWindow = Infer<typeof cellWindowType>;

const descriptorFlags = {
  code: [SHORT_MASK, "0: a long cell"],
  value64: [cellBits.value64, "a 64-bit number follows"],
  window: [cellBits.window, "a time window follows"],
  type: [0xf0, "type of a long cell"],
} as const satisfies Symbols;
const shortFlags = {
  code: [SHORT_MASK, "form of a short cell"],
  length: [0xfc, "bytes of data"],
} as const satisfies Symbols;

const shortDescriptor = (code: number) =>
  u8({
    doc: "short form: length and code",
    flags: shortFlags,
    hex: true,
    derive: add(code, mul(lengthOf("data"), 1 << SHORT_LENGTH_SHIFT)),
  });
const shortData = bytes(shr(ref("descriptor"), SHORT_LENGTH_SHIFT), {
  sample: (random) => random.bytes(random.below(SHORT_MAX + 1)),
});
const prefix = u8({ doc: "leading bytes shared with the previous key that is not an overflow key" });

/** Long cells that never have a window or a number. */
const plainCells: readonly number[] = [
  cellTypes.key,
  cellTypes.keyOverflow,
  cellTypes.keyPrefix,
  cellTypes.keyOverflowRemoved,
  cellTypes.addressDeletedVisibleAll,
];
/** Bits the first byte of a long cell may have besides its type. */
export const allowedCellBits = (type: number): number =>
  plainCells.includes(type) ? 0 : cellBits.value64 | cellBits.window;

const longDescriptor = (type: number) =>
  u8({
    doc: "long form: type, and which parts follow",
    flags: descriptorFlags,
    hex: true,
    derive: add(
      type << CELL_TYPE_SHIFT,
      add(select(lengthOf("window"), cellBits.window, 0), select(lengthOf("value64"), cellBits.value64, 0)),
    ),
    sample: (random) => (type << CELL_TYPE_SHIFT) | (random.below(16) & allowedCellBits(type)),
  });
const window = optional(cellWindowType, has(ref("descriptor"), cellBits.window));
const value64 = (doc: string) => optional(packed({ doc }), has(ref("descriptor"), cellBits.value64));

/** What no engine writes into such a cell. */
const formRules = [
  {
    code: "cell-form",
    doc: "keys and removed children have neither a window nor a number",
    check: ({ descriptor: actual }: { descriptor: number }): Violation | undefined => {
      const bits =
        actual & (cellBits.value64 | cellBits.window) & ~allowedCellBits(actual >> CELL_TYPE_SHIFT);
      return bits === 0 ? undefined : { path: "descriptor", actual };
    },
  },
];

const lengthLessAdjust = (adjust: Expr) =>
  packed32({
    doc: "bytes of data, less 64 for keys and for values without window and run length",
    derive: sub(lengthOf("data"), adjust),
  });
const dataOf = (
  adjust: Expr,
  sample: (random: RandomSource, scope: Readonly<Record<string, unknown>>) => number,
) =>
  bytes(add(ref("storedLength"), adjust), {
    sample: (random, scope) => random.bytes(sample(random, scope)),
  });

const overlongKey = (random: RandomSource): number => LENGTH_ADJUST + random.below(40);

const keyType = struct(
  {
    descriptor: longDescriptor(cellTypes.key),
    window,
    value64: value64("unused"),
    storedLength: lengthLessAdjust(LENGTH_ADJUST),
    data: dataOf(LENGTH_ADJUST, overlongKey),
  },
  { rules: formRules },
);
const keyPrefixType = struct(
  {
    descriptor: longDescriptor(cellTypes.keyPrefix),
    prefix,
    window,
    value64: value64("unused"),
    storedLength: lengthLessAdjust(LENGTH_ADJUST),
    data: dataOf(LENGTH_ADJUST, overlongKey),
  },
  { rules: formRules },
);

/** A windowed value, or one with a run length, has its plain length: no short form could have held it. */
const valueAdjust: Expr = select(
  or(has(ref("descriptor"), cellBits.window), ne(ref("value64"), 0)),
  0,
  LENGTH_ADJUST,
);
const runLength = value64("column store: run length; row store: 0");
const valueType = struct(
  {
    descriptor: longDescriptor(cellTypes.value),
    window,
    value64: runLength,
    storedLength: lengthLessAdjust(valueAdjust),
    data: dataOf(
      valueAdjust,
      (random, scope) =>
        random.below(40) + (scope.window === undefined && !scope.value64 ? LENGTH_ADJUST : 0),
    ),
  },
  { rules: formRules },
);
const valueCopyType = struct(
  {
    descriptor: longDescriptor(cellTypes.valueCopy),
    window,
    value64: runLength,
    distance: packed({ doc: "bytes from the start of the copied cell to the start of this one", min: 1n }),
  },
  { rules: formRules },
);
const deletedType = struct(
  { descriptor: longDescriptor(cellTypes.deleted), window, value64: value64("run length") },
  { rules: formRules },
);

const cookieLength = packed32({ doc: "bytes of the cookie", derive: lengthOf("cookie") });
const cookie = bytes(ref("storedLength"), {
  doc: "address cookie",
  sample: (random) => random.bytes(1 + random.below(24)),
});
/** Overflow items and children: the data is an address cookie. */
const cookieCell = (type: number, number: string) =>
  struct(
    {
      descriptor: longDescriptor(type),
      window,
      value64: value64(number),
      storedLength: cookieLength,
      cookie,
    },
    { rules: formRules },
  );
const RECNO = "column store: number of the child's first record";

/** Numbers in the cell of a fast-truncated child. */
export const truncateSlots = ["truncateTxn", "truncateTs", "truncateDurableTs"] as const;
/** Page flag fastTruncate; a cell on its own is told by `params.fastTruncate`. */
const carriesTruncate: Expr = or(param("fastTruncate"), has(ref("header.flags"), pageFlags.fastTruncate));
const truncateSlot = (doc: string) => optional(packed({ doc }), carriesTruncate);
const addressDeletedType = struct(
  {
    descriptor: longDescriptor(cellTypes.addressDeleted),
    window,
    truncateTxn: truncateSlot("transaction of the fast truncate"),
    truncateTs: truncateSlot("timestamp of the fast truncate"),
    truncateDurableTs: truncateSlot("durable timestamp of the fast truncate"),
    truncatePrepared: optional(
      u8({ doc: "newer builds: state of a prepared truncate; no number begins with such a byte", max: 1 }),
      and(carriesTruncate, and(ne(peek, -1), lt(peek, PACKED_ZERO))),
    ),
    value64: value64(RECNO),
    storedLength: cookieLength,
    cookie,
  },
  { rules: formRules },
);

/** What a cell's first byte selects: short forms by their code, long ones by their type behind them. */
export const LONG_TAG = 4;
const tag: Expr = select(
  lt(peek, 0),
  -1,
  select(
    eq(band(peek, SHORT_MASK), shortCells.long),
    add(LONG_TAG, shr(peek, CELL_TYPE_SHIFT)),
    band(peek, SHORT_MASK),
  ),
);
const long = <T>(type: number, of: Type<T>): readonly [number, Type<T>] => [LONG_TAG + type, of];

export const cellType = union(
  tag,
  {
    keyShort: [
      shortCells.keyShort,
      struct({ descriptor: shortDescriptor(shortCells.keyShort), data: shortData }),
    ],
    keyShortPrefix: [
      shortCells.keyShortPrefix,
      struct({ descriptor: shortDescriptor(shortCells.keyShortPrefix), prefix, data: shortData }),
    ],
    valueShort: [
      shortCells.valueShort,
      struct({ descriptor: shortDescriptor(shortCells.valueShort), data: shortData }),
    ],
    addressDeleted: long(cellTypes.addressDeleted, addressDeletedType),
    addressInternal: long(cellTypes.addressInternal, cookieCell(cellTypes.addressInternal, RECNO)),
    addressLeaf: long(cellTypes.addressLeaf, cookieCell(cellTypes.addressLeaf, RECNO)),
    addressLeafNoOverflow: long(
      cellTypes.addressLeafNoOverflow,
      cookieCell(cellTypes.addressLeafNoOverflow, RECNO),
    ),
    deleted: long(cellTypes.deleted, deletedType),
    key: long(cellTypes.key, keyType),
    keyOverflow: long(cellTypes.keyOverflow, cookieCell(cellTypes.keyOverflow, "unused")),
    keyPrefix: long(cellTypes.keyPrefix, keyPrefixType),
    value: long(cellTypes.value, valueType),
    valueCopy: long(cellTypes.valueCopy, valueCopyType),
    valueOverflow: long(cellTypes.valueOverflow, cookieCell(cellTypes.valueOverflow, "run length")),
    valueOverflowRemoved: long(
      cellTypes.valueOverflowRemoved,
      cookieCell(cellTypes.valueOverflowRemoved, "run length"),
    ),
    keyOverflowRemoved: long(
      cellTypes.keyOverflowRemoved,
      cookieCell(cellTypes.keyOverflowRemoved, "unused"),
    ),
    addressDeletedVisibleAll: long(
      cellTypes.addressDeletedVisibleAll,
      struct(
        {
          descriptor: longDescriptor(cellTypes.addressDeletedVisibleAll),
          window,
          value64: value64("unused"),
          storedLength: packed32({ doc: "0: there is no child any more", max: 0, derive: 0 }),
        },
        { rules: formRules },
      ),
    ),
  },
  undefined,
  { by: "code, or 4 + type" },
);
/** The number by which a cell's first byte is told apart: the code of a short form, or 4 + the type of a long one. */
export const cellTags = Object.fromEntries(
  (cellType as UnionNode).cases.map(({ name, tag: number }) => [name, number]),
) as { readonly [K in CellKind]: number };
export const MAX_CELL_TAG = LONG_TAG + 15;
export type Cell = Infer<typeof cellType>;
export type CellKind = Cell["kind"];

export const cell = format(
  {
    name: "cell",
    params: {
      fastTruncate:
        "1: as with the page flag of that name, cells of deleted children carry the truncating transaction",
    },
    title: "cell",
    source: "cells and deltas §2, §3",
    doc: "A key, a value or a child's address. `params.fastTruncate=1` stands for the page flag of that name.",
  },
  cellType,
);
