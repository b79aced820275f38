/** Records and windows of fixed-length column pages (formats: cells and deltas §4). */
import { cell } from "../../formats/cell.js";
import { bitmapBytes, type CellParts } from "../../formats/page-content.js";
import { valueWindow } from "../../formats/time-window.js";
import { packedLength, peekPackedNumber } from "../codec/packed.js";
import type { DecodedRecords } from "./page.js";
import { fittingBits } from "./walk-column-fixed.js";
import type { PageLayout } from "./walk-types.js";

/** The records of a page; undefined when no number of bits makes them fit. */
export function decodeRecords(image: Uint8Array, layout: PageLayout): DecodedRecords | undefined {
  const fits = layout.bitsPerRecord === undefined ? fittingBits(image, layout) : [layout.bitsPerRecord];
  const [bitsPerRecord] = fits;
  if (bitsPerRecord === undefined) return undefined;
  const end = layout.payload + bitmapBytes(layout.entries, bitsPerRecord);
  if (end > image.length) return undefined;
  const values = unpackRecords(image.subarray(layout.payload, end), layout.entries, bitsPerRecord);
  return { bitsPerRecord, fits, values, windows: windowsOf(image.subarray(0, layout.memSize), end) };
}

/** Records of `bits` bits: filled into bytes from their lowest bit on, the highest bit of a record first. */
export function unpackRecords(bitmap: Uint8Array, count: number, bits: number): Uint8Array {
  const values = new Uint8Array(count);
  let bit = 0;
  for (let record = 0; record < count; record++) {
    let value = 0;
    for (let i = 0; i < bits; i++, bit++)
      value = (value << 1) | (((bitmap[bit >> 3] as number) >> (bit & 7)) & 1);
    // A record of a whole byte is that byte.
    values[record] = bits === 8 ? (bitmap[record] as number) : value;
  }
  return values;
}

/** The windows behind the bitmap, as far as they can be read. */
function windowsOf(image: Uint8Array, area: number): DecodedRecords["windows"] {
  const countAt = area + 1;
  const offsetAt = countAt + packedLength(image[countAt] ?? 0);
  const offset = peekPackedNumber(image, offsetAt, image.length);
  const windows: Array<DecodedRecords["windows"][number]> = [];
  if (offset === -1) return windows;
  let record: number | undefined;
  for (let at = area + offset; at < image.length; ) {
    const reading = cell.read(image.subarray(at), { partial: true });
    if (!reading.ok) break;
    const { data = new Uint8Array(), window }: CellParts = reading.value;
    if (record === undefined) record = peekPackedNumber(data, 0, data.length);
    else {
      windows.push({ record, offset: at, window: valueWindow(window) });
      record = undefined;
    }
    at += reading.length;
  }
  return windows;
}
