/** Fixed-length column pages: a bitmap of records, then perhaps windows (formats: cells and deltas §4). */
import { cellTags } from "../../formats/cell.js";
import {
  bitmapBytes,
  cellContents,
  MAX_BITS_PER_RECORD,
  WINDOW_AREA_VERSION,
} from "../../formats/page-content.js";
import { packedLength, peekPackedNumber } from "../codec/packed.js";
import { CellReader } from "./cell-reader.js";
import { Defects } from "./defects.js";
import type { PageLayout } from "./walk-types.js";

/** Checks the records; gives the number of windows, undefined when the page cannot be read to the end. */
export function walkColumnFixed(reader: CellReader, layout: PageLayout): void {
  if (layout.recno === 0n) reader.defects.add("record-number", 0, "the page begins with record 0");
  const bits = layout.bitsPerRecord ?? fittingBits(reader.image, layout)[0];
  if (bits !== undefined) walkRecords(reader, layout, bits);
  else
    reader.defects.add(
      "bitmap-length",
      layout.payload,
      `no number of bits makes ${layout.entries} records fit`,
    );
}

/** Every number of bits a record of the page may have; those that fill the page without windows come first. */
export function fittingBits(image: Uint8Array, layout: PageLayout): number[] {
  const all = Array.from({ length: MAX_BITS_PER_RECORD }, (_, index) => MAX_BITS_PER_RECORD - index);
  const end = (bits: number): number => layout.payload + bitmapBytes(layout.entries, bits);
  const exact = all.filter((bits) => end(bits) === layout.memSize);
  const windowed = all.filter((bits) => end(bits) < layout.memSize && fits(image, layout, bits));
  return [...exact, ...windowed];
}

function fits(image: Uint8Array, layout: PageLayout, bits: number): boolean {
  const probe = new CellReader(new Defects(1));
  probe.image = image;
  probe.end = layout.memSize;
  walkRecords(probe, layout, bits);
  return probe.defects.count === 0;
}

function walkRecords(reader: CellReader, layout: PageLayout, bits: number): void {
  const at = layout.payload + bitmapBytes(layout.entries, bits);
  if (at > reader.end) reader.truncated(at, at);
  else if (at < reader.end) walkWindows(reader, layout, at);
}

function walkWindows(reader: CellReader, layout: PageLayout, area: number): void {
  const { image, defects, end } = reader;
  if (image[area] !== WINDOW_AREA_VERSION) {
    defects.add("constant", area, `version ${image[area]} of the window area`);
    return;
  }
  const count = reader.packed32(area + 1);
  const offsetAt = area + 1 + packedLength(image[area + 1] as number);
  const offset = count === -1 ? -1 : reader.packed32(offsetAt);
  if (offset === -1) return;
  const least = offsetAt + packedLength(image[offsetAt] as number);
  const first = area + offset;
  if (first < least || first > end) reader.truncated(least, first);
  else if (walkPairs(reader, first, layout.entries) !== count)
    if (defects.count === 0) defects.add("window-area", area, `not the ${count} windows it says`);
}

const KEY_TAGS: readonly number[] = cellContents.columnFixedWindows.keys.map((kind) => cellTags[kind]);
const VALUE_TAGS: readonly number[] = cellContents.columnFixedWindows.items.map((kind) => cellTags[kind]);

/** The number of windows, less when they cannot be read to the end. */
function walkPairs(reader: CellReader, first: number, records: number): number {
  const { defects } = reader;
  let least = 0;
  let count = 0;
  for (let at = first; at < reader.end; count++) {
    if (!readNext(reader, at, KEY_TAGS)) return count;
    const record = recordOf(reader);
    if (record < least || record >= records)
      defects.add("record-number", at, `record ${record}, not ${least} to ${records - 1}`);
    least = record + 1;
    at = reader.next;
    if (!readNext(reader, at, VALUE_TAGS)) return count;
    if (reader.next !== reader.dataStart) defects.add("window-area", at, "a value with data");
    at = reader.next;
    if (defects.count >= defects.limit) return count;
  }
  return count;
}

/** The record a key names by its distance from the page's first one; −1 when it names none. */
function recordOf({ image, dataStart, next }: CellReader): number {
  const record = peekPackedNumber(image, dataStart, next);
  return record !== -1 && dataStart + packedLength(image[dataStart] as number) === next ? record : -1;
}

function readNext(reader: CellReader, at: number, tags: readonly number[]): boolean {
  if (at >= reader.end) return reader.defects.add("cell-order", at, "nothing belongs to the key before");
  if (!reader.read(at)) return false;
  return tags.includes(reader.tag) || reader.defects.add("cell-type", at, "no such cell in a window area");
}
