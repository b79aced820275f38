import type { RuleInfo } from "../../rule.js";

/** Two dumped blocks of a page that do not belong together. */
export const dumpChainLink: RuleInfo = {
  code: "dump-chain-link",
  severity: "error",
  title: "each delta dumped into a server log names the checksum of the page's next older dumped block",
  doc: "A page's chain is dumped newest block first (page-log stores §5), and a delta holds the checksum of the record before it (page and block headers §3.2): another one means that a block between them is missing.",
};
