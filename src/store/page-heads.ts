/** The newest records of the pages that were used last. */
import type { PageHead } from "./put-check.js";

/** Kept at least; twice as many at most. */
const KEPT = 32_768;
/** Ids below these make one exact number. */
const TABLES = 1n << 20n;
const PAGES = 1n << 32n;
const FACTOR = 2 ** 32;

type Key = number | string;

export class PageHeads {
  private heads = new Map<Key, PageHead>();
  private older = new Map<Key, PageHead>();

  get(tableId: bigint, pageId: bigint): PageHead | undefined {
    const key = keyOf(tableId, pageId);
    return this.heads.get(key) ?? this.older.get(key);
  }

  set(tableId: bigint, pageId: bigint, head: PageHead): void {
    if (this.heads.size >= KEPT) {
      this.older = this.heads;
      this.heads = new Map();
    }
    this.heads.set(keyOf(tableId, pageId), head);
  }

  clear(): void {
    this.heads.clear();
    this.older.clear();
  }
}

/** Most ids are small: a number is found faster than a text. */
const keyOf = (tableId: bigint, pageId: bigint): Key =>
  tableId < TABLES && pageId < PAGES ? Number(tableId) * FACTOR + Number(pageId) : `${tableId}/${pageId}`;
