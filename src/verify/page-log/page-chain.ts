/** What is known of one page while its records pass by, oldest first: what a reader at each LSN would get. */
import { compareKeys } from "../../tree/keys.js";
import type { FindingPlace } from "../rule.js";
import type { Earlier } from "./record.js";
import type { LeafTimes } from "./times.js";

/** A record as addresses are compared with it. */
export interface PassedRecord extends Earlier {
  readonly place: FindingPlace;
  /** Bytes as stored. */
  readonly size: number;
  /** Page type in its header; undefined for what is no block. */
  readonly type: number | undefined;
  readonly replacement: boolean;
  /** It can be read on top of the record before it. */
  readonly sound: boolean;
  /** Nothing at all is wrong with it and its links. */
  readonly fits: boolean;
}

export class PageChain {
  /** The newest record so far. */
  newest: PassedRecord | undefined;
  /** The newest full image so far. */
  image: PassedRecord | undefined;
  /** Bytes of that image and the deltas on it. */
  bytes = 0;
  /** Records of the chain: that image and the deltas on it. */
  records = 0;
  /** The first record of the chain that is damaged or does not fit the one before. */
  damaged: PassedRecord | undefined;
  /** Lowest and highest key of the chain's parts; undefined where they are not known. */
  lowest: Uint8Array | undefined;
  highest: Uint8Array | undefined;
  /** Keys of the newest sound image, and its LSN: what is left when its deltas are lost. */
  imageRows: { readonly lsn: bigint; readonly rows: number } | undefined;
  /** Times of the image's values; undefined when deltas changed them, or nobody asked. */
  times: LeafTimes | undefined;
  /** Records of the chain that an address leads to, and their bytes. */
  reached = 0;
  reachedBytes = 0;

  clear(): void {
    this.newest = this.image = this.damaged = undefined;
    this.imageRows = undefined;
    this.startOver();
  }

  private startOver(): void {
    this.bytes = this.records = this.reached = this.reachedBytes = 0;
    this.damaged = undefined;
    this.lowest = this.highest = undefined;
    this.times = undefined;
  }

  add(record: PassedRecord): void {
    this.newest = record;
    if (record.discarded || !record.isDelta) {
      this.startOver();
      this.image = record;
    } else this.times = undefined;
    this.bytes += record.size;
    this.records++;
    if (!record.sound) this.damaged ??= record;
  }

  /** An address leads to the record added last, and all below it. */
  reach(): void {
    this.reached = this.records;
    this.reachedBytes = this.bytes;
  }

  /** No address need lead to the record added last. */
  skip(): void {
    this.reached++;
    this.reachedBytes += this.newest?.size ?? 0;
  }

  /** Keys of the record added last. */
  addKeys(first: Uint8Array | undefined, last: Uint8Array | undefined): void {
    if (first !== undefined && (this.lowest === undefined || compareKeys(first, this.lowest) < 0))
      this.lowest = first;
    if (last !== undefined && (this.highest === undefined || compareKeys(last, this.highest) > 0))
      this.highest = last;
  }
}
