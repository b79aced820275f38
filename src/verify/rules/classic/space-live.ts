import type { RuleInfo } from "../../rule.js";

/** The extent lists against the tree. */
export const spaceLive: RuleInfo = {
  code: "space-live",
  severity: "error",
  title: "the extent lists name exactly the blocks of the tree",
  doc: "Per checkpoint, oldest first: live blocks, plus its alloc list, less its discard list, less the older roots, are exactly the blocks of its tree (classic file format §3, space accounting).",
};
