/** Keys of one page in their order, rebuilt only where a prefix makes it necessary. */
import type { Defects } from "./defects.js";
import type { PlainRows } from "./plain-rows.js";

/** There is no previous key, or it is not known. */
const UNKNOWN = -1;

export class KeyOrder {
  private image: Uint8Array = new Uint8Array();
  /** The previous key where it had to be rebuilt. */
  private scratch = new Uint8Array(1024);
  private rebuilt = false;
  private start = 0;
  /** Bytes of the previous key that is not elsewhere: the one prefixes refer to. */
  private length = UNKNOWN;
  /** The key just in front is elsewhere. */
  private elsewhere = false;
  /** The first key, in the image; its end is −1 while there is none. */
  private firstStart = 0;
  private firstEnd = UNKNOWN;
  keys = 0;
  /** Whether keys must ascend. */
  checked = true;
  /** The first key does not count: the page's parent knows better. */
  skipFirst = false;

  constructor(private readonly defects: Defects) {}

  begin(image: Uint8Array, checked: boolean, skipFirst: boolean): void {
    this.image = image;
    this.checked = checked;
    this.skipFirst = skipFirst;
    this.length = UNKNOWN;
    this.rebuilt = false;
    this.elsewhere = false;
    this.firstEnd = UNKNOWN;
    this.keys = 0;
  }

  /** A key that lies elsewhere: the next one cannot be compared with it; its prefix is that of the key before. */
  addElsewhere(): void {
    this.elsewhere = true;
    this.keys++;
  }

  /** Keys are compared, and the last one is a part of the image, or there is none yet. */
  get isInPlace(): boolean {
    return this.checked && !this.rebuilt && !this.elsewhere && (this.length !== UNKNOWN || this.keys === 0);
  }

  /** Takes the keys of plain rows from `at` on; returns where those end. To be asked while `isInPlace`. */
  takePlain(plain: PlainRows, at: number, end: number): number {
    const next = plain.run(at, end, this.start, this.start + this.length);
    this.keep(plain);
    return next;
  }

  /** The same where a page has nothing but `cells` cells of plain rows. To be asked in front of the first. */
  takeAllPlain(plain: PlainRows, at: number, end: number, cells: number): boolean {
    if (!plain.takeAll(at, end, cells)) return false;
    this.keep(plain);
    return true;
  }

  private keep(plain: PlainRows): void {
    if (plain.rows === 0) return;
    if (this.keys === 0) {
      this.firstStart = plain.firstStart;
      this.firstEnd = plain.firstEnd;
    }
    this.keys += plain.rows;
    this.start = plain.keyStart;
    this.length = plain.keyEnd - plain.keyStart;
  }

  /** The key of the cell at `cell`: `prefix` bytes of the previous key (−1: no such field), then its own. */
  add(cell: number, prefix: number, start: number, end: number): void {
    const index = this.keys++;
    if (prefix > 0 || (prefix === 0 && this.length === UNKNOWN && index > 0)) {
      this.addPrefixed(cell, prefix, start, end);
      this.elsewhere = false;
      return;
    }
    if (this.length !== UNKNOWN && this.comparable && !(this.skipFirst && index === 1))
      this.compare(cell, 0, start, end);
    this.elsewhere = false;
    if (index === 0) {
      this.firstStart = start;
      this.firstEnd = end;
    }
    this.rebuilt = false;
    this.start = start;
    this.length = end - start;
  }

  private addPrefixed(cell: number, prefix: number, start: number, end: number): void {
    if (prefix > this.length) {
      this.defects.add(
        "key-prefix",
        cell,
        `${prefix} bytes of a previous key of ${Math.max(this.length, 0)}`,
      );
      this.length = UNKNOWN;
      return;
    }
    if (this.comparable) this.compare(cell, prefix, start, end);
    this.rebuild(prefix, start, end);
  }

  private get comparable(): boolean {
    return this.checked && !this.elsewhere;
  }

  /** Compares the bytes behind the shared prefix with those of the previous key. */
  private compare(cell: number, prefix: number, start: number, end: number): void {
    const { image } = this;
    const previous = this.rebuilt ? this.scratch : image;
    let at = (this.rebuilt ? 0 : this.start) + prefix;
    const previousEnd = at + this.length - prefix;
    for (let pos = start; pos < end; pos++, at++) {
      if (at === previousEnd) return;
      const difference = (image[pos] as number) - (previous[at] as number);
      if (difference > 0) return;
      if (difference < 0) break;
    }
    this.defects.add("key-order", cell, "not above the key before it");
  }

  private rebuild(prefix: number, start: number, end: number): void {
    const length = prefix + end - start;
    if (length > this.scratch.length) this.grow(length);
    const { image, scratch } = this;
    if (!this.rebuilt) for (let i = 0; i < prefix; i++) scratch[i] = image[this.start + i] as number;
    for (let from = start, to = prefix; from < end; from++, to++) scratch[to] = image[from] as number;
    this.rebuilt = true;
    this.length = length;
  }

  private grow(length: number): void {
    const grown = new Uint8Array(2 * length);
    grown.set(this.scratch);
    this.scratch = grown;
  }

  /** The page's first key, a view that lasts as long as the image; undefined when there is none, or it lies elsewhere. */
  firstKey(): Uint8Array | undefined {
    return this.firstEnd === UNKNOWN ? undefined : this.image.subarray(this.firstStart, this.firstEnd);
  }

  /** The page's last key, a view until the next page; undefined when there is none, it lies elsewhere, or cannot be rebuilt. */
  lastKey(): Uint8Array | undefined {
    if (this.length === UNKNOWN || this.elsewhere) return undefined;
    return this.rebuilt
      ? this.scratch.subarray(0, this.length)
      : this.image.subarray(this.start, this.start + this.length);
  }
}
