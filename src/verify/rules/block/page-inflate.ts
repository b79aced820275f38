import type { RuleInfo } from "../../rule.js";

/** A block that cannot be decrypted or inflated. */
export const pageInflate: RuleInfo = {
  code: "page-inflate",
  severity: "error",
  title: "compressed pages inflate to exactly mem_size bytes",
  doc: "Decryption, then decompression from byte 64 on; success alone proves nothing, so length and cells are checked too (page and block headers §3.3).",
};
