import type { RuleInfo } from "../../rule.js";

/** Tables whose rows nothing leads to. */
export const metadataCheckpoint: RuleInfo = {
  code: "metadata-checkpoint",
  severity: "error",
  title: "a table that has pages has a checkpoint",
  doc: 'Every file: row of the shared metadata holds exactly one checkpoint; an empty tree has one with addr="" (address and checkpoint cookies §5).',
};
