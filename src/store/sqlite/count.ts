/** The rows of a table, counted from the headers of its pages. */
import {
  SQLITE_HEADER,
  SQLITE_PAGE_HEADER,
  SQLITE_PAGE_NUMBER,
  sqlitePageTypes,
} from "../../../formats/sqlite.js";
import { PageSet } from "../page-set.js";
import type { SqliteDatabase } from "./database.js";

const { at: HEADER, interior: INTERIOR_HEADER, pointer: POINTER } = SQLITE_PAGE_HEADER;

/** Pages that are damaged or met twice count nothing: then the number is lower, and other reads say why. */
export function countRows(database: SqliteDatabase, root: number): number {
  const reader = database.reader();
  const met = new PageSet(database.pageCount);
  const waiting = [root];
  let rows = 0;
  for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
    const head = met.addAgain(number) ? undefined : reader.head(number, SQLITE_HEADER.size + INTERIOR_HEADER);
    if (head === undefined) continue;
    const header = number === 1 ? SQLITE_HEADER.size : 0;
    const view = new DataView(head.buffer, head.byteOffset, head.length);
    const type = view.getUint8(header + HEADER.type);
    const cells = view.getUint16(header + HEADER.cellCount);
    if (type === sqlitePageTypes.leafTable) rows += cells;
    else if (type === sqlitePageTypes.interiorTable) addChildren(waiting, reader.view(number), header);
  }
  return rows;
}

function addChildren(waiting: number[], page: Uint8Array | undefined, header: number): void {
  if (page === undefined) return;
  const view = new DataView(page.buffer, page.byteOffset, page.length);
  const cells = view.getUint16(header + HEADER.cellCount);
  waiting.push(view.getUint32(header + HEADER.rightChild));
  for (let index = 0; index < cells; index++) {
    const pointer = header + INTERIOR_HEADER + POINTER * index;
    const cell = pointer + POINTER <= page.length ? view.getUint16(pointer) : page.length;
    if (cell + SQLITE_PAGE_NUMBER <= page.length) waiting.push(view.getUint32(cell));
  }
}
