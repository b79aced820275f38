/** Walking one SQLite b-tree, of a table (by row id) or of an index (by columns); around damage where there is some. */
import {
  SQLITE_HEADER,
  SQLITE_PAGE_HEADER,
  SQLITE_PAGE_NUMBER,
  sqliteLocalPayload,
  sqlitePageTypes,
} from "../../../formats/sqlite.js";
import type { IssueDetails } from "../issue-log.js";
import { PageSet } from "../page-set.js";
import type { Place } from "../types.js";
import type { PageReader, SqliteDatabase } from "./database.js";
import { RecordView, readVarint, varint } from "./record.js";

const { at: HEADER, leaf: LEAF_HEADER, interior: INTERIOR_HEADER, pointer: POINTER } = SQLITE_PAGE_HEADER;
/** Deeper than any tree of 2^32 pages. */
const MAX_DEPTH = 40;
const NOTHING = new Uint8Array(0);

const u16 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
const u32 = (bytes: Uint8Array, at: number): number => u16(bytes, at) * 0x10000 + u16(bytes, at + 2);

/**
 * A position in a tree. A page's slots are its cells and, in interior pages, its children: in an index these take
 * turns (child, cell, child, …), in a table only the children count.
 */
export class SqliteCursor {
  private readonly pages: Uint8Array[] = [];
  private readonly numbers: number[] = [];
  private readonly slots: number[] = [];
  private readonly counts: number[] = [];
  private top = -1;
  private cell = 0;
  private length = 0;
  private start = 0;
  private readonly leaves: PageReader;
  private readonly overflows: PageReader;
  private readonly key = new RecordView();
  private buffer: Uint8Array = NOTHING;
  private visited: PageSet | undefined;
  private chained: PageSet | undefined;
  private readonly interior: number;
  private readonly leaf: number;
  /** Row id of the current row of a table. */
  rowid = 0;
  /** Why the payload last asked for is not whole: then `payload()` gave what there is. */
  payloadProblem: string | undefined;

  constructor(
    private readonly database: SqliteDatabase,
    private readonly root: number,
    private readonly isTable: boolean,
    private readonly name: string,
  ) {
    this.leaves = database.reader();
    this.overflows = database.reader();
    const { interiorTable, interiorIndex, leafTable, leafIndex } = sqlitePageTypes;
    this.interior = isTable ? interiorTable : interiorIndex;
    this.leaf = isTable ? leafTable : leafIndex;
  }

  /** From now on a page met a second time is damage, and is not entered again: for one walk over the whole tree. */
  watchForLoops(): this {
    this.visited = new PageSet(this.database.pageCount);
    return this.watchOverflow();
  }

  /** From now on an overflow page met a second time is damage: when each row is asked for once. */
  watchOverflow(): this {
    this.chained = new PageSet(this.database.pageCount);
    return this;
  }

  first(): boolean {
    return this.begin(1);
  }

  last(): boolean {
    return this.begin(-1);
  }

  next(): boolean {
    return this.top >= 0 && this.step(1);
  }

  previous(): boolean {
    return this.top >= 0 && this.step(-1);
  }

  /** To the first entry of an index that is not below the columns of `key`. */
  seek(key: readonly bigint[]): boolean {
    return this.descend((page, index) => this.compareKey(page, index, key) < 0);
  }

  /** To the row with this id; false when there is none. */
  seekRow(rowid: number): boolean {
    return this.descend((page, index) => this.rowidOf(page, index) < rowid) && this.rowid === rowid;
  }

  /** Where the current cell is on disk. */
  get place(): Place {
    return this.database.place(this.numbers[this.top] as number, this.cell);
  }

  /** Bytes of the record, as its cell says. */
  get payloadLength(): number {
    return this.length;
  }

  /** The part of the record that stands in the cell itself: its first columns. */
  payloadStart(): Uint8Array {
    const local = sqliteLocalPayload(this.database.usable, this.length, this.isTable);
    return this.page.subarray(this.start, this.start + local);
  }

  /** The record; valid until the cursor moves or the next payload is asked for. */
  payload(): Uint8Array {
    this.payloadProblem = undefined;
    const page = this.pages[this.top] as Uint8Array;
    const local = sqliteLocalPayload(this.database.usable, this.length, this.isTable);
    if (local === this.length) return page.subarray(this.start, this.start + local);
    return this.assemble(page, local);
  }

  private assemble(page: Uint8Array, local: number): Uint8Array {
    const { usable, pageCount } = this.database;
    const room = usable - SQLITE_PAGE_NUMBER;
    if (this.length > local + room * pageCount) {
      this.payloadProblem = `${this.length} bytes are more than the file has`;
      return page.subarray(this.start, this.start + local);
    }
    this.room(local);
    this.buffer.set(page.subarray(this.start, this.start + local));
    let done = local;
    for (let number = u32(page, this.start + local); done < this.length; ) {
      const next = this.overflowPage(number);
      if (next === undefined) return this.buffer.subarray(0, done);
      const part = next.subarray(SQLITE_PAGE_NUMBER, SQLITE_PAGE_NUMBER + Math.min(room, this.length - done));
      this.room(done + part.length);
      this.buffer.set(part, done);
      done += part.length;
      number = u32(next, 0);
    }
    return this.buffer.subarray(0, this.length);
  }

  /** Makes the buffer hold `length` bytes. It grows with what was found, not with what a length field says. */
  private room(length: number): void {
    if (length <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(length, 2 * this.buffer.length));
    larger.set(this.buffer);
    this.buffer = larger;
  }

  private overflowPage(number: number): Uint8Array | undefined {
    const page = this.overflows.view(number);
    if (page === undefined) this.payloadProblem = `its overflow page ${number} does not exist`;
    else if (this.chained?.addAgain(number)) this.payloadProblem = `overflow page ${number} is used twice`;
    return this.payloadProblem === undefined ? page : undefined;
  }

  private begin(direction: 1 | -1): boolean {
    this.top = -1;
    if (!this.enter(this.root)) return false;
    this.slots[0] = direction > 0 ? -1 : (this.counts[0] as number);
    return this.step(direction);
  }

  /** To the first cell that is not `below`. */
  private descend(below: (page: Uint8Array, index: number) => boolean): boolean {
    this.top = -1;
    if (!this.enter(this.root)) return false;
    for (;;) {
      const page = this.page;
      const index = this.lowerBound(page, below);
      const isLeaf = this.isLeaf(page);
      this.slots[this.top] = isLeaf ? index - 1 : this.isTable ? index : 2 * index;
      if (isLeaf || !this.enterChild(page, index)) return this.step(1);
    }
  }

  private lowerBound(page: Uint8Array, below: (page: Uint8Array, index: number) => boolean): number {
    let from = 0;
    let to = this.cellCount(page);
    while (from < to) {
      const middle = (from + to) >> 1;
      if (below(page, middle)) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  private step(direction: 1 | -1): boolean {
    // Damaged pages can lead to the same ones on many ways: no step needs more pages than there are.
    for (let budget = this.database.pageCount + MAX_DEPTH; this.top >= 0; ) {
      const slot = (this.slots[this.top] as number) + direction;
      this.slots[this.top] = slot;
      const { page } = this;
      if (slot < 0 || slot >= (this.counts[this.top] as number)) this.top--;
      else if (this.isLeaf(page)) {
        if (this.stand(page, slot)) return true;
      } else if (!this.isTable && slot % 2 === 1) {
        if (this.stand(page, (slot - 1) / 2)) return true;
      } else {
        if (budget-- === 0) return this.giveUp();
        if (this.enterChild(page, this.isTable ? slot : slot / 2))
          this.slots[this.top] = direction > 0 ? -1 : (this.counts[this.top] as number);
      }
    }
    return false;
  }

  private giveUp(): false {
    this.top = -1;
    return this.fail("sqlite-page-twice", this.root, 0, "pages refer to one another without end");
  }

  private get page(): Uint8Array {
    return this.pages[this.top] as Uint8Array;
  }

  /** Start of the b-tree header: behind the database header on page 1. */
  private get header(): number {
    return this.numbers[this.top] === 1 ? SQLITE_HEADER.size : 0;
  }

  private isLeaf(page: Uint8Array): boolean {
    return page[this.header + HEADER.type] === this.leaf;
  }

  private cellCount(page: Uint8Array): number {
    return u16(page, this.header + HEADER.cellCount);
  }

  private enterChild(page: Uint8Array, index: number): boolean {
    const { header } = this;
    if (index === this.cellCount(page))
      return this.enter(u32(page, header + HEADER.rightChild), header + HEADER.rightChild);
    const cell = this.cellStart(page, index);
    return cell >= 0 && this.enter(u32(page, cell), cell);
  }

  /** Makes page `number` the new top; an issue and false when it cannot be used. `from`: where it is referred to. */
  private enter(number: number, from = 0): boolean {
    const level = this.top + 1;
    const parent = level === 0 ? this.root : (this.numbers[this.top] as number);
    if (level >= MAX_DEPTH)
      return this.fail("sqlite-depth", parent, from, `the tree is deeper than ${MAX_DEPTH} levels`);
    if (this.isAbove(number, level) || this.visited?.addAgain(number))
      return this.fail("sqlite-page-twice", parent, from, `page ${number} is referred to a second time`, {
        actual: number,
      });
    const known = this.database.cached(number);
    const page = known ?? this.leaves.view(number);
    if (page === undefined)
      return this.fail("sqlite-page-number", parent, from, `page ${number} does not exist`, {
        expected: `1..${this.database.pageCount}`,
        actual: number,
      });
    const count = this.check(page, number);
    if (count < 0) return false;
    const isInterior = page[(number === 1 ? SQLITE_HEADER.size : 0) + HEADER.type] === this.interior;
    this.top = level;
    this.pages[level] = known ?? (isInterior ? this.database.keep(number, page) : page);
    this.numbers[level] = number;
    this.counts[level] = isInterior ? (this.isTable ? count + 1 : 2 * count + 1) : count;
    return true;
  }

  private isAbove(number: number, level: number): boolean {
    for (let above = 0; above < level; above++) if (this.numbers[above] === number) return true;
    return false;
  }

  /** Number of cells of a page of this tree, or −1 and an issue. */
  private check(page: Uint8Array, number: number): number {
    const header = number === 1 ? SQLITE_HEADER.size : 0;
    const type = page[header + HEADER.type];
    if (type !== this.leaf && type !== this.interior) {
      this.fail("sqlite-page", number, header, `page ${number} is no page of this tree`, {
        path: "type",
        expected: `${this.interior} or ${this.leaf}`,
        actual: type,
      });
      return -1;
    }
    const count = u16(page, header + HEADER.cellCount);
    const pointers = header + (type === this.leaf ? LEAF_HEADER : INTERIOR_HEADER);
    if (pointers + POINTER * count <= this.database.usable) return count;
    this.fail("sqlite-page", number, header + HEADER.cellCount, `page ${number} cannot have ${count} cells`, {
      path: "cellCount",
      actual: count,
    });
    return -1;
  }

  private stand(page: Uint8Array, index: number): boolean {
    const cell = this.cellStart(page, index);
    if (cell < 0) return false;
    const { usable } = this.database;
    // An interior cell of an index has its child in front.
    let at = this.isLeaf(page) ? cell : cell + SQLITE_PAGE_NUMBER;
    at += readVarint(page, at, usable);
    const length = varint.value;
    const complete = varint.length > 0 && (!this.isTable || readVarint(page, at, usable) > 0);
    if (this.isTable) {
      this.rowid = varint.value;
      at += varint.length;
    }
    const local = sqliteLocalPayload(usable, length, this.isTable);
    const end = at + local + (local < length ? SQLITE_PAGE_NUMBER : 0);
    if (!complete || end > usable)
      return this.fail(
        "sqlite-cell",
        this.numbers[this.top] as number,
        cell,
        "a cell reaches beyond its page",
      );
    this.cell = cell;
    this.length = length;
    this.start = at;
    return true;
  }

  /** Start of a cell inside its page, or −1 and an issue. */
  private cellStart(page: Uint8Array, index: number): number {
    const { header } = this;
    const pointers = header + (this.isLeaf(page) ? LEAF_HEADER : INTERIOR_HEADER);
    const pointer = pointers + POINTER * index;
    const cell = u16(page, pointer);
    if (
      cell >= pointers + POINTER * this.cellCount(page) &&
      cell + SQLITE_PAGE_NUMBER <= this.database.usable
    )
      return cell;
    this.fail(
      "sqlite-cell",
      this.numbers[this.top] as number,
      pointer,
      "a cell pointer leads out of the page",
      { actual: cell },
    );
    return -1;
  }

  /** Row id of a cell of a table page; of a damaged one, some number. */
  private rowidOf(page: Uint8Array, index: number): number {
    const cell = this.cellStart(page, index);
    if (cell < 0) return Number.POSITIVE_INFINITY;
    const at = this.isLeaf(page)
      ? cell + readVarint(page, cell, this.database.usable)
      : cell + SQLITE_PAGE_NUMBER;
    return readVarint(page, at, this.database.usable) > 0 ? varint.value : Number.POSITIVE_INFINITY;
  }

  private compareKey(page: Uint8Array, index: number, key: readonly bigint[]): number {
    if (!this.stand(page, index) || !this.key.read(this.payload())) return 1;
    for (let column = 0; column < key.length; column++) {
      const value = this.key.integer(column);
      // NULL sorts before numbers, text and blobs behind them.
      if (value === undefined) return this.key.type(column) === 0 ? -1 : 1;
      if (value !== key[column]) return value < (key[column] as bigint) ? -1 : 1;
    }
    return 0;
  }

  private fail(code: string, page: number, at: number, message: string, details: IssueDetails = {}): false {
    this.database.log.add(code, this.database.place(page, at), `${this.name}: ${message}`, details);
    return false;
  }
}
