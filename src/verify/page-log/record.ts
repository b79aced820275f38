/** A record of a page log as the rules see it: the record, what came before it on its page, and its store. */
import type { PageLog, PageRecord } from "../../store/types.js";
import type { FindingPlace, Subject } from "../rule.js";

/** What is remembered of an earlier record of the same page. */
export interface Earlier {
  readonly lsn: bigint;
  readonly checkpointId: bigint | undefined;
  readonly isDelta: boolean;
  readonly discarded: boolean;
  /** Checksum in its block header; undefined for text pages and unreadable headers. */
  readonly checksum: number | undefined;
  /** The checksum addresses hold: a replacement's original one. */
  readonly addressChecksum: number | undefined;
  /** Write generation in its header. */
  readonly writeGen: bigint | undefined;
}

export class RecordSubject implements Subject {
  record!: PageRecord;
  /** The record of this page right before this one. */
  previous: Earlier | undefined;
  /** The newest full image of this page before this record. */
  image: Earlier | undefined;
  /** Deltas on top of that image, this record not counted. */
  deltas = 0;
  table: string | undefined;

  constructor(readonly store: PageLog) {}

  /** True for the mid-2025 store, whose link rules are known for images as well. */
  get isPalm(): boolean {
    return this.store.kind === "palm" || this.record.checkpointId !== undefined;
  }

  place(): FindingPlace {
    const { tableId, pageId, lsn, place } = this.record;
    return {
      path: place.file,
      ...(place.offset === undefined ? {} : { offset: place.offset }),
      ...(this.table === undefined ? {} : { table: this.table }),
      tableId,
      pageId,
      lsn,
    };
  }
}
