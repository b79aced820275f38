/** Why a page log refuses to be written, or could not be. Nothing of what was refused is in the log. */
import type { Place } from "./types.js";

export type PageLogErrorCode =
  /** The log was closed. */
  | "closed"
  /** Put outside of a checkpoint: call `beginCheckpoint` first. */
  | "no-checkpoint"
  /** Puts of the open checkpoint were lost by an earlier failure: only `beginCheckpoint` goes on. */
  | "checkpoint-lost"
  | "table-id"
  | "page-id"
  /** Flags that are no 32-bit number, or that say what the log says itself: DELTA, DISCARDED. */
  | "flags"
  /** No bytes, or more than a log takes. */
  | "data-size"
  /** A delta on a page that has no full image, or was freed. */
  | "no-image"
  /** A delta's base is not the page's newest full image, or an image has one. */
  | "base"
  /** A delta does not follow the page's newest record; an image's backlink is not the page's newest image. */
  | "backlink"
  /** Checkpoint ids of links are not those of the linked records. */
  | "checkpoint-id"
  /** A page is freed that is not there. */
  | "no-page"
  | "metadata"
  | "timestamp"
  /** An LSN out of range, or all are used up. */
  | "lsn"
  /** Somebody else is writing. */
  | "locked"
  | "missing"
  /** There is something at the path that cannot be written as a page log. */
  | "unsupported"
  /** The system or SQLite failed; the put or publication is undone. */
  | "io";

export interface PageLogPlace extends Partial<Place> {
  readonly tableId?: bigint;
  readonly pageId?: bigint;
  readonly lsn?: bigint;
}

export class PageLogError extends Error {
  override readonly name = "PageLogError";

  constructor(
    readonly code: PageLogErrorCode,
    /** What is the matter, without the place. */
    readonly reason: string,
    readonly place: PageLogPlace = {},
    options?: ErrorOptions,
  ) {
    super(`${placeText(place)}${reason}`, options);
  }
}

function placeText({ file, tableId, pageId, lsn }: PageLogPlace): string {
  const parts = [
    file,
    tableId === undefined ? undefined : `table ${tableId}`,
    pageId === undefined ? undefined : `page ${pageId}`,
    lsn === undefined ? undefined : `LSN ${lsn}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? "" : `${parts.join(", ")}: `;
}
