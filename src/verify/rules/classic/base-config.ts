import type { RuleInfo } from "../../rule.js";

/** The files an engine reads before everything else. */
export const baseConfig: RuleInfo = {
  code: "base-config",
  severity: "error",
  title: "WiredTiger.basecfg and WiredTiger.config are configuration an engine takes",
  doc: "No checksum guards them: their syntax is checked, the release in `version` (both numbers, not above the turtle's) and the keys of the first level. An unknown key is an error for releases whose keys are all known, and a warning for newer ones (turtle and disagg metadata §5).",
};
