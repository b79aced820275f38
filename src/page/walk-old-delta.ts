/** Deltas of form P0: entries without cells around them (formats: cells and deltas §6). */
import { cellTags } from "../../formats/cell.js";
import {
  oldDeltaFlagSymbols,
  oldDeltaFlags,
  oldDeltaSlots,
  oldInternalFlagSymbols,
  oldInternalFlags,
} from "../../formats/delta.js";
import { cellContents } from "../../formats/page-content.js";
import { MAX_TIMESTAMP, MAX_TRANSACTION } from "../../formats/time-window.js";
import { PACKED_WIDE, PACKED_ZERO, packedLength } from "../codec/packed.js";
import { type Symbols, symbolList } from "../codec/schema.js";
import type { CellReader } from "./cell-reader.js";
import type { KeyOrder } from "./key-order.js";

const maskOf = (symbols: Symbols): number => symbolList(symbols).reduce((all, [, mask]) => all | mask, 0);
const KNOWN_LEAF_FLAGS = maskOf(oldDeltaFlagSymbols);
const KNOWN_INTERNAL_FLAGS = maskOf(oldInternalFlagSymbols);
const NO_PREFIX = -1;
/** A number that is not stored. */
const ABSENT = -1;

/** Where the numbers of one entry are. */
type SlotOffsets = { [K in (typeof oldDeltaSlots)[number]]: number };
const noSlots = (): SlotOffsets =>
  Object.fromEntries(oldDeltaSlots.map((name) => [name, ABSENT])) as SlotOffsets;

/** Checks the entries of a leaf delta; gives their number, undefined when they cannot be read to the end. */
export function walkOldLeafDelta(reader: CellReader, order: KeyOrder, payload: number): number | undefined {
  const { image, end, defects } = reader;
  const slots = noSlots();
  let count = 0;
  for (let at = payload; at < end; count++) {
    const entry = at;
    const flags = image[at++] as number;
    if ((flags & ~KNOWN_LEAF_FLAGS) !== 0)
      defects.add("unknown-bits", entry, `flags 0x${flags.toString(16)}`);
    const removed = (flags & oldDeltaFlags.delete) !== 0;
    if (!removed) at = skipSlots(reader, entry, flags, slots);
    const keyLength = at === -1 ? -1 : reader.packed32(at);
    if (keyLength === -1) return undefined;
    at += packedLength(image[at] as number);
    const valueLength = removed ? 0 : reader.packed32(at);
    if (valueLength === -1) return undefined;
    if (!removed) at += packedLength(image[at] as number);
    const next = at + keyLength + valueLength;
    if (next > end) {
      reader.truncated(at, next);
      return undefined;
    }
    order.add(entry, NO_PREFIX, at, at + keyLength);
    if (defects.count >= defects.limit) return undefined;
    at = next;
  }
  return count;
}

/** Behind the numbers of the entry at `entry`; −1 when they cannot be read. */
function skipSlots(reader: CellReader, entry: number, flags: number, slots: SlotOffsets): number {
  let at = entry + 1;
  for (const name of oldDeltaSlots) {
    slots[name] = ABSENT;
    if ((flags & oldDeltaFlags[name]) === 0) continue;
    slots[name] = at;
    at = reader.skipPacked(at);
    if (at === -1) return -1;
  }
  if (!isOrdered(reader, slots))
    reader.defects.add(
      "window-order",
      entry,
      "a window that ends before it begins, or is durable before it is committed",
    );
  return at;
}

function isOrdered(reader: CellReader, slots: SlotOffsets): boolean {
  const { image } = reader;
  const { startTs, startTxn, durableStart, stopTs, stopTxn, durableStop } = slots;
  if (stopTs !== ABSENT && startTs !== ABSENT && comparePacked(image, startTs, stopTs) > 0) return false;
  if (startTxn !== ABSENT && stopTxn !== ABSENT && comparePacked(image, startTxn, stopTxn) > 0) return false;
  if (startTxn !== ABSENT && stopTxn === ABSENT && image[startTxn] === PACKED_WIDE)
    if (reader.bigAt(startTxn) > MAX_TRANSACTION) return false;
  if (isStored(image, durableStart) && startTs !== ABSENT && comparePacked(image, startTs, durableStart) > 0)
    return false;
  if (!isStored(image, durableStop)) return true;
  if (stopTs === ABSENT) return reader.bigAt(durableStop) === MAX_TIMESTAMP;
  return comparePacked(image, stopTs, durableStop) <= 0;
}

/** Whether there is a number, and it is not 0. */
const isStored = (image: Uint8Array, at: number): boolean => at !== ABSENT && image[at] !== PACKED_ZERO;

/** Packed integers compare as their bytes do. */
function comparePacked(image: Uint8Array, left: number, right: number): number {
  const length = packedLength(image[left] as number);
  for (let i = 0; i < length; i++) {
    const difference = (image[left + i] as number) - (image[right + i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

const keyTags: readonly number[] = cellContents.oldDeltaInternal.keys.map((kind) => cellTags[kind]);
const childTags: readonly number[] = cellContents.oldDeltaInternal.items.map((kind) => cellTags[kind]);

/**
 * Checks the entries of an internal delta; gives their number, undefined when they cannot be read to the end.
 * `onChild` is called with the key while the reader stands on the child's cell.
 */
export function walkOldInternalDelta(
  reader: CellReader,
  order: KeyOrder,
  payload: number,
  onChild: (keyTag: number, keyStart: number, keyEnd: number) => void,
): number | undefined {
  const { image, end, defects } = reader;
  let count = 0;
  for (let at = payload; at < end; count++) {
    const entry = at;
    const flags = image[at] as number;
    if ((flags & ~KNOWN_INTERNAL_FLAGS) !== 0)
      defects.add("unknown-bits", entry, `flags 0x${flags.toString(16)}`);
    if (!readNext(reader, entry + 1, keyTags)) return undefined;
    const { tag: keyTag, dataStart: keyStart, next: keyEnd } = reader;
    order.add(entry, NO_PREFIX, keyStart, keyEnd);
    at = keyEnd;
    if ((flags & oldInternalFlags.delete) === 0) {
      if (!readNext(reader, at, childTags)) return undefined;
      onChild(keyTag, keyStart, keyEnd);
      at = reader.next;
    }
    if (defects.count >= defects.limit) return undefined;
  }
  return count;
}

/** Reads a cell that must be one of `tags`. */
function readNext(reader: CellReader, at: number, tags: readonly number[]): boolean {
  if (at >= reader.end) return reader.truncated(at, at + 1);
  if (!reader.read(at)) return false;
  return (
    tags.includes(reader.tag) || reader.defects.add("cell-type", at, "no such cell in an old internal delta")
  );
}
