import type { RuleInfo } from "../../rule.js";

export const metadataFileMissing: RuleInfo = {
  code: "metadata-file-missing",
  severity: "error",
  title: "every file the metadata names is there",
  doc: "file: rows name files of the home (classic file format §5).",
};
