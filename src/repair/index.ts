/** PIT repair writes: a plan first, then a copy or an in-place write that can be taken back. Node only. */
import { preparePageLogRepair } from "./page-log/prepare.js";
import type { PageLogRepairOptions, PageLogRepairPlan } from "./page-log/types.js";
import { type PreparedRepair, prepareRepair } from "./prepare.js";
import type { RepairEdit, RepairOptions, RepairPlan } from "./types.js";

export { type AppliedRepair, type ApplyOptions, applyRepair } from "./apply.js";
export type { CheckState, RepairCheck } from "./checks.js";
export { type RefusalCode, RepairRefusal, refusals } from "./error.js";
export { type RepairJournal, readJournal } from "./journal.js";
export {
  type AppliedPageLogRepair,
  applyPageLogRepair,
  type PageLogApplyOptions,
} from "./page-log/apply.js";
export { isPageLogPlan, parsePageLogPlan } from "./page-log/plan-document.js";
export type { PageLogRepairOptions, PageLogRepairPlan, PlannedPut } from "./page-log/types.js";
export { type PageLogVerifyOptions, verifyPageLogRepair } from "./page-log/verify.js";
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
  type EngineAsked,
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

/**
 * What a repair of a page log would put, and why it may be done. Changes nothing.
 * @throws RepairRefusal with the reason not to
 * @throws InputError when it cannot be opened
 */
export const planPageLogRepair = (
  path: string,
  edits: readonly RepairEdit[],
  options?: PageLogRepairOptions,
): PageLogRepairPlan => preparePageLogRepair(path, edits, options).plan;
