import type { RuleInfo } from "../../rule.js";

/** Blocks nothing refers to. */
export const spaceUnreferenced: RuleInfo = {
  code: "space-unreferenced",
  severity: "info",
  title: "every sound block of a file belongs to a checkpoint",
  doc: "Space that no checkpoint refers to may still hold blocks of earlier checkpoints: what a salvage would find (classic file format §2). Damage there means nothing, so it is not reported.",
};
