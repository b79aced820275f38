import { DatabaseNode, openWritablePageLog, packStruct } from "../src/index.js";
import { rmSync } from "node:fs";
const [dir, rows, cps, edits] = [process.argv[2]!, ...process.argv.slice(3).map(Number)] as [string, number, number, number];
rmSync(dir, { recursive: true, force: true });
const log = openWritablePageLog(dir, { create: true });
const leader = DatabaseNode.open(log, {});
const text = (v: string) => packStruct("S", [v]);
const key = (i: number) => text(`key${String(i).padStart(8, "0")}`);
leader.createTable("t", { keyFormat: "S", valueFormat: "S" }).load(Array.from({ length: rows }, (_, i) => ({ key: key(i), value: text("v".repeat(80) + i) })));
leader.checkpoint();
for (let c = 1; c < cps; c++) {
  const e = Array.from({ length: edits }, (_, i) => (c * 7919 + i * 104729) % rows);
  leader.table("t").edit([...new Set(e)].sort((a, b) => a - b).map((i) => ({ key: key(i), value: text(`new${c}`) })));
  leader.checkpoint();
}
log.close();
