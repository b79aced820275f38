import type { RuleInfo } from "../../rule.js";

/** Bytes that are no block at all. */
export const blockUnreadable: RuleInfo = {
  code: "block-unreadable",
  severity: "error",
  title: "every record of a table is a block",
  doc: "A page header and a block header with the magic of an image or a delta (page and block headers §3).",
};

/** A block that cannot be decrypted or inflated. */
export const pageInflate: RuleInfo = {
  code: "page-inflate",
  severity: "error",
  title: "compressed pages inflate to exactly mem_size bytes",
  doc: "Decryption, then decompression from byte 64 on; success alone proves nothing, so length and cells are checked too (page and block headers §3.3).",
};
