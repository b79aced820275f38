/** What the stores share in putting a page's chain together. */
import type { IssueLog } from "./issue-log.js";
import type { PageRecord } from "./types.js";

/** A record whose data outlives the store's next read. */
export const copyRecord = (record: PageRecord): PageRecord => ({ ...record, data: record.data.slice() });

/**
 * The chain among a page's records, which come newest first: up to the newest full image, and given oldest first.
 * Empty when there is no full image. More than `limit` records are cut to the newest ones, with an issue.
 */
export function collectChain(newestFirst: Iterable<PageRecord>, limit: number, log: IssueLog): PageRecord[] {
  const records: PageRecord[] = [];
  for (const record of newestFirst) {
    if (records.length >= limit) return cut(records, limit, log);
    records.push(copyRecord(record));
    if (!record.isDelta) return records.reverse();
  }
  return [];
}

function cut(records: PageRecord[], limit: number, log: IssueLog): PageRecord[] {
  const [newest] = records;
  if (newest === undefined) return [];
  const { tableId, pageId, lsn, place } = newest;
  const message = `table ${tableId} page ${pageId}: more than ${limit} deltas up to LSN ${lsn} without a full image`;
  log.add("chain-length", place, message, { expected: `at most ${limit}` });
  return records.reverse();
}
