import type { RuleInfo } from "../../rule.js";

/** The file the records are kept in. */
export const storeContainer: RuleInfo = {
  code: "store-container",
  severity: "error",
  title: "the store's own structure is sound",
  doc: "LMDB pages, SQLite databases or JSON lines around the records (page-log stores §2–4).",
};

export const lsnUnique: RuleInfo = {
  code: "lsn-unique",
  severity: "error",
  title: "every LSN is given once",
  doc: "Records and checkpoints of all tables share one LSN counter (page-log stores §3).",
};

export const lsnCounter: RuleInfo = {
  code: "lsn-counter",
  severity: "error",
  title: "no LSN is above the store's counter",
  doc: "The store keeps the next LSN (PALM) or the last one (PALite) it gives (page-log stores §2, §3).",
};

export const lsnGap: RuleInfo = {
  code: "lsn-gap",
  severity: "error",
  title: "no LSN is missing",
  doc: "PALM gives LSNs from 1 without gaps to records and checkpoints (page-log stores §3): a gap is something that was there and is gone.",
};

export const orphanRecords: RuleInfo = {
  code: "record-orphans",
  severity: "info",
  title: "every record belongs to a completed checkpoint",
  doc: "Records above the newest checkpoint were written for one that never completed; nothing refers to them (page-log stores §3).",
};

export const metadataRoot: RuleInfo = {
  code: "metadata-root",
  severity: "error",
  title: "the root of the shared metadata is in the log",
  doc: "The turtle page's addr names page and LSN of the root (turtle and disagg metadata §1).",
};
