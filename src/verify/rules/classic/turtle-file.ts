import type { RuleInfo } from "../../rule.js";

export const turtleFileFormat: RuleInfo = {
  code: "turtle-file",
  severity: "error",
  title: "the turtle file can be read and agrees with itself",
  doc: "Key and value lines; the version numbers are those in the version text; the metadata file's configuration has its checkpoint (turtle and disagg metadata §4). No checksum guards it.",
};
