import type { RuleInfo } from "../../rule.js";

/** Space that is lost. */
export const spaceLeak: RuleInfo = {
  code: "space-leak",
  severity: "warning",
  title: "every byte of a file belongs to a block or to the free space",
  doc: "From the description block to the end the newest checkpoint names, the file is covered (classic file format §3, space accounting). Lost space is never used again; the engine does not notice.",
};
