/** Plans of page logs as text: not trusted when they come back. */
import { RepairRefusal } from "../error.js";
import { checkPlanHead, listAt, parseJson, samePlan } from "../plan-document.js";
import type { PageLogRepairPlan } from "./types.js";

/** Whether a text is a plan of a page log, whatever else is wrong with it. */
export function isPageLogPlan(text: string): boolean {
  return parseJson(text, "plan-invalid").kind === "page-log";
}

/**
 * Reads a plan as far as is needed to make it again.
 * @throws RepairRefusal `plan-invalid`
 */
export function parsePageLogPlan(text: string): PageLogRepairPlan {
  const plan = parseJson(text, "plan-invalid");
  const { options, record, turtle, found, history } = checkPlanHead(plan, "page-log", HEADS);
  if (typeof options.dropHistory !== "boolean") throw bad("options.dropHistory is not true or false");
  if (typeof options.generation !== "string") throw bad("options.generation is missing");
  for (const key of ["before", "after", "lsn"])
    if (typeof record?.[key] !== "string") throw bad(`record.${key} is missing`);
  if (typeof turtle?.after !== "string") throw bad("turtle.after is missing");
  if (!isNumber(found?.checkpointLsn)) throw bad("found.checkpointLsn is missing");
  if (typeof history?.moved !== "number" || typeof history.dropped !== "number")
    throw bad("history is missing");
  for (const put of listAt(plan, "puts"))
    for (const key of ["lsn", "tableId", "pageId"])
      if (!isNumber(put[key])) throw bad(`${key} of a put is no number`);
  return plan as unknown as PageLogRepairPlan;
}

const HEADS = ["turtle", "record", "found", "history"];
/** 64-bit numbers are text in plans. */
const isNumber = (value: unknown): boolean => typeof value === "string" && /^\d{1,20}$/.test(value);
const bad = (message: string): RepairRefusal => new RepairRefusal("plan-invalid", message);

/** Path and evidence may differ where the same plan is made again. */
export const samePageLogRepair = (a: PageLogRepairPlan, b: PageLogRepairPlan): boolean => samePlan(a, b);
