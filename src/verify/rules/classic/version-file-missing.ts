import type { RuleInfo } from "../../rule.js";

export const versionFileMissing: RuleInfo = {
  code: "version-file-missing",
  severity: "warning",
  title: "a home has a file WiredTiger",
  doc: "The file holds the version text a second time (classic file format §5). Its presence is what tells engines that a directory holds a database.",
};
