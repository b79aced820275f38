import type { RuleInfo } from "../../rule.js";

export const metadataFileId: RuleInfo = {
  code: "metadata-file-id",
  severity: "error",
  title: "no table has a number above the largest one given out",
  doc: "largest_file_id of the turtle page (turtle and disagg metadata §3). The number of an id is compared, without its namespace.",
};
