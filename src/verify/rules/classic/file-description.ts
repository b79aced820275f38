import type { RuleInfo } from "../../rule.js";

/** The first allocation unit of a file. */
export const fileDescription: RuleInfo = {
  code: "file-description",
  severity: "error",
  title: "a file begins with a sound description block",
  doc: "Magic number, version and a checksum over the whole allocation unit (classic file format §1). The engine opens no file without it.",
};
