/**
 * The fast way through most leaves: row leaves of plain rows, of which a few functions can tell that nothing is wrong.
 * They say no to everything else, which the rules then look at: what is found is found there.
 */
import { CLASSIC_BLOCK, DATA_CHECKSUM, PARTIAL_CHECKSUM_LENGTH } from "../../../formats/block-header.js";
import { PAGE_HEADER, pageFlags, pageTypes, pageVersions } from "../../../formats/page-header.js";
import { crc32cRange } from "../../codec/crc32c.js";
import { noLeafMemory } from "../../page/leaf-memory.js";
import { PlainRows } from "../../page/plain-rows.js";
import { ValueStarts } from "../../page/walk-parts.js";
import { isZero } from "../../page/zeros.js";
import type { AddressColumns } from "./address-list.js";
import type { BlockRun } from "./block-reader.js";
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
  private list: AddressColumns | undefined;
  private to = 0;
  private offset = 0;
  private length = 0;
  private chances = CHANCES;
  /** Of what was found sound since `begin`: blocks, their bytes, and those that their checksums are not of. */
  pages = 0;
  bytes = 0;
  uncovered = 0;

  /** `inflate`: the image of a sound compressed block, in memory used again; undefined when it cannot be had. */
  constructor(private readonly inflate: (block: Uint8Array) => Uint8Array | undefined) {}

  /** From now on it is about these blocks of a list. The memory's bytes are changed for the time of a look at them. */
  begin(list: AddressColumns, { from, to, memory, offset, length }: BlockRun): void {
    this.list = list;
    this.to = to;
    this.offset = offset;
    this.length = length;
    this.pages = this.bytes = this.uncovered = 0;
    memory.begin(list, from, to, offset, length);
    if (memory === this.memory) return;
    this.memory = memory;
    this.window = memory.bytes;
    this.view = new DataView(this.window.buffer, this.window.byteOffset, this.window.length);
  }

  /** The first block from `at` on that is not found sound: an index of the list. */
  pass(at: number): number {
    const { to, memory } = this;
    for (let next = at; next < to; next++) {
      const fitting = memory.fitting(next);
      next = this.passWhole(next, fitting);
      if (next < fitting || (next < to && !this.isSound(next))) return next;
    }
    return to;
  }

  /** Compares the checksums of fitting blocks, which are zero in the memory, and puts them back. */
  private passWhole(from: number, to: number): number {
    const { list, window, view, offset } = this;
    if (list === undefined) return from;
    const { offsets, sizes, checksums } = list;
    let whole = to;
    for (let at = from; at < to; at++) {
      const start = (offsets[at] as number) - offset;
      const checksum = checksums[at] as number;
      if (at < whole) {
        const size = sizes[at] as number;
        const covered = this.covered(start, size);
        if (crc32cRange(window, start, start + covered) === checksum) this.count(size, covered);
        else whole = at;
      }
      view.setUint32(start + CHECKSUM, checksum, true);
    }
    return whole;
  }

  private count(size: number, covered: number): void {
    this.pages++;
    this.bytes += size;
    this.uncovered += size - covered;
  }

  /** The same of one block by code that is everywhere, which takes compressed leaves as well. */
  private isSound(at: number): boolean {
    const { list, offset, length } = this;
    if (list === undefined || this.chances <= 0 || list.kinds[at] !== childKind.leaf) return false;
    const start = (list.offsets[at] as number) - offset;
    const size = list.sizes[at] as number;
    if (start + size > length || !coversPlain(list.keys, list.times[at] as number)) return false;
    if (
      this.headerFits(start, size) &&
      this.isWhole(start, size, list.checksums[at] as number) &&
      this.rowsFit(start, size, list, at)
    ) {
      this.count(size, this.covered(start, size));
      if (this.chances < CHANCES) this.chances += REGAINED;
      return true;
    }
    this.chances -= LOST;
    return false;
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
    const computed = crc32cRange(window, start, start + this.covered(start, size));
    view.setUint32(field, checksum, true);
    return computed === checksum;
  }

  /** Bytes of a block that its checksum is of. */
  private covered(start: number, size: number): number {
    const whole = this.window[start + CLASSIC_BLOCK.flags] === DATA_CHECKSUM;
    return whole ? size : Math.min(size, PARTIAL_CHECKSUM_LENGTH);
  }

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
