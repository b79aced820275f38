import type { RuleInfo } from "../../rule.js";

/** A corruption dump in a server log. */
export const dumpChecksum: RuleInfo = {
  code: "dump-checksum",
  severity: "error",
  title: "a block dumped into a server log has the checksum the log line announces",
  doc: "The line names the checksum of the address the engine followed (page-log stores §5); another one means that the block read was not the block meant.",
};
