/** Valid pages for property tests and fuzzing: what a declaration alone cannot know is made here. */
import type { RandomSource } from "../src/codec/index.js";
import { addressCookie } from "./address-cookie.js";
import { blockFlags, blockHeader, blockMagics } from "./block-header.js";
import { type CellKind, SHORT_MAX } from "./cell.js";
import { deltaValue } from "./delta.js";
import { pageFlags, pageTypes, pageVersions } from "./page-header.js";
import { compareKeys } from "./page-rules.js";
import {
  aggregateSlots,
  GLOBAL_AGGREGATE,
  MAX_TIMESTAMP,
  MAX_TRANSACTION,
  type TimeWindow,
  valueSlots,
} from "./time-window.js";

/** A page in the making: everything that building derives is left out. */
export type Draft = Record<string, unknown>;
type Cells = Draft[];

/** Keys in ascending order, without repetition; about half of them begin alike. */
function keys(random: RandomSource, count: number): Uint8Array[] {
  const stem = random.bytes(6);
  const all = Array.from({ length: count }, () => {
    const own = random.bytes(random.below(8) === 0 ? 64 + random.below(90) : random.below(12));
    return random.below(2) === 0 ? own : Uint8Array.of(...stem.subarray(0, 1 + random.below(6)), ...own);
  });
  const sorted = all.sort(compareKeys);
  return sorted.filter((key, index) => index === 0 || compareKeys(sorted[index - 1] as Uint8Array, key) < 0);
}

const keyCell = (key: Uint8Array): Draft => ({
  kind: key.length <= SHORT_MAX ? "keyShort" : "key",
  data: key,
});

const overflowKeyCell = (random: RandomSource): Draft => ({ kind: "keyOverflow", cookie: random.bytes(9) });

function prefixedKeyCell(key: Uint8Array, previous: Uint8Array, random: RandomSource): Draft {
  let shared = 0;
  while (shared < 255 && shared < previous.length && shared < key.length && key[shared] === previous[shared])
    shared++;
  const prefix = random.below(shared + 1);
  if (prefix === 0) return keyCell(key);
  const data = key.subarray(prefix);
  return { kind: data.length <= SHORT_MAX ? "keyShortPrefix" : "keyPrefix", prefix, data };
}

/** A window as a transaction writes it: durable not before commit, stop not before start. */
function sampleWindow(random: RandomSource): TimeWindow {
  const number = (): bigint => BigInt(random.below(2 ** 31)) * BigInt(random.below(2 ** 31));
  const startTs = number();
  const startTxn = number();
  const stopped = random.below(3) === 0;
  const stopTs = stopped ? startTs + number() : MAX_TIMESTAMP;
  return {
    startTs,
    startTxn,
    durableStartTs: startTs + BigInt(random.below(3)),
    stopTs,
    stopTxn: stopped ? startTxn + number() : MAX_TRANSACTION,
    durableStopTs: stopped ? stopTs + BigInt(random.below(3)) : 0n,
    prepare: random.below(8) === 0,
  };
}

/** Only optional parts that are there: a field that is undefined is a field all the same. */
const present = (parts: Draft): Draft =>
  Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined));

/** `single` is the run length a windowed value of one record is written with. */
function valueCell(random: RandomSource, runLength?: bigint, single = 0n): Draft {
  const window = random.below(2) === 0 ? undefined : valueSlots(sampleWindow(random));
  if (random.below(12) === 0)
    return present({ kind: "valueOverflow", window, value64: runLength, cookie: random.bytes(9) });
  const data = random.bytes(random.below(8) === 0 ? 64 + random.below(90) : random.below(30));
  if (window === undefined && runLength === undefined)
    return data.length <= SHORT_MAX ? { kind: "valueShort", data } : { kind: "value", data };
  return present({ kind: "value", window, value64: runLength ?? single, data });
}

function addressCell(random: RandomSource, kinds: readonly CellKind[], recno?: bigint): Draft {
  const kind = kinds[random.below(kinds.length)];
  const cookie = addressCookie.build(addressCookie.generate(random));
  const { startTs, startTxn, stopTs, stopTxn } = sampleWindow(random);
  const window = aggregateSlots({
    ...GLOBAL_AGGREGATE,
    oldestStartTs: startTs,
    newestTxn: startTxn,
    newestStopTs: stopTs,
    newestStopTxn: stopTxn,
  });
  const truncate = { truncateTxn: 7n, truncateTs: startTs, truncateDurableTs: startTs };
  return present({ kind, ...(kind === "addressDeleted" ? truncate : {}), window, value64: recno, cookie });
}

const children: readonly CellKind[] = ["addressInternal", "addressLeaf", "addressLeafNoOverflow"];

/** Overflow keys stand anywhere: prefixes go on behind them. */
function rowLeaf(random: RandomSource): Cells {
  let previous: Uint8Array = new Uint8Array();
  return keys(random, random.below(12)).flatMap((key) => {
    const isOverflow = random.below(8) === 0;
    const cell = isOverflow ? overflowKeyCell(random) : prefixedKeyCell(key, previous, random);
    if (!isOverflow) previous = key;
    return random.below(6) === 0 ? [cell] : [cell, valueCell(random)];
  });
}

const rowInternal = (random: RandomSource): Cells =>
  keys(random, 1 + random.below(8)).flatMap((key) => [
    keyCell(key),
    addressCell(random, [...children, "addressDeleted"]),
  ]);

function columnInternal(random: RandomSource, recno: bigint): Cells {
  let next = recno;
  return Array.from({ length: 1 + random.below(8) }, () => {
    const cell = addressCell(random, [...children, "addressDeleted"], next);
    next += 1n + BigInt(random.below(1000));
    return cell;
  });
}

const columnVariable = (random: RandomSource): Cells =>
  Array.from({ length: random.below(10) }, () => {
    const run = random.below(2) === 0 ? undefined : BigInt(1 + random.below(100));
    return random.below(4) === 0 ? present({ kind: "deleted", value64: run }) : valueCell(random, run, 1n);
  });

function deltaLeaf(random: RandomSource): Cells {
  const generation = random.below(2) === 0 ? "Bu" : "uB";
  return keys(random, random.below(8)).flatMap((key) => {
    const data = deltaValue.build(deltaValue.generate(random, { generation }));
    return [
      keyCell(key),
      present({ kind: "value", window: valueSlots(sampleWindow(random)), value64: 0n, data }),
    ];
  });
}

const deltaInternal = (random: RandomSource): Cells =>
  keys(random, random.below(8)).flatMap((key) => [
    keyCell(key),
    random.below(4) === 0 ? { kind: "addressDeletedVisibleAll" } : addressCell(random, children),
  ]);

const oldInternalEntries = (random: RandomSource): Draft[] =>
  keys(random, random.below(8)).map((key) =>
    random.below(4) === 0
      ? { flags: 1, key: keyCell(key) }
      : { flags: 0, key: keyCell(key), address: addressCell(random, children) },
  );

const oldLeafEntries = (random: RandomSource): Draft[] =>
  keys(random, random.below(8)).map((key) => oldLeafEntry(random, key));

function oldLeafEntry(random: RandomSource, key: Uint8Array): Draft {
  if (random.below(6) === 0) return { flags: 0x40, key };
  const { startTs, startTxn, stopTs, stopTxn } = sampleWindow(random);
  const stopped = stopTs !== MAX_TIMESTAMP;
  const slots = {
    startTxn,
    startTs,
    durableStart: startTs,
    ...(stopped ? { stopTxn, stopTs, durableStop: stopTs } : {}),
  };
  return { flags: stopped ? 0x3f : 0x07, ...slots, key, value: random.bytes(random.below(30)) };
}

function column(random: RandomSource, type: number, recno: bigint): Draft {
  if (type === pageTypes.columnInternal) return { cells: columnInternal(random, recno) };
  if (type === pageTypes.columnVariable) return { cells: columnVariable(random) };
  return { bitmap: random.bytes(random.below(40)) };
}

function content(random: RandomSource, type: number, delta: boolean, recno: bigint): Draft {
  if (type === pageTypes.rowLeaf) return { cells: delta ? deltaLeaf(random) : rowLeaf(random) };
  if (type === pageTypes.rowInternal) return { cells: delta ? deltaInternal(random) : rowInternal(random) };
  if (type === pageTypes.overflow) return { overflow: random.bytes(random.below(200)) };
  if (type === pageTypes.blockManager) return { extents: random.bytes(random.below(40)) };
  return column(random, type, recno);
}

const classicTypes = Object.values(pageTypes);
const logTypes = [pageTypes.rowInternal, pageTypes.rowLeaf];
const INTERNAL: readonly number[] = [pageTypes.rowInternal, pageTypes.columnInternal];
const ROW: readonly number[] = logTypes;
const UNCHECKED = ["generation", "checksum"];

/** A block header with flags that go with the page's, and without what building derives. */
function logBlock(random: RandomSource, generation: string, magic: number, transformed: boolean): Draft {
  const own = generation.startsWith("D1") ? "D1" : generation.startsWith("D0") ? "D0" : generation;
  const sample = blockHeader.generate(random, { generation: own }) as unknown as Draft;
  const keep = magic === blockMagics.base ? blockFlags.modified | blockFlags.replacement : 0;
  const flags =
    ((sample.flags as number) & (keep | blockFlags.dataChecksum)) |
    (transformed ? blockFlags.compressed : 0) |
    // Without any flag nothing would tell D0 from D1.
    (own === "D0" ? blockFlags.dataChecksum : 0);
  const original =
    (flags & blockFlags.replacement) === 0 && "originalChecksum" in sample ? { originalChecksum: 0 } : {};
  const draft = { ...sample, ...original, magic, flags };
  return Object.fromEntries(
    Object.entries(draft).filter(
      ([name]) => !UNCHECKED.includes(name) && (own !== "D0" || name !== "combinedHeaderSize"),
    ),
  );
}

function isDelta(random: RandomSource, generation: string): boolean {
  if (generation === "D0-delta" || generation === "D1-P0") return true;
  return (generation === "D1" || generation === "extended") && random.below(2) === 0;
}

/** A valid page of a generation, without sizes, counts and checksums. */
export function draftPage(random: RandomSource, generation: string): Draft {
  const classic = generation === "classic";
  const types = classic ? classicTypes : logTypes;
  const type = types[random.below(types.length)] as number;
  const delta = isDelta(random, generation);
  const old = generation === "D0-delta" || generation === "D1-P0";
  const transformed = random.below(8) === 0;
  const recno = ROW.includes(type) ? 0n : 1n + BigInt(random.below(5000));
  const flags =
    (transformed ? pageFlags.compressed : 0) |
    (INTERNAL.includes(type) && !delta ? pageFlags.fastTruncate : 0);
  const header: Draft = {
    writeGen: BigInt(random.below(1000)),
    type,
    flags,
    version: pageVersions.timeWindows,
  };
  if (generation !== "D0-delta") header.recno = recno;
  const magic = delta ? blockMagics.delta : blockMagics.base;
  const block = classic ? { flags: random.below(2) } : logBlock(random, generation, magic, transformed);
  if (transformed)
    return {
      header: { ...header, memSize: 4096, entries: random.below(100) },
      block,
      stored: random.bytes(100),
    };
  if (old)
    return {
      header,
      block,
      ...(type === pageTypes.rowLeaf
        ? { leafEntries: oldLeafEntries(random) }
        : { internalEntries: oldInternalEntries(random) }),
    };
  const body = content(random, type, delta, recno);
  if (body.bitmap instanceof Uint8Array) header.entries = body.bitmap.length;
  return { header, block, ...body, ...(classic ? { tail: random.below(60) } : {}) };
}
