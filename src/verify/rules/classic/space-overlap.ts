import type { RuleInfo } from "../../rule.js";

/** Space that is claimed twice. */
export const spaceOverlap: RuleInfo = {
  code: "space-overlap",
  severity: "error",
  title: "no byte of a file belongs to two blocks, or to a block and the free space",
  doc: "Blocks of all checkpoints, their extent lists and the newest free-space list do not overlap (classic file format §3, space accounting).",
};
