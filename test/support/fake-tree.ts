/** Trees in memory, page by page, for what no engine writes: loops, endless depth, pages that are not there. */
import { cellTags } from "../../formats/cell.js";
import { pageTypes } from "../../formats/page-header.js";
import { writePackedUnsigned } from "../../src/codec/index.js";
import { pageForms } from "../../src/page/walk-types.js";
import { PageFault } from "../../src/tree/problem.js";
import type { PageSource, TreePage } from "../../src/tree/types.js";

/** One byte a character. */
export const bytesOf = (text: string): Uint8Array =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));

const HEADERS = 40;
const LONG_CELL = 4;

const shortCell = (code: number, bytes: Uint8Array): number[] => [(bytes.length << 2) | code, ...bytes];

function packedLength(length: number): number[] {
  const out: number[] = [];
  writePackedUnsigned(out, BigInt(length));
  return out;
}

const longCell = (tag: number, bytes: Uint8Array): number[] => [
  (tag - LONG_CELL) << 4,
  ...packedLength(bytes.length),
  ...bytes,
];

function pageOf(name: string, type: number, cells: readonly number[], entries: number): TreePage {
  const image = Uint8Array.of(...new Uint8Array(HEADERS), ...cells);
  const layout = {
    type,
    flags: 0,
    entries,
    memSize: image.length,
    payload: HEADERS,
    recno: 0n,
    form: pageForms.image,
  };
  const part = { image, layout, origin: { isDelta: false }, stored: image.length };
  return { type, parts: [part], place: { path: name }, identity: name };
}

/** A row-internal page with children by key; the names of pages are their addresses. */
export const internalPage = (name: string, children: Readonly<Record<string, string>>): TreePage =>
  pageOf(
    name,
    pageTypes.rowInternal,
    Object.entries(children).flatMap(([key, child]) => [
      ...shortCell(1, bytesOf(key)),
      ...longCell(cellTags.addressInternal, bytesOf(child)),
    ]),
    2 * Object.keys(children).length,
  );

/** A row leaf; short values. */
export const leafPage = (name: string, rows: Readonly<Record<string, string>>): TreePage =>
  pageOf(
    name,
    pageTypes.rowLeaf,
    Object.entries(rows).flatMap(([key, value]) => [
      ...shortCell(1, bytesOf(key)),
      ...shortCell(3, bytesOf(value)),
    ]),
    2 * Object.keys(rows).length,
  );

/** Gives the pages by their names, or whatever `make` makes of a name. */
export function fakeSource(make: (name: string) => TreePage | undefined): PageSource {
  const page = (cookie: Uint8Array): TreePage => {
    const name = new TextDecoder().decode(cookie);
    const found = make(name);
    if (found === undefined) throw new PageFault("page-missing", "not there", { path: name });
    return found;
  };
  return {
    page,
    overflow: (cookie) => (page(cookie).parts[0]?.image ?? new Uint8Array()).subarray(HEADERS),
  };
}
