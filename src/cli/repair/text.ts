/** Plans and reports for people. */

import type {
  AppliedRepair,
  PlannedChange,
  PlannedRange,
  RepairPlan,
  RepairVerifyReport,
} from "../../repair/index.js";
import { counted } from "../../report/numbers.js";

/** Longer values are cut: the plan's JSON has them whole. */
const MAX_VALUE = 160;
const MAX_RANGES = 6;

export const lines = (parts: ReadonlyArray<string | undefined>): string =>
  `${parts.filter((part) => part !== undefined).join("\n")}\n`;
export const heading = (title: string, rows: readonly string[]): string | undefined =>
  rows.length === 0 ? undefined : `${title}\n${rows.map((row) => `  ${row}`).join("\n")}`;

export function describePlan(plan: RepairPlan): string {
  const { found, metadata, options } = plan;
  const { length, blocks, freed, extents } = metadata;
  return lines([
    `Plan of a repair of ${plan.path}`,
    heading("Found", [
      `engine ${found.engine}; ${found.rows} metadata rows on ${found.pages} pages, ${found.levels} levels; newest checkpoint ${found.checkpoint}`,
      ...found.duplicateIds.map(({ id, uris }) => `id ${id} is that of ${uris.join(" and ")}`),
    ]),
    heading("Changes", plan.changes.flatMap(changeLines)),
    heading(
      "New files",
      plan.files.map(
        ({ name, size, rows, sha256 }) =>
          `${name}: ${size} bytes, ${rows} rows, sha256 ${sha256.slice(0, 16)}…`,
      ),
    ),
    heading(`Blocks appended to ${metadata.file}, ${length.before} to ${length.after} bytes`, [
      ...blocks.map(
        ({ role, offset, size, checksum, sha256 }) =>
          `${role} at ${offset}, ${size} bytes, checksum ${checksum}, sha256 ${sha256.slice(0, 16)}…`,
      ),
    ]),
    heading(
      "No longer used",
      freed.map(({ role, offset, size }) => `${role} at ${offset}, ${size} bytes`),
    ),
    heading(
      "Extents",
      (["alloc", "avail", "discard"] as const).map(
        (name) => `${name}: ${rangesText(extents.before[name])} → ${rangesText(extents.after[name])}`,
      ),
    ),
    heading("Checkpoint", [
      `${metadata.checkpoint} ${metadata.mode === "replace" ? "takes the place of" : "is added behind"} ${found.checkpoint}, at ${new Date(options.time * 1000).toISOString()}`,
    ]),
    heading(
      "Conditions",
      plan.preconditions.map(({ code, evidence }) => `${code}: ${evidence}`),
    ),
    heading("Afterwards", plan.afterwards),
  ]);
}

export function changeLines({ uri, key, old, new: next, why }: PlannedChange): string[] {
  const what = key === undefined ? uri : `${uri} ${key}`;
  const reason = why === undefined ? [] : [`  because ${why}`];
  if (old === null) return [`${what}: new row`, `  ${cut(next ?? "")}`, ...reason];
  if (next === null) return [`${what}: removed`, `  was ${cut(old)}`, ...reason];
  return [`${what}: ${cut(old) || "(empty)"} → ${cut(next) || "(empty)"}`, ...reason];
}

const cut = (text: string): string =>
  text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE)}… (${text.length} characters)`;

function rangesText(ranges: readonly PlannedRange[]): string {
  if (ranges.length === 0) return "none";
  const shown = ranges.slice(0, MAX_RANGES).map(({ offset, size }) => `${offset}+${size}`);
  const more = ranges.length > MAX_RANGES ? ` and ${ranges.length - MAX_RANGES} more` : "";
  return `${shown.join(" ")}${more}`;
}

export function describeApplied({ path, journal, plan }: AppliedRepair): string {
  return lines([
    `${path} is repaired: ${counted(plan.changes.length, "change")}, published as ${plan.metadata.checkpoint}`,
    journal === undefined ? undefined : `journal: ${journal}`,
    journal === undefined ? undefined : `to take it back: pugmark repair undo ${journal}`,
    heading("Afterwards", plan.afterwards),
  ]);
}

export function describeReport({ path, ok, checks, engine, findings }: RepairVerifyReport): string {
  const alone = engine.asked ? "" : `, but no engine was asked (${engine.why}): this is pugmark's word alone`;
  const sign = { passed: "ok      ", failed: "FAILED  ", skipped: "skipped " };
  return lines([
    ...checks.map(({ name, state, detail }) => `${sign[state]}${name}: ${detail}`),
    heading(
      "Findings",
      findings
        .slice(0, 20)
        .map(({ severity, code, path: file, message }) => `${severity} ${code}: ${file ?? ""}: ${message}`),
    ),
    ok ? `${path}: CLEAN${alone}` : `${path}: NOT CLEAN`,
  ]);
}
