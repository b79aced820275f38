import type { RuleInfo } from "../../rule.js";

/** The cookie of a checkpoint. */
export const checkpointCookieFormat: RuleInfo = {
  code: "checkpoint-cookie",
  severity: "error",
  title: "every checkpoint's cookie can be read",
  doc: "Four addresses and two sizes in hex (address and checkpoint cookies §4).",
};
