import type { RuleInfo } from "../../rule.js";

/** What stands on a page. */
export const pageCells: RuleInfo = {
  code: "page-cells",
  severity: "error",
  title: "a page is exactly the cells its header says, in order",
  doc: "Every cell can be read, the last one ends with the image, their number is that in the header, types fit the page, keys ascend, copies point at values (cells and deltas §2, §4–6).",
};
