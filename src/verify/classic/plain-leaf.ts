/**
 * The fast way through most leaves: row leaves of plain rows, of which a few functions can tell that nothing is wrong.
 * They say no to everything else, which the rules then look at: what is found is found there.
 */
import { CLASSIC_BLOCK, DATA_CHECKSUM, PARTIAL_CHECKSUM_LENGTH } from "../../../formats/block-header.js";
import { PAGE_HEADER, pageFlags, pageTypes, pageVersions } from "../../../formats/page-header.js";
import { crc32cRange } from "../../codec/crc32c.js";
import { type LeafMemory, noLeafMemory } from "../../page/leaf-memory.js";
import { PlainRows } from "../../page/plain-rows.js";
import { ValueStarts } from "../../page/walk-parts.js";
import type { AddressColumns } from "./address-list.js";
import { compareWithKey, NO_KEY } from "./key-bytes.js";
import { childKind } from "./page-children.js";
import { coversPlain } from "./told-times.js";

const { payload: PAYLOAD, checksum: CHECKSUM } = CLASSIC_BLOCK;
const { at: HEADER } = PAGE_HEADER;
/** Flags a leaf of plain rows may have. */
const STORED_PLAIN = pageFlags.emptyValuesNone;
const COMPRESSED = pageFlags.compressed;
/** Leaves said no to in a row before it is given up: they are looked at twice. */
const CHANCES = 16;
/** What a leaf that is said yes to is worth. */
const REGAINED = 1;
const LOST = 4;

export class PlainLeaf {
  private readonly values = new ValueStarts();
  private readonly rows = new PlainRows(this.values);
  private memory = noLeafMemory;
  private window = this.memory.bytes;
  private view = new DataView(this.window.buffer);
  private chances = CHANCES;
  /** Bytes of the block that was found sound last that its checksum is not of. */
  uncovered = 0;

  /** `inflate`: the image of a sound compressed block, in memory used again; undefined when it cannot be had. */
  constructor(private readonly inflate: (block: Uint8Array) => Uint8Array | undefined) {}

  /** Memory that blocks lie in; its bytes are changed for the time of a check. */
  use(memory: LeafMemory): void {
    if (memory === this.memory) return;
    this.memory = memory;
    this.window = memory.bytes;
    this.view = new DataView(this.window.buffer, this.window.byteOffset, this.window.length);
  }

  /** True when nothing is wrong with the block of an address, whose bytes begin at `start` of the window. */
  isSound(start: number, list: AddressColumns, at: number): boolean {
    if (this.chances <= 0 || list.kinds[at] !== childKind.leaf) return false;
    if (!coversPlain(list.keys, list.times[at] as number)) return false;
    if (this.fits(start, list.sizes[at] as number, list, at)) {
      if (this.chances < CHANCES) this.chances += REGAINED;
      return true;
    }
    this.chances -= LOST;
    return false;
  }

  private fits(start: number, size: number, list: AddressColumns, at: number): boolean {
    const checksum = list.checksums[at] as number;
    return this.memory.scan(start, size, this.rows)
      ? this.keysFit(this.window, list, at) && this.isWhole(start, size, checksum)
      : this.headerFits(start, size) &&
          this.isWhole(start, size, checksum) &&
          this.rowsFit(start, size, list, at);
  }

  private headerFits(start: number, size: number): boolean {
    const { window, view } = this;
    const flags = window[start + HEADER.flags] as number;
    return (
      size >= PAYLOAD &&
      window[start + HEADER.type] === pageTypes.rowLeaf &&
      (flags & ~(STORED_PLAIN | COMPRESSED)) === 0 &&
      window[start + HEADER.reserved] === 0 &&
      (window[start + HEADER.version] as number) <= pageVersions.timeWindows &&
      ((window[start + CLASSIC_BLOCK.flags] as number) & ~DATA_CHECKSUM) === 0 &&
      view.getUint32(start + CLASSIC_BLOCK.diskSize, true) === size &&
      view.getUint32(start + HEADER.recno) === 0 &&
      view.getUint32(start + HEADER.recno + 4) === 0 &&
      isZero(view, start + CLASSIC_BLOCK.unused, start + PAYLOAD) &&
      ((flags & COMPRESSED) !== 0 || this.tailFits(start, size))
    );
  }

  /** What is not compressed ends inside its block, and zeros follow. */
  private tailFits(start: number, size: number): boolean {
    const memSize = this.view.getUint32(start + HEADER.memSize, true);
    return memSize <= size && isZero(this.view, start + memSize, start + size);
  }

  /** The bytes have the checksum that stands in them and in the address. */
  private isWhole(start: number, size: number, checksum: number): boolean {
    const { window, view } = this;
    const field = start + CHECKSUM;
    if (view.getUint32(field, true) !== checksum) return false;
    view.setUint32(field, 0);
    const whole = window[start + CLASSIC_BLOCK.flags] === DATA_CHECKSUM;
    const covered = whole ? size : Math.min(size, PARTIAL_CHECKSUM_LENGTH);
    const computed = crc32cRange(window, start, start + covered);
    view.setUint32(field, checksum, true);
    this.uncovered = size - covered;
    return computed === checksum;
  }

  /** The same by code that is everywhere, which takes compressed leaves as well. */
  private rowsFit(start: number, size: number, list: AddressColumns, at: number): boolean {
    const { window, view, rows, values } = this;
    const memSize = view.getUint32(start + HEADER.memSize, true);
    const entries = view.getUint32(start + HEADER.entries, true);
    const compressed = ((window[start + HEADER.flags] as number) & COMPRESSED) !== 0;
    const image = compressed ? this.inflate(window.subarray(start, start + size)) : window;
    if (image === undefined || memSize <= PAYLOAD) return false;
    const first = compressed ? 0 : start;
    rows.begin(image);
    const end = first + memSize;
    if (!rows.takeAll(first + PAYLOAD, end, entries)) {
      values.clear();
      if (rows.run(first + PAYLOAD, end, 0, -1) !== end || 2 * rows.rows !== entries) return false;
    }
    return this.keysFit(image, list, at);
  }

  /** The first key and the last are in the range of the address. */
  private keysFit(image: Uint8Array, list: AddressColumns, at: number): boolean {
    const { firstStart, firstEnd, keyStart, keyEnd } = this.rows;
    const [low, high] = [list.lows[at] as number, list.highs[at] as number];
    return (
      (low === NO_KEY || compareWithKey(image, firstStart, firstEnd, list.keys, low) >= 0) &&
      (high === NO_KEY || compareWithKey(image, keyStart, keyEnd, list.keys, high) < 0)
    );
  }
}

function isZero(view: DataView, from: number, to: number): boolean {
  let at = from;
  for (; at + 8 <= to; at += 8) if ((view.getInt32(at) | view.getInt32(at + 4)) !== 0) return false;
  for (; at < to; at++) if (view.getUint8(at) !== 0) return false;
  return true;
}
