/** What a page log takes: the rules of attributes and links (page-log stores §1, §3). */
import { pageLogFlags } from "../../formats/page-log.js";
import { PageLogError, type PageLogErrorCode } from "./page-log-error.js";
import type { CheckpointCompletion, PageDiscard, PagePut } from "./writable.js";

/** Ids and LSNs are below 2^63: stores with signed numbers keep their order. */
export const MAX_ID = (1n << 63n) - 1n;
/** Most bytes of one record: in hex it is still a line that is read back. */
export const MAX_RECORD = 24 * 1024 * 1024;
const MAX_METADATA = 1024 * 1024;
const MAX_U64 = (1n << 64n) - 1n;

/** A page's newest record, and what it says of the newest full image. */
export interface PageHead {
  readonly lsn: bigint;
  /** LSN of the newest full image: the record itself, or the base of a delta. */
  readonly imageLsn: bigint;
  readonly discarded: boolean;
  readonly checkpointId?: bigint | undefined;
  readonly imageCheckpointId?: bigint | undefined;
}

/** @throws PageLogError */
export function checkPage({ tableId, pageId }: Pick<PagePut, "tableId" | "pageId">): void {
  if (tableId < 1n || tableId > MAX_ID) throw new PageLogError("table-id", `${tableId} is no table id`);
  if (pageId < 1n || pageId > MAX_ID)
    throw new PageLogError("page-id", `${pageId} is no page id`, { tableId });
}

/** `head`: the page's newest record, if it has one. @throws PageLogError */
export function checkPut(put: PagePut, head: PageHead | undefined): void {
  const { flags = 0, data } = put;
  const said = pageLogFlags.discarded | (put.isDelta ? 0 : pageLogFlags.delta);
  if (!Number.isInteger(flags) || flags < 0 || flags > 0xffff_ffff || (flags & said) !== 0)
    throw refused(put, "flags", `flags 0x${flags.toString(16)}: more than 32 bits, or DELTA or DISCARDED`);
  if (data.length === 0) throw refused(put, "data-size", "no bytes");
  if (data.length > MAX_RECORD)
    throw refused(put, "data-size", `${data.length} bytes; a record has at most ${MAX_RECORD}`);
  if (put.isDelta) checkDelta(put, head);
  else checkImage(put, head);
}

function checkDelta(put: PagePut, head: PageHead | undefined): void {
  if (head === undefined || head.discarded)
    throw refused(
      put,
      "no-image",
      head === undefined ? "a delta without an image" : "a delta of a freed page",
    );
  if (put.baseLsn !== head.imageLsn)
    throw refused(put, "base", `a delta on LSN ${put.baseLsn}; the newest full image is ${head.imageLsn}`);
  if (put.backlinkLsn !== head.lsn)
    throw refused(put, "backlink", `a delta behind LSN ${put.backlinkLsn}; the newest record is ${head.lsn}`);
  checkIds(put, head.checkpointId, head.imageCheckpointId);
}

function checkImage(put: PagePut, head: PageHead | undefined): void {
  const previous = head === undefined || head.discarded ? 0n : head.imageLsn;
  if (put.baseLsn !== 0n) throw refused(put, "base", `a full image on LSN ${put.baseLsn}`);
  if (put.backlinkLsn !== 0n && put.backlinkLsn !== previous)
    throw refused(
      put,
      "backlink",
      `an image behind LSN ${put.backlinkLsn}; the newest full image is ${previous}`,
    );
  checkIds(put, put.backlinkLsn === 0n ? 0n : head?.imageCheckpointId, 0n);
}

function checkIds(put: PagePut, backlink: bigint | undefined, base: bigint | undefined): void {
  const { backlinkCheckpointId, baseCheckpointId } = put;
  if (!agrees(backlinkCheckpointId, backlink))
    throw refused(
      put,
      "checkpoint-id",
      `backlink of checkpoint ${backlinkCheckpointId}; the record is of ${backlink}`,
    );
  if (!agrees(baseCheckpointId, base))
    throw refused(put, "checkpoint-id", `base of checkpoint ${baseCheckpointId}; the image is of ${base}`);
}

const agrees = (given: bigint | undefined, kept: bigint | undefined): boolean =>
  given === undefined || kept === undefined || given === kept;

/** @throws PageLogError */
export function checkDiscard(page: PageDiscard, head: PageHead | undefined): void {
  if (head === undefined || head.discarded)
    throw refused(page, "no-page", head === undefined ? "no such page" : "the page is freed already");
  if (page.baseLsn !== head.imageLsn)
    throw refused(
      page,
      "base",
      `a discard on LSN ${page.baseLsn}; the newest full image is ${head.imageLsn}`,
    );
  if (page.backlinkLsn !== head.lsn && page.backlinkLsn !== head.imageLsn)
    throw refused(
      page,
      "backlink",
      `a discard behind LSN ${page.backlinkLsn}; the newest record is ${head.lsn}`,
    );
}

/** @throws PageLogError */
export function checkCompletion({ metadata, timestamp }: CheckpointCompletion): void {
  if (metadata.length === 0 || metadata.length > MAX_METADATA)
    throw new PageLogError("metadata", `a checkpoint record of ${metadata.length} bytes`);
  if (timestamp < 0n || timestamp > MAX_U64)
    throw new PageLogError("timestamp", `${timestamp} is no 64-bit timestamp`);
}

function refused(
  { tableId, pageId }: Pick<PagePut, "tableId" | "pageId">,
  code: PageLogErrorCode,
  reason: string,
): PageLogError {
  return new PageLogError(code, reason, { tableId, pageId });
}
