/** Plans of page logs for people. */
import type { AppliedPageLogRepair, PageLogRepairPlan } from "../../repair/index.js";
import { counted } from "../../report/numbers.js";
import { changeLines, heading, lines } from "./text.js";

export function describePageLogPlan(plan: PageLogRepairPlan): string {
  const { found, changes, history, puts, record, turtle, preconditions, afterwards } = plan;
  return lines([
    `Plan of a repair of ${plan.path}`,
    heading("Found", [
      `${found.store}; generation ${found.generation}; ${found.rows} rows in the shared metadata; newest checkpoint at LSN ${found.checkpointLsn}`,
      ...found.duplicateIds.map(({ id, uris }) => `id ${id} is that of ${uris.join(" and ")}`),
    ]),
    heading("Changes", changes.flatMap(changeLines)),
    heading(
      "History records",
      history.moved + history.dropped === 0 ? [] : [`${history.moved} moved, ${history.dropped} given up`],
    ),
    heading(
      "Records put, in this order",
      puts.map(
        ({ lsn, tableId, pageId, kind, size, backlinkLsn, sha256 }) =>
          `LSN ${lsn}: ${kind} of table ${tableId} page ${pageId}, ${size} bytes, behind LSN ${backlinkLsn}, sha256 ${sha256.slice(0, 16)}…`,
      ),
    ),
    heading("Turtle page", [`before ${turtle.before.trim()}`, `after  ${turtle.after.trim()}`]),
    heading(`Completion record, at LSN ${record.lsn}`, [`before ${record.before}`, `after  ${record.after}`]),
    heading(
      "Conditions",
      preconditions.map(({ code, evidence }) => `${code}: ${evidence}`),
    ),
    heading("Afterwards", afterwards),
  ]);
}

export function describePageLogApplied({ path, plan }: AppliedPageLogRepair): string {
  return lines([
    `${path}: ${counted(plan.changes.length, "change")} in ${counted(plan.puts.length, "record")}, published at LSN ${plan.record.lsn}`,
    heading("Afterwards", plan.afterwards),
  ]);
}
