/**
 * The JSON-lines export of a page log: one record a line, the attributes as the store has them, the block in hex.
 * A directory holds three files; the pages alone are enough to read records.
 */
export const exportFiles = {
  pages: "pages.jsonl",
  checkpoints: "checkpoints.jsonl",
  globals: "globals.jsonl",
} as const;

/** Keys of a line of `pages.jsonl`. Absent checkpoint ids: a store without them. */
export const exportPageKeys = {
  tableId: "table_id",
  pageId: "page_id",
  lsn: "lsn",
  checkpointId: "checkpoint_id",
  isDelta: "is_delta",
  backlinkLsn: "backlink_lsn",
  baseLsn: "base_lsn",
  backlinkCheckpointId: "backlink_checkpoint_id",
  baseCheckpointId: "base_checkpoint_id",
  flags: "flags",
  timestampMaterializedUs: "timestamp_materialized_us",
  /** The paddings of the key's struct, a list. */
  padding: "pad",
  /** Bytes of the block. */
  size: "size",
  data: "data_hex",
} as const;

/** Keys of a line of `checkpoints.jsonl`. */
export const exportCheckpointKeys = {
  lsn: "lsn",
  checkpointId: "checkpoint_id",
  timestamp: "timestamp",
  metadata: "metadata_hex",
  metadataText: "metadata",
  /** The key as PALM has it. */
  keyBytes: "key_hex",
} as const;

/** Keys of a line of `globals.jsonl`; the counters' own keys are those of PALM. */
export const exportGlobalKeys = {
  key: "key",
  value: "value",
  /** The counter's name. */
  name: "name",
  /** Key and value as PALM has them. */
  keyBytes: "key_hex",
  valueBytes: "value_hex",
} as const;

/** Names of the counters, by key. */
export const exportGlobalNames: Readonly<Record<number, string>> = {
  0: "REVISION",
  1: "CHECKPOINT_COMPLETED",
  2: "CHECKPOINT_STARTED",
};
