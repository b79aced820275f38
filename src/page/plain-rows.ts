/** The fast way through most leaves: rows of a short whole key and a plain value, one after the other. */
import {
  CELL_TYPE_SHIFT,
  cellTypes,
  LENGTH_ADJUST,
  SHORT_LENGTH_SHIFT,
  SHORT_MASK,
  shortCells,
} from "../../formats/cell.js";
import { packedLength, peekPackedNumber } from "../codec/packed.js";
import type { ValueStarts } from "./walk-parts.js";

const KEY_SHORT = shortCells.keyShort;
const VALUE_SHORT = shortCells.valueShort;
/** First byte of a long value without window and number. */
const VALUE_PLAIN = cellTypes.value << CELL_TYPE_SHIFT;

/** What a scan finds: as `PlainRows` says it. */
export interface ScannedRows {
  rows: number;
  firstStart: number;
  firstEnd: number;
  keyStart: number;
  keyEnd: number;
}

/** Faster code for whole pages of short rows. */
export interface RowScanner {
  /**
   * Whether all that lies in `from..to` is plain rows, whole, with ascending keys; says then what it found. May say no
   * to any page.
   */
  scan(image: Uint8Array, from: number, to: number, found: ScannedRows): boolean;
}

/** Rows longer than that are few: the way there costs more than it saves. In bytes. */
const SHORT_ROWS = 128;
/** Pages in a row that are not what they seem, before nothing more is tried. */
const VAIN_SCANS = 8;

let scanner: RowScanner | undefined;

/** Installs faster code, or returns to the portable one when called without. */
export function setRowScanner(faster?: RowScanner): void {
  scanner = faster;
}

export class PlainRows implements ScannedRows {
  private image: Uint8Array = new Uint8Array();
  private view = new DataView(this.image.buffer);
  /** Rows taken by the last run. */
  rows = 0;
  /** Where the first of their keys begins and ends, in the image. */
  firstStart = 0;
  firstEnd = 0;
  /** The last of their keys. */
  keyStart = 0;
  keyEnd = 0;
  private vain = 0;

  constructor(private readonly values: ValueStarts) {}

  begin(image: Uint8Array): void {
    this.image = image;
    const { buffer, byteOffset, length } = image;
    const { view } = this;
    // One view serves all images in a buffer whose first byte is its first.
    if (view.buffer !== buffer || view.byteLength < byteOffset + length) this.view = new DataView(buffer);
  }

  /** Whether a page of so many cells, which begin at `at`, has nothing but plain rows; says then what it found. */
  takeAll(at: number, end: number, cells: number): boolean {
    if (scanner === undefined || this.vain >= VAIN_SCANS || 2 * (end - at) > cells * SHORT_ROWS) return false;
    if (at >= end || !scanner.scan(this.image, at, end, this) || 2 * this.rows !== cells) {
      this.vain++;
      return false;
    }
    this.vain = 0;
    return true;
  }

  /**
   * Takes rows from `at` on as long as they are of that shape, whole, and their keys ascend, beginning with the key
   * `keyStart` to `keyEnd` of the image (of length −1: none). Returns where it stopped: in front of a row that needs
   * another look, or at `end`.
   */
  run(at: number, end: number, keyStart: number, keyEnd: number): number {
    const { image, view, values } = this;
    const base = image.byteOffset;
    let [from, rows, previous, previousEnd] = [at, 0, keyStart, keyEnd];
    while (from < end) {
      const head = image[from] as number;
      const start = from + 1;
      const stop = start + (head >> SHORT_LENGTH_SHIFT);
      if ((head & SHORT_MASK) !== KEY_SHORT || stop >= end) break;
      const first = image[stop] as number;
      let next = stop + 1;
      if ((first & SHORT_MASK) === VALUE_SHORT) next += first >> SHORT_LENGTH_SHIFT;
      else if (first === VALUE_PLAIN) {
        const length = peekPackedNumber(image, next, end);
        if (length === -1) break;
        next += packedLength(image[next] as number) + length + LENGTH_ADJUST;
      } else break;
      if (next > end) break;
      if (!isAbove(view, base + start, stop - start, base + previous, previousEnd - previous)) break;
      values.add(stop);
      if (rows === 0) {
        this.firstStart = start;
        this.firstEnd = stop;
      }
      previous = start;
      previousEnd = stop;
      from = next;
      rows++;
    }
    this.rows = rows;
    this.keyStart = previous;
    this.keyEnd = previousEnd;
    return from;
  }
}

/** Whether a key is above another, which may be missing: its length is negative then. */
function isAbove(view: DataView, at: number, length: number, other: number, otherLength: number): boolean {
  const least = length < otherLength ? length : otherLength;
  let same = 0;
  for (; same + 4 <= least; same += 4) {
    const mine = view.getUint32(at + same);
    const others = view.getUint32(other + same);
    if (mine !== others) return mine > others;
  }
  for (; same < least; same++) {
    const mine = view.getUint8(at + same);
    const others = view.getUint8(other + same);
    if (mine !== others) return mine > others;
  }
  return length > otherLength;
}
