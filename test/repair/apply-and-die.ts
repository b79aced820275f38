/** A process that carries out a plan in place and is killed at a point: `apply-and-die.ts PLAN JOURNAL POINT`. */
import { readFileSync } from "node:fs";
import { applyRepair, parsePlan } from "../../src/repair/index.js";

const [plan = "", journal = "", fatal = ""] = process.argv.slice(2);
applyRepair(parsePlan(readFileSync(plan, "utf8")), {
  journal,
  onPoint: (point) => {
    if (point === fatal) process.kill(process.pid, "SIGKILL");
  },
});
