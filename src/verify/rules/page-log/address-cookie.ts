import type { RuleInfo } from "../../rule.js";

/** The bytes of a cookie. */
export const addressFormat: RuleInfo = {
  code: "address-cookie",
  severity: "error",
  title: "every address cookie can be read",
  doc: "Page id, LSN, size and checksum in packed form, all bytes used (address and checkpoint cookies §1).",
};
