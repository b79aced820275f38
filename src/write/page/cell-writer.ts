/**
 * Cells and delta entries put one behind the other into a buffer, as the engine writes them (formats: cells and deltas
 * §2 to §6). The tests hold every form against the declared codecs.
 */
import {
  CELL_TYPE_SHIFT,
  cellBits,
  cellTypes,
  LENGTH_ADJUST,
  SHORT_LENGTH_SHIFT,
  SHORT_MAX,
  shortCells,
  windowSlots,
} from "../../../formats/cell.js";
import { deltaValueFlags, oldDeltaFlags, oldDeltaSlots, oldInternalFlags } from "../../../formats/delta.js";
import {
  aggregateSlots,
  MAX_TIMESTAMP,
  MAX_TRANSACTION,
  type TimeAggregate,
  type TimeWindow,
  valueSlots,
} from "../../../formats/time-window.js";
import {
  PACKED_SMALL,
  PACKED_ZERO,
  packedSize,
  writePackedSmall,
  writePackedUnsigned,
} from "../../codec/packed.js";

const FIRST_CAPACITY = 4096;
/** More than a cell takes besides its data: first bytes, a window of six numbers, a 64-bit number, a length. */
const MAX_CELL_HEADER = 100;

const longCell = (type: number, bits = 0): number => (type << CELL_TYPE_SHIFT) | bits;
const PLAIN_VALUE = longCell(cellTypes.value);
/** Windowed values of row stores have a run length, 0. */
const WINDOWED_VALUE = longCell(cellTypes.value, cellBits.window | cellBits.value64);
const LONG_KEY = longCell(cellTypes.key);
const LONG_PREFIX_KEY = longCell(cellTypes.keyPrefix);
const REMOVED_CHILD = longCell(cellTypes.addressDeletedVisibleAll);

/** Address cells of children: internal pages, leaves without overflow items. */
export const childTypes = {
  internal: cellTypes.addressInternal,
  leaf: cellTypes.addressLeafNoOverflow,
} as const;
export type ChildType = (typeof childTypes)[keyof typeof childTypes];

export class CellWriter {
  bytes = new Uint8Array(FIRST_CAPACITY);
  length = 0;
  /** The window encoded last: runs of rows share theirs. */
  private lastWindow: TimeWindow | undefined;
  private lastWindowBytes: Uint8Array = new Uint8Array();

  /** Starts anew behind `headers` bytes, which are zero. */
  reset(headers: number): void {
    this.bytes.fill(0, 0, headers);
    this.length = headers;
  }

  /** A key of which the first `prefix` bytes are those of the key before. */
  key(key: Uint8Array, prefix = 0): void {
    const own = key.length - prefix;
    this.reserve(own);
    if (own > SHORT_MAX) {
      this.byte(prefix === 0 ? LONG_KEY : LONG_PREFIX_KEY);
      if (prefix > 0) this.byte(prefix);
      this.packed(own - LENGTH_ADJUST);
    } else {
      const code = prefix === 0 ? shortCells.keyShort : shortCells.keyShortPrefix;
      this.byte((own << SHORT_LENGTH_SHIFT) | code);
      if (prefix > 0) this.byte(prefix);
    }
    this.data(key, prefix);
  }

  /** The value of an image. False for an empty value everybody sees: it has no cell. */
  value(value: Uint8Array, window: TimeWindow | undefined): boolean {
    const encoded = this.windowBytes(window);
    if (value.length === 0 && encoded.length === 0) return false;
    this.valueHeader(value.length, encoded);
    this.data(value);
    return true;
  }

  /** The value of a leaf delta with its flags in front (Bu) or behind (uB). */
  deltaValue(form: "uB" | "Bu", value: Uint8Array, window: TimeWindow | undefined, removed: boolean): void {
    const flags = removed ? deltaValueFlags.delete : 0;
    const encoded = this.windowBytes(removed ? undefined : window);
    const { length } = value;
    this.valueHeader(form === "Bu" ? 1 + length : 1 + packedSize(BigInt(length)) + length, encoded);
    if (form === "Bu") this.byte(flags);
    else this.packed(length);
    this.data(value);
    if (form === "uB") this.byte(flags);
  }

  private valueHeader(length: number, window: Uint8Array): void {
    this.reserve(length);
    if (window.length > 0) {
      this.byte(WINDOWED_VALUE);
      this.data(window);
      this.byte(PACKED_ZERO);
      this.packed(length);
    } else if (length <= SHORT_MAX) this.byte((length << SHORT_LENGTH_SHIFT) | shortCells.valueShort);
    else {
      this.byte(PLAIN_VALUE);
      this.packed(length - LENGTH_ADJUST);
    }
  }

  /** A child's address; the aggregate is always there, possibly empty. */
  address(type: ChildType, aggregate: TimeAggregate, cookie: Uint8Array): void {
    this.reserve(cookie.length);
    this.byte(longCell(type, cellBits.window));
    this.slots(aggregateSlots(aggregate));
    this.packed(cookie.length);
    this.data(cookie);
  }

  /** A whole cell as it was written before. */
  copy(cell: Uint8Array): void {
    this.reserve(cell.length);
    this.data(cell);
  }

  /** In an internal delta: the child of the key before is gone. */
  removedChild(): void {
    this.reserve(0);
    this.byte(REMOVED_CHILD);
    this.packed(0);
  }

  /** An entry of a P0 leaf delta; numbers are stored as they are. */
  oldLeafEntry(key: Uint8Array, value: Uint8Array, window: TimeWindow | undefined, removed: boolean): void {
    this.reserve(key.length + value.length);
    if (removed) {
      this.byte(oldDeltaFlags.delete);
      this.packed(key.length);
      this.data(key);
      return;
    }
    this.oldWindow(window);
    this.packed(key.length);
    this.packed(value.length);
    this.data(key);
    this.data(value);
  }

  private oldWindow(window: TimeWindow | undefined): void {
    if (window === undefined) {
      this.byte(0);
      return;
    }
    const { startTs, startTxn, durableStartTs, stopTs, stopTxn, durableStopTs, prepare } = window;
    const numbers = {
      startTxn: startTxn === 0n ? undefined : startTxn,
      // A prepared start is one with a timestamp and no durable one.
      startTs: startTs === 0n && !prepare ? undefined : startTs,
      durableStart: durableStartTs === 0n || prepare ? undefined : durableStartTs,
      stopTxn: stopTxn === MAX_TRANSACTION ? undefined : stopTxn,
      stopTs: stopTs === MAX_TIMESTAMP ? undefined : stopTs,
      durableStop: durableStopTs === 0n ? undefined : durableStopTs,
    };
    let flags = 0;
    for (const name of oldDeltaSlots) if (numbers[name] !== undefined) flags |= oldDeltaFlags[name];
    this.byte(flags);
    for (const name of oldDeltaSlots) {
      const number = numbers[name];
      if (number !== undefined) this.packedBig(number);
    }
  }

  /** Begins an entry of a P0 internal delta; its key cell and, unless removed, its address cell follow. */
  oldInternalFlags(removed: boolean): void {
    this.reserve(0);
    this.byte(removed ? oldInternalFlags.delete : 0);
  }

  private windowBytes(window: TimeWindow | undefined): Uint8Array {
    if (window === undefined) return NOTHING;
    if (window === this.lastWindow) return this.lastWindowBytes;
    const slots = valueSlots(window);
    const out: number[] = [];
    if (slots !== undefined) {
      out.push(slots.bits);
      for (const name of windowSlots) if (slots[name] !== undefined) writePackedUnsigned(out, slots[name]);
    }
    this.lastWindow = window;
    this.lastWindowBytes = Uint8Array.from(out);
    return this.lastWindowBytes;
  }

  private slots(slots: ReturnType<typeof aggregateSlots>): void {
    this.byte(slots.bits);
    for (const name of windowSlots) {
      const number = slots[name];
      if (number !== undefined) this.packedBig(number);
    }
  }

  private byte(value: number): void {
    this.bytes[this.length++] = value;
  }

  private packed(value: number): void {
    if (value < PACKED_SMALL) this.length = writePackedSmall(this.bytes, this.length, value);
    else this.packedBig(BigInt(value));
  }

  private packedBig(value: bigint): void {
    if (value < BigInt(PACKED_SMALL)) {
      this.packed(Number(value));
      return;
    }
    const out: number[] = [];
    writePackedUnsigned(out, value);
    for (const byte of out) this.bytes[this.length++] = byte;
  }

  /** Bytes from `from` on; room for them has been made. */
  private data(data: Uint8Array, from = 0): void {
    const { bytes, length } = this;
    const count = data.length - from;
    // A call costs more than copying a few bytes one by one.
    if (count < 32) for (let i = 0; i < count; i++) bytes[length + i] = data[from + i] as number;
    else bytes.set(from === 0 ? data : data.subarray(from), length);
    this.length = length + count;
  }

  private reserve(data: number): void {
    const need = this.length + data + MAX_CELL_HEADER;
    if (need <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(need, 2 * this.bytes.length));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

const NOTHING = new Uint8Array();
