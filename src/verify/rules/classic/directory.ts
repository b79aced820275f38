import type { RuleInfo } from "../../rule.js";

export const turtleFileMissing: RuleInfo = {
  code: "turtle-file-missing",
  severity: "error",
  title: "a home has a turtle file",
  doc: "WiredTiger.turtle leads to the metadata. Without it engines rename WiredTiger.wt and start empty (repair writes §2).",
};

export const turtleFileFormat: RuleInfo = {
  code: "turtle-file",
  severity: "error",
  title: "the turtle file can be read and agrees with itself",
  doc: "Key and value lines; the version numbers are those in the version text; the metadata file's configuration has its checkpoint (turtle and disagg metadata §4). No checksum guards it.",
};

export const turtleFileVersion: RuleInfo = {
  code: "turtle-file-version",
  severity: "error",
  title: "the turtle's version text is that of the file WiredTiger",
  doc: "Nothing guards the turtle with a checksum: its texts are compared with each other and with the second line of WiredTiger (turtle and disagg metadata §4).",
};

export const metadataFileMissing: RuleInfo = {
  code: "metadata-file-missing",
  severity: "error",
  title: "every file the metadata names is there",
  doc: "file: rows name files of the home (classic file format §5).",
};

export const metadataFileUnlisted: RuleInfo = {
  code: "metadata-file-unlisted",
  severity: "info",
  title: "every table file is in the metadata",
  doc: "A file nothing names: left from a crash during create or drop; the engine ignores it (repair writes §3).",
};

export const metadataIncomplete: RuleInfo = {
  code: "metadata-incomplete",
  severity: "error",
  title: "every row of the metadata can be read",
  doc: "The metadata tree is read from its root to its leaves; damaged pages hide the tables on them.",
};
