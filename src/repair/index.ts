/** PIT repair writes: a plan first, then a copy or an in-place write that can be taken back. Node only. */
import { type PreparedRepair, prepareRepair } from "./prepare.js";
import type { RepairEdit, RepairOptions, RepairPlan } from "./types.js";

export { type AppliedRepair, type ApplyOptions, applyRepair } from "./apply.js";
export { type RefusalCode, RepairRefusal, refusals } from "./error.js";
export { type RepairJournal, readJournal } from "./journal.js";
export { parsePlan, planText } from "./plan-document.js";
export { type RepairHook, type RepairPoint, repairPoints } from "./points.js";
export type {
  ClassicRepairPlan,
  PlannedBlock,
  PlannedChange,
  PlannedFile,
  PlannedLists,
  PlannedRange,
  Precondition,
  RepairEdit,
  RepairOptions,
  RepairPlan,
} from "./types.js";
export { type UndoneRepair, type UndoOptions, undoRepair } from "./undo.js";
export {
  type CheckState,
  type RepairCheck,
  type RepairVerifyOptions,
  type RepairVerifyReport,
  verifyRepair,
} from "./verify.js";
export type { PreparedRepair };

/**
 * What a repair of a classic directory would write, and why it may be done. Changes nothing.
 * @throws RepairRefusal with the reason not to
 * @throws InputError when there is no such directory
 */
export const planRepair = (path: string, edits: readonly RepairEdit[], options?: RepairOptions): RepairPlan =>
  prepareRepair(path, edits, options).plan;
