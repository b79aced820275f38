/**
 * Dumps of MongoDB's page service, one JSON object a page (formats: page-log stores §4). LSNs are JSON numbers above
 * 2^53: seconds << 32 | counter. An entry may be wrapped by the service's own encryption, whatever its metadata say;
 * that envelope is not public.
 */
import { symbolValues } from "../src/codec/index.js";

/** Keys of a page: `{"page_id": N, "entries": […]}`, entries newest first. */
export const servicePageKeys = { pageId: "page_id", entries: "entries" } as const;

/** Keys of an entry. The LSN is an object of its own: `{"domain_id": 1, "lsn": L}`. */
export const serviceEntryKeys = {
  lsn: "lsn",
  domainId: "domain_id",
  type: "entry_type",
  metadata: "metadata",
  /** The block: a list of numbers, hex or base64. */
  data: "entry",
  /** The log-wide predecessor, not the page's own. */
  previousLsn: "previous_lsn",
} as const;

/** The only `entry_type` that was seen. */
export const SERVICE_ENTRY_TYPE = 3n;

/** Keys of `metadata`, in any order; each value is `{"val": {TYPE: V}}`. */
export const serviceMetadataKeys = {
  tableId: "table_id",
  pageId: "page_id",
  flags: "flags",
  backlinkLsn: "backlink_lsn",
  /** Absent on a full image. */
  baseLsn: "base_lsn",
  isCompressed: "is_compressed",
  isEncrypted: "is_encrypted",
  /** Unix milliseconds. */
  queueTime: "queue_time",
} as const;
export const serviceValueKey = "val";
export const serviceValueTypes = ["IntVal", "LongVal", "BoolVal"] as const;

/** The metadata's `flags`: what the entry is. */
export const serviceEntryKinds = {
  delta: 0,
  fullImage: 1,
  tombstone: [2, "the page was discarded; no data; base and backlink name the last image"],
  checkpointEnd: 3,
} as const;
export const serviceEntryKind = symbolValues(serviceEntryKinds);
