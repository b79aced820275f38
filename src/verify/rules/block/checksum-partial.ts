import type { RuleInfo } from "../../rule.js";

/** Bytes that could change unnoticed. */
export const checksumPartial: RuleInfo = {
  code: "checksum-partial",
  severity: "info",
  title: "every byte of a block is under a checksum",
  doc: "With `checksum=off`, and with `checksum=uncompressed` for compressed blocks, a checksum is of the first 64 bytes only (page and block headers §3.3). The rest is inflated and its cells are walked, but a changed byte of a value is not noticed. Said once a file, or once a page log.",
};
