/** What is known of one page while its records pass by, oldest first: what a reader at each LSN would get. */
import type { PageRecord } from "../../store/types.js";
import { compareKeys } from "../../tree/keys.js";
import type { FindingPlace } from "../rule.js";
import type { Earlier } from "./record.js";
import type { PageTimes } from "./times.js";

/** What the block of a record says of it. */
export interface RecordContent {
  /** Checksum in the block header; undefined for text pages and what is no block. */
  readonly checksum: number | undefined;
  /** The checksum addresses hold: a replacement's original one. */
  readonly addressChecksum: number | undefined;
  readonly writeGen: bigint | undefined;
  /** Page type in its header. */
  readonly type: number | undefined;
  readonly replacement: boolean;
}

/** A record as later ones and addresses are compared with it. */
export class PassedRecord implements Earlier, RecordContent {
  readonly tableId: bigint;
  readonly pageId: bigint;
  readonly lsn: bigint;
  readonly checkpointId: bigint | undefined;
  readonly isDelta: boolean;
  readonly discarded: boolean;
  /** Bytes as stored. */
  readonly size: number;
  readonly checksum: number | undefined;
  readonly addressChecksum: number | undefined;
  readonly writeGen: bigint | undefined;
  readonly type: number | undefined;
  readonly replacement: boolean;
  private readonly file: string;
  private readonly offset: number | undefined;

  constructor(
    record: PageRecord,
    content: RecordContent,
    private readonly table: string | undefined,
    /** It can be read on top of the record before it. */
    readonly sound: boolean,
    /** Nothing at all is wrong with it and its links. */
    readonly fits: boolean,
  ) {
    this.tableId = record.tableId;
    this.pageId = record.pageId;
    this.lsn = record.lsn;
    this.checkpointId = record.checkpointId;
    this.isDelta = record.isDelta;
    this.discarded = record.discarded;
    this.size = record.data.length;
    this.checksum = content.checksum;
    this.addressChecksum = content.addressChecksum;
    this.writeGen = content.writeGen;
    this.type = content.type;
    this.replacement = content.replacement;
    this.file = record.place.file;
    this.offset = record.place.offset;
  }

  get place(): FindingPlace {
    const { file: path, offset, table, tableId, pageId, lsn } = this;
    return {
      path,
      ...(offset === undefined ? {} : { offset }),
      ...(table === undefined ? {} : { table }),
      tableId,
      pageId,
      lsn,
    };
  }
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
  get lowest(): Uint8Array | undefined {
    return this.lowestKey.key;
  }
  get highest(): Uint8Array | undefined {
    return this.highestKey.key;
  }
  private readonly lowestKey = new KeptKey();
  private readonly highestKey = new KeptKey();
  /** Keys of the newest sound image, and its LSN: what is left when its deltas are lost. */
  imageRows: { readonly lsn: bigint; readonly rows: number } | undefined;
  /** Times of the image's values; undefined when deltas changed them, or nobody asked. */
  times: PageTimes | undefined;
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
    this.lowestKey.clear();
    this.highestKey.clear();
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
    const { lowest, highest } = this;
    if (first !== undefined && (lowest === undefined || compareKeys(first, lowest) < 0))
      this.lowestKey.set(first);
    if (last !== undefined && (highest === undefined || compareKeys(last, highest) > 0))
      this.highestKey.set(last);
  }
}

/** A copy of a key, in memory that the next one uses again. */
class KeptKey {
  private bytes = new Uint8Array(64);
  key: Uint8Array | undefined;

  set(key: Uint8Array): void {
    if (key.length > this.bytes.length) this.bytes = new Uint8Array(2 * key.length);
    this.bytes.set(key);
    this.key = this.bytes.subarray(0, key.length);
  }

  clear(): void {
    this.key = undefined;
  }
}
