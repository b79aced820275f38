import type { RuleInfo } from "../../rule.js";

/** The allocation cursor of a tree. */
export const recordPageId: RuleInfo = {
  code: "record-page-id",
  severity: "error",
  title: "page ids are below the next one their tree will give out",
  doc: "next_page_id of a tree's newest checkpoint (address and checkpoint cookies §5; turtle and disagg metadata §1).",
};
