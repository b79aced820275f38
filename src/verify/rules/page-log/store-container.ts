import type { RuleInfo } from "../../rule.js";

/** The file the records are kept in. */
export const storeContainer: RuleInfo = {
  code: "store-container",
  severity: "error",
  title: "the store's own structure is sound",
  doc: "LMDB pages, SQLite databases or JSON lines around the records (page-log stores §2–4).",
};
