/** What a page leads to: its children with the keys each may have, and its overflow items. One serves all pages. */
import { cellTags } from "../../../formats/cell.js";
import { FormatError } from "../../codec/error.js";
import { packedLength, readPackedNumber } from "../../codec/packed.js";
import type { AddressCell, PageSink } from "../../page/walk-types.js";
import { compareKeys } from "../../tree/keys.js";
import { AddressList } from "./address-list.js";
import { keyAt, NO_KEY } from "./key-bytes.js";
import { pushTold } from "./told-times.js";

export const childKind = { leaf: 0, internal: 1, overflow: 2 } as const;

export interface PageChildrenOptions {
  readonly allocationSize: number;
  /** Keys are in an order of the table's own: nothing can be said of ranges. */
  readonly anyKeyOrder: boolean;
  /** The key on an overflow page; undefined when it cannot be read, which is said elsewhere. */
  readonly overflowKey: (cookie: Uint8Array) => Uint8Array | undefined;
  /** Told of cells that hold no address. */
  readonly badAddress: (cell: AddressCell, error: FormatError) => void;
  /** Told of separators that do not ascend, by the offset of the child's cell in the image. */
  readonly badOrder: (offset: number) => void;
}

const NONE = -1;

export class PageChildren implements PageSink {
  private found = new AddressList();
  private image: () => Uint8Array = () => new Uint8Array();
  private owner = 0;
  private low: Uint8Array | undefined;
  private high: Uint8Array | undefined;
  /** Index in the list of the child before; the separator behind it is its end. */
  private last = NONE;
  private children = 0;
  private wasOverflow = false;
  private ofNewestRun = false;
  /** Where the page's addresses begin in the list. */
  first = 0;
  /** Keys of the page that lie on overflow pages. */
  overflowKeys = 0;
  /** The keys the page has for its second child and its last: numbers in the list. */
  private second = NO_KEY;
  private lastKey = NO_KEY;

  constructor(private readonly options: PageChildrenOptions) {}

  /**
   * Begins a page, whose own keys are in `low..high`; what it leads to is added to `found`. `ofNewestRun`: transaction
   * ids in it are of the newest run of the engine.
   */
  begin(
    found: AddressList,
    owner: number,
    image: () => Uint8Array,
    low: Uint8Array | undefined,
    high: Uint8Array | undefined,
    ofNewestRun: boolean,
  ): void {
    this.found = found;
    this.first = found.length;
    this.ofNewestRun = ofNewestRun;
    this.owner = owner;
    this.image = image;
    this.low = low;
    this.high = high;
    this.last = NONE;
    this.children = this.overflowKeys = 0;
    this.second = this.lastKey = NO_KEY;
    this.wasOverflow = false;
  }

  /** To be called once the page has been walked. */
  end(): void {
    if (this.last === NONE || this.high === undefined) return;
    this.found.highs[this.last] = this.found.separators.push(this.high);
  }

  /** The lowest and highest key the page has for its children, its first key left out; undefined = not known. */
  get separators(): { first: Uint8Array | undefined; last: Uint8Array | undefined } {
    const { keys } = this.found;
    return { first: keyAt(keys, this.second), last: keyAt(keys, this.lastKey) };
  }

  /** A fast-deleted child may be a leaf only: internal pages are never deleted as a whole. */
  child(cell: AddressCell): void {
    const { found } = this;
    const low = this.separator(cell);
    if (this.last !== NONE) found.highs[this.last] = low;
    if (this.children > 0) {
      if (this.children === 1) this.second = low;
      this.lastKey = low;
    }
    this.children++;
    const kind = cell.tag === cellTags.addressInternal ? childKind.internal : childKind.leaf;
    this.last = this.push(cell, kind, low) ? found.length - 1 : NONE;
    if (this.last !== NONE)
      found.times[this.last] = pushTold(found.separators, this.image(), cell.windowAt, this.ofNewestRun);
  }

  overflow(cell: AddressCell): void {
    if (cell.tag === cellTags.keyOverflow) this.overflowKeys++;
    this.push(cell, childKind.overflow, NO_KEY);
  }

  private separator(cell: AddressCell): number {
    const { found, options } = this;
    if (options.anyKeyOrder) return NO_KEY;
    if (cell.recno !== undefined) return found.separators.pushRecord(cell.recno);
    if (this.children === 0) return this.low === undefined ? NO_KEY : found.separators.push(this.low);
    if (!cell.keyOverflow && !this.wasOverflow)
      return found.separators.push(this.image(), cell.keyStart, cell.keyEnd);
    const key = this.separatorBeside(cell);
    const before = this.children === 1 ? undefined : keyAt(found.keys, this.lastKey);
    if (key !== undefined && before !== undefined && compareKeys(before, key) >= 0)
      options.badOrder(cell.start);
    return key === undefined ? NO_KEY : found.separators.push(key);
  }

  /** A separator that is on an overflow page, or behind one that is. */
  private separatorBeside({ keyOverflow, keyStart, keyEnd }: AddressCell): Uint8Array | undefined {
    const bytes = this.image().subarray(keyStart, keyEnd);
    this.wasOverflow = keyOverflow;
    return keyOverflow ? this.options.overflowKey(bytes) : bytes;
  }

  /** False when the cell leads nowhere. */
  private push(cell: AddressCell, kind: number, low: number): boolean {
    try {
      return this.pushAddress(cell, kind, low);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.options.badAddress(cell, error);
      return false;
    }
  }

  private pushAddress({ cookieStart, cookieEnd }: AddressCell, kind: number, low: number): boolean {
    const image = this.image();
    const unit = this.options.allocationSize;
    const units = readPackedNumber(image, cookieStart, cookieEnd, Number.MAX_SAFE_INTEGER);
    let at = cookieStart + packedLength(image[cookieStart] as number);
    const sizeUnits = readPackedNumber(image, at, cookieEnd, 0xffffffff);
    at += packedLength(image[at] as number);
    const checksum = readPackedNumber(image, at, cookieEnd, 0xffffffff);
    if (sizeUnits === 0) return false;
    this.found.push((units + 1) * unit, sizeUnits * unit, checksum, kind, this.owner, low);
    return true;
  }
}
