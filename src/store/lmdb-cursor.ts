/** Walking one LMDB b-tree: in key order, from a key on, backwards; around damage where there is some. */
import {
  LMDB_MAX_DEPTH,
  LMDB_OVERFLOW_COUNT,
  LMDB_PAGE_HEADER,
  LMDB_POINTER,
  lmdbDatabaseFlags,
  lmdbNodeFlags,
  lmdbOffsets,
  lmdbPageFlags,
} from "../../formats/lmdb.js";
import type { IssueDetails } from "./issue-log.js";
import type { LmdbDatabase, LmdbEnvironment } from "./lmdb.js";
import { PageSet } from "./page-set.js";
import { ReadWindow } from "./read-window.js";

const { header: HEADER, leafNode: LEAF, branchNode: BRANCH } = lmdbOffsets;
const NODE = LEAF.key;
const BIG_DATA = lmdbNodeFlags.bigData;
const POINTER_BYTES = 8;
/** Larger values are refused: an engine page has at most 512 MB. */
const MAX_VALUE = 1 << 29;
/** Values up to this many bytes are read together with the header of their run. */
const LARGE_VALUE = 1 << 20;
const NOTHING = new Uint8Array(0);

const u16 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
const u32 = (bytes: Uint8Array, at: number): number => u16(bytes, at) + u16(bytes, at + 2) * 0x10000;
const u64 = (bytes: Uint8Array, at: number): number => u32(bytes, at) + u32(bytes, at + 4) * 2 ** 32;

/**
 * A position in a tree. Key and value are views that last until the cursor moves (or, for the value, until the next
 * value is asked for).
 */
export class LmdbCursor {
  private readonly pages: Uint8Array[] = [];
  private readonly numbers: number[] = [];
  private readonly indexes: number[] = [];
  private readonly counts: number[] = [];
  /** Level of the current leaf; −1 when the cursor is nowhere. */
  private top = -1;
  private node = 0;
  private readonly leaves: ReadWindow;
  private readonly values: ReadWindow;
  private readonly integerKeys: boolean;
  private visited: PageSet | undefined;
  /** Why the value last asked for is not whole: then `value()` gave what there is. */
  valueProblem: string | undefined;

  constructor(
    private readonly env: LmdbEnvironment,
    readonly database: LmdbDatabase,
  ) {
    this.leaves = new ReadWindow(env.file);
    this.values = new ReadWindow(env.file);
    this.integerKeys = (database.flags & lmdbDatabaseFlags.integerKey) !== 0;
  }

  /**
   * From now on a page met a second time is damage, and is not entered again: for one walk over the whole tree, which
   * then ends even where pages point in circles.
   */
  watchForLoops(): this {
    this.visited = new PageSet(this.env.pageCount);
    return this;
  }

  /** To the first key; false when there is none. */
  first(): boolean {
    return this.start(1);
  }

  last(): boolean {
    return this.start(-1);
  }

  /** To the next readable key. */
  next(): boolean {
    return this.top >= 0 && this.step(1);
  }

  previous(): boolean {
    return this.top >= 0 && this.step(-1);
  }

  /** To the first key that is not below `key`. */
  seek(key: Uint8Array): boolean {
    const { root } = this.database;
    this.top = -1;
    if (root === undefined || !this.enter(root)) return false;
    while (!this.isLeaf()) {
      const index = this.childFor(key);
      this.indexes[this.top] = index;
      if (!this.enterChild(index)) return this.step(1);
    }
    this.indexes[this.top] = this.lowerBound(key, 0) - 1;
    return this.step(1);
  }

  get keyLength(): number {
    return u16(this.page, this.node + LEAF.keySize);
  }

  get nodeFlags(): number {
    return u16(this.page, this.node + LEAF.flags);
  }

  /** The page that holds the key, and where in it the key begins. */
  get page(): Uint8Array {
    return this.pages[this.top] as Uint8Array;
  }

  get keyStart(): number {
    return this.node + NODE;
  }

  key(): Uint8Array {
    return this.page.subarray(this.keyStart, this.keyStart + this.keyLength);
  }

  /** Byte offset of the key in the file. */
  get keyOffset(): number {
    return (this.numbers[this.top] as number) * this.env.pageSize + this.keyStart;
  }

  get valueLength(): number {
    return u16(this.page, this.node + LEAF.sizeLow) + u16(this.page, this.node + LEAF.sizeHigh) * 0x10000;
  }

  /** Byte offset of the value in the file; of the page number that should lead to it, where there is no such page. */
  get valueOffset(): number {
    const inNode = this.keyOffset + this.keyLength;
    if ((this.nodeFlags & BIG_DATA) === 0) return inNode;
    const number = u64(this.page, this.keyStart + this.keyLength);
    return number < this.env.pageCount ? number * this.env.pageSize + LMDB_PAGE_HEADER : inNode;
  }

  value(): Uint8Array {
    this.valueProblem = undefined;
    const start = this.keyStart + this.keyLength;
    if ((this.nodeFlags & BIG_DATA) === 0) return this.page.subarray(start, start + this.valueLength);
    return this.overflowValue(u64(this.page, start), this.valueLength);
  }

  private overflowValue(number: number, length: number): Uint8Array {
    const { pageSize } = this.env;
    // A large value is only read once its run has been found to be that large.
    if (length > LARGE_VALUE)
      this.checkRun(this.values.view(number * pageSize, LMDB_PAGE_HEADER), number, length);
    if (this.valueProblem !== undefined) return NOTHING;
    const whole = this.values.view(number * pageSize, LMDB_PAGE_HEADER + length);
    this.checkRun(whole, number, length);
    if (this.valueProblem !== undefined) return NOTHING;
    const pages = Math.ceil((LMDB_PAGE_HEADER + length) / pageSize);
    if (this.meetsAgain(number, pages)) {
      this.valueProblem = `overflow page ${number} belongs to another value`;
      return NOTHING;
    }
    const value = whole.subarray(LMDB_PAGE_HEADER);
    if (value.length < length) this.valueProblem = "the file ends inside it";
    return value;
  }

  /** Whether the page begins a run of overflow pages that has room for the value. */
  private checkRun(start: Uint8Array, number: number, length: number): void {
    const pages = Math.ceil((LMDB_PAGE_HEADER + length) / this.env.pageSize);
    if (number < 2 || number >= this.env.pageCount || start.length < LMDB_PAGE_HEADER)
      this.valueProblem = `its overflow page ${number} does not exist`;
    else if (u64(start, HEADER.pageNumber) !== number || u16(start, HEADER.flags) !== lmdbPageFlags.overflow)
      this.valueProblem = `page ${number} is not the start of an overflow run`;
    else if (u32(start, LMDB_OVERFLOW_COUNT) < pages)
      this.valueProblem = `an overflow run of ${u32(start, LMDB_OVERFLOW_COUNT)} pages where ${pages} are needed`;
    else if (length > MAX_VALUE) this.valueProblem = `${length} bytes are more than a page can have`;
  }

  private meetsAgain(first: number, pages: number): boolean {
    let again = false;
    for (let page = first; this.visited !== undefined && page < first + pages; page++)
      if (this.visited.addAgain(page)) again = true;
    return again;
  }

  private start(direction: 1 | -1): boolean {
    const { root } = this.database;
    this.top = -1;
    if (root === undefined || !this.enter(root)) return false;
    this.indexes[0] = direction > 0 ? -1 : (this.counts[0] as number);
    return this.step(direction);
  }

  /** To the neighbouring readable node, over damaged nodes and subtrees. */
  private step(direction: 1 | -1): boolean {
    // Damaged pages can lead to the same ones on many ways: no step needs more pages than there are.
    for (let budget = this.env.pageCount + LMDB_MAX_DEPTH; this.top >= 0; ) {
      const index = (this.indexes[this.top] as number) + direction;
      this.indexes[this.top] = index;
      if (index < 0 || index >= (this.counts[this.top] as number)) this.top--;
      else if (this.isLeaf()) {
        if (this.stand(index)) return true;
      } else {
        if (budget-- === 0) return this.giveUp();
        if (this.enterChild(index))
          this.indexes[this.top] = direction > 0 ? -1 : (this.counts[this.top] as number);
      }
    }
    return false;
  }

  private giveUp(): false {
    const page = this.numbers[0] as number;
    this.top = -1;
    return this.fail("lmdb-page-twice", page * this.env.pageSize, "pages refer to one another without end");
  }

  private isLeaf(): boolean {
    return (u16(this.page, HEADER.flags) & lmdbPageFlags.leaf) !== 0;
  }

  private stand(index: number): boolean {
    const node = this.leafNode(this.page, index);
    if (node < 0) return false;
    this.node = node;
    return true;
  }

  private enterChild(index: number): boolean {
    const node = this.branchNode(this.page, index);
    if (node < 0) return false;
    const { page } = this;
    return this.enter(
      u32(page, node + BRANCH.pageLow) + u16(page, node + BRANCH.pageHigh) * 2 ** 32,
      (this.numbers[this.top] as number) * this.env.pageSize + node,
    );
  }

  /** Makes page `number` the new top; an issue and false when it cannot be used. `from`: where it is referred to. */
  private enter(number: number, from = this.database.place.offset as number): boolean {
    const { pageCount, pageSize } = this.env;
    const level = this.top + 1;
    if (number < 2 || number >= pageCount)
      return this.fail("lmdb-page-number", from, `page ${number} does not exist`, {
        expected: `2..${pageCount - 1}`,
        actual: number,
      });
    if (level >= LMDB_MAX_DEPTH)
      return this.fail("lmdb-depth", from, `the tree is deeper than ${LMDB_MAX_DEPTH} levels`);
    if (this.isAbove(number, level) || this.visited?.addAgain(number))
      return this.fail("lmdb-page-twice", from, `page ${number} is referred to a second time`, {
        actual: number,
      });
    const lowest = level === this.database.depth - 1;
    const page = lowest ? this.leaves.view(number * pageSize, pageSize) : this.env.cachedPage(number);
    const count = page === undefined || page.length < pageSize ? -1 : this.check(page, number, level);
    if (page === undefined || count < 0) return false;
    this.top = level;
    this.pages[level] = page;
    this.numbers[level] = number;
    this.counts[level] = count;
    return true;
  }

  private isAbove(number: number, level: number): boolean {
    for (let above = 0; above < level; above++) if (this.numbers[above] === number) return true;
    return false;
  }

  /** Number of nodes of a page, or −1 and an issue. */
  private check(page: Uint8Array, number: number, level: number): number {
    const offset = number * this.env.pageSize;
    if (u64(page, HEADER.pageNumber) !== number)
      return this.bad(
        offset,
        "pageNumber",
        "does not carry its own number",
        number,
        u64(page, HEADER.pageNumber),
      );
    const flags = u16(page, HEADER.flags) & ~lmdbPageFlags.dirty;
    if (flags !== lmdbPageFlags.leaf && flags !== lmdbPageFlags.branch)
      return this.bad(
        offset + HEADER.flags,
        "flags",
        "is neither a branch nor a leaf with nodes",
        "1 or 2",
        flags,
      );
    const lower = u16(page, HEADER.lower);
    const upper = u16(page, HEADER.upper);
    if (lower < LMDB_PAGE_HEADER || lower > upper || upper > page.length || lower % LMDB_POINTER !== 0)
      return this.bad(
        offset + HEADER.lower,
        "lower",
        "has impossible bounds",
        `16 ≤ lower ≤ upper ≤ ${page.length}`,
        `${lower}, ${upper}`,
      );
    if ((flags === lmdbPageFlags.leaf) !== (level === this.database.depth - 1))
      this.bad(
        offset + HEADER.flags,
        "flags",
        `is on level ${level} of ${this.database.depth}`,
        undefined,
        flags,
      );
    const count = (lower - LMDB_PAGE_HEADER) / LMDB_POINTER;
    if (count > 0 || flags === lmdbPageFlags.leaf) return count;
    return this.bad(offset + HEADER.lower, "lower", "is a branch without children", undefined, lower);
  }

  private bad(offset: number, path: string, message: string, expected: unknown, actual: unknown): -1 {
    const number = Math.floor(offset / this.env.pageSize);
    this.fail("lmdb-page-header", offset, `page ${number} ${message}`, { path, expected, actual });
    return -1;
  }

  /** Start of a leaf node that lies inside its page, or −1 and an issue. */
  private leafNode(page: Uint8Array, index: number): number {
    const node = this.nodeStart(page, index);
    if (node < 0) return -1;
    const flags = u16(page, node + LEAF.flags);
    const size = u16(page, node + LEAF.sizeLow) + u16(page, node + LEAF.sizeHigh) * 0x10000;
    const stored = (flags & BIG_DATA) === 0 ? size : POINTER_BYTES;
    const end = node + NODE + u16(page, node + LEAF.keySize) + stored;
    if ((flags & lmdbNodeFlags.duplicates) !== 0)
      return this.badNode(node, "holds sorted duplicates, which a page log has none of", flags);
    return end <= page.length ? node : this.badNode(node, "reaches beyond its page", end);
  }

  private branchNode(page: Uint8Array, index: number): number {
    const node = this.nodeStart(page, index);
    if (node < 0) return -1;
    const end = node + NODE + u16(page, node + BRANCH.keySize);
    return end <= page.length ? node : this.badNode(node, "reaches beyond its page", end);
  }

  private nodeStart(page: Uint8Array, index: number): number {
    const pointer = LMDB_PAGE_HEADER + LMDB_POINTER * index;
    const node = u16(page, pointer);
    const inside = node >= u16(page, HEADER.upper) && node + NODE <= page.length;
    return inside ? node : this.badNode(pointer, "does not point to a node", node);
  }

  private badNode(at: number, message: string, actual: number): -1 {
    const number = this.numbers[this.top] as number;
    this.fail("lmdb-node", number * this.env.pageSize + at, `page ${number}: a node ${message}`, { actual });
    return -1;
  }

  private fail(code: string, offset: number, message: string, details: IssueDetails = {}): false {
    this.env.log.add(
      code,
      { file: this.env.path, offset },
      `database ${this.database.name}: ${message}`,
      details,
    );
    return false;
  }

  /** The child whose keys `key` belongs to: the last one that does not begin above it. */
  private childFor(key: Uint8Array): number {
    // The first node of a branch page has no key: it is below everything.
    const above = this.lowerBound(key, 1);
    const { page } = this;
    if (above >= (this.counts[this.top] as number)) return above - 1;
    return this.compare(page, this.nodeAt(page, above), key) === 0 ? above : above - 1;
  }

  /** Index of the first node from `low` on whose key is not below `key`. */
  private lowerBound(key: Uint8Array, low: number): number {
    const { page } = this;
    let from = low;
    let to = Math.max(low, this.counts[this.top] as number);
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.compare(page, this.nodeAt(page, middle), key) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  private nodeAt(page: Uint8Array, index: number): number {
    return u16(page, LMDB_PAGE_HEADER + LMDB_POINTER * index);
  }

  /** A damaged node compares as something; what it leads to is checked before it is used. */
  private compare(page: Uint8Array, node: number, key: Uint8Array): number {
    if (node + NODE > page.length) return 1;
    const start = node + NODE;
    const length = Math.min(u16(page, node + LEAF.keySize), page.length - start);
    return this.integerKeys
      ? compareIntegers(page, start, length, key)
      : compareBytes(page, start, length, key);
  }
}

function compareBytes(page: Uint8Array, start: number, length: number, key: Uint8Array): number {
  const shared = Math.min(length, key.length);
  for (let i = 0; i < shared; i++) {
    const difference = (page[start + i] as number) - (key[i] as number);
    if (difference !== 0) return difference;
  }
  return length - key.length;
}

/** Little-endian unsigned integers of the same size; other sizes sort by their length. */
function compareIntegers(page: Uint8Array, start: number, length: number, key: Uint8Array): number {
  if (length !== key.length) return length - key.length;
  for (let i = length - 1; i >= 0; i--) {
    const difference = (page[start + i] as number) - (key[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
