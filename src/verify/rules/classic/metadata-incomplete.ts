import type { RuleInfo } from "../../rule.js";

export const metadataIncomplete: RuleInfo = {
  code: "metadata-incomplete",
  severity: "error",
  title: "every row of the metadata can be read",
  doc: "The metadata tree is read from its root to its leaves; damaged pages hide the tables on them.",
};
