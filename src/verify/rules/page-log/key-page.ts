import type { RuleInfo } from "../../rule.js";

/** The key provider's page. */
export const keyPageFormat: RuleInfo = {
  code: "key-page",
  severity: "error",
  title: "key pages have a sound crypt header",
  doc: "Signature, sizes and a checksum over header and blob (crypt header and key provider). The blob itself is never shown.",
};
