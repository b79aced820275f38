import type { RuleInfo } from "../../rule.js";

export const turtleFileVersion: RuleInfo = {
  code: "turtle-file-version",
  severity: "error",
  title: "the turtle's version text is that of the file WiredTiger",
  doc: "Nothing guards the turtle with a checksum: its texts are compared with each other and with the second line of WiredTiger (turtle and disagg metadata §4).",
};
