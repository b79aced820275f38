import type { RuleInfo } from "../../rule.js";

/** The text of the turtle page. */
export const turtlePageFormat: RuleInfo = {
  code: "turtle-page",
  severity: "error",
  title: "turtle pages can be read",
  doc: "Text that names the root of the shared metadata and the timestamps (turtle and disagg metadata §3). In mid-2025 stores nothing guards it with a checksum.",
};
