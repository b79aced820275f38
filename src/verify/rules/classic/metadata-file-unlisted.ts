import type { RuleInfo } from "../../rule.js";

export const metadataFileUnlisted: RuleInfo = {
  code: "metadata-file-unlisted",
  severity: "info",
  title: "every table file is in the metadata",
  doc: "A file nothing names: left from a crash during create or drop; the engine ignores it (repair writes §3).",
};
