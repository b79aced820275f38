/**
 * Makes the compact truth of a log file: `npx tsx tools/log-truth.ts PRINTLOG OUTPUT`, where PRINTLOG is the output
 * of `wt printlog -x`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parsePrintlog, truthLine } from "./corpus/printlog.js";

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) throw new Error("usage: log-truth PRINTLOG OUTPUT");
writeFileSync(to, `${parsePrintlog(readFileSync(from, "latin1")).map(truthLine).join("\n")}\n`);
