/** Plans as text: written for people to read, and not trusted when they come back. */
import { basename } from "node:path";
import { RepairRefusal } from "./error.js";
import type { PageLogRepairPlan } from "./page-log/types.js";
import type { ClassicRepairPlan, RepairEdit, RepairPlan } from "./types.js";

export const planText = (plan: RepairPlan | PageLogRepairPlan): string =>
  `${JSON.stringify(plan, undefined, 2)}\n`;

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a plan. Only what is needed to make it again is looked at here: whether the rest is what these edits lead to
 * is found out when it is applied.
 * @throws RepairRefusal `plan-invalid`
 */
export function parsePlan(text: string): RepairPlan {
  const plan = parseJson(text, "plan-invalid");
  const { options, turtle } = checkPlanHead(plan, "classic", ["turtle"]);
  for (const key of ["keepCheckpoint", "dropHistory"])
    if (typeof options[key] !== "boolean") throw bad(`options.${key} is not true or false`);
  if (typeof turtle?.before !== "string" || typeof turtle.after !== "string") throw bad("turtle is missing");
  for (const file of listAt(plan, "files")) {
    checkFields("a file", file, FILE_FIELDS);
    if (basename(String(file.name)) !== file.name) throw bad(`${file.name} is no name of a file`);
  }
  return plan as unknown as ClassicRepairPlan;
}

/**
 * What plans of all kinds have in common; gives the objects `names`, and `options`.
 * @throws RepairRefusal `plan-invalid`
 */
export function checkPlanHead(
  plan: Json,
  kind: string,
  names: readonly string[],
): Readonly<Record<string, Json>> & { readonly options: Json } {
  if (plan.document !== "pugmark-repair-plan") throw bad("it does not say that it is a plan");
  if (plan.schemaVersion !== 1)
    throw bad(`schema version ${JSON.stringify(plan.schemaVersion) ?? "none"} is not known`);
  if (plan.kind !== kind) throw bad(`plans of kind ${JSON.stringify(plan.kind) ?? "none"} are not known`);
  if (typeof plan.path !== "string") throw bad("path is missing");
  const options = objectAt(plan, "options");
  if (!Number.isSafeInteger(options.time) || (options.time as number) < 0)
    throw bad("options.time is no number of seconds");
  if (!Array.isArray(plan.edits) || plan.edits.length === 0) throw bad("there are no edits");
  for (const edit of plan.edits) checkEdit(edit);
  for (const change of listAt(plan, "changes")) checkFields("a change", change, CHANGE_FIELDS);
  return { ...Object.fromEntries(names.map((name) => [name, objectAt(plan, name)])), options };
}

export function parseJson(text: string, code: "plan-invalid" | "journal-invalid"): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RepairRefusal(code, `not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new RepairRefusal(code, "not a JSON object");
  return value as Json;
}

const bad = (message: string): RepairRefusal => new RepairRefusal("plan-invalid", message);

function objectAt(of: Json, key: string): Json {
  const value = of[key];
  if (typeof value !== "object" || value === null) throw bad(`${key} is missing`);
  return value as Json;
}

/** @throws RepairRefusal `plan-invalid` unless there is a list of objects */
export function listAt(of: Json, key: string): Json[] {
  const value = of[key];
  const whole = Array.isArray(value) && value.every((item) => typeof item === "object" && item !== null);
  if (!whole) throw bad(`${key} is missing`);
  return value;
}

/** What each field has to be, as `typeof` says it, or null. */
type Fields = Readonly<Record<string, readonly string[]>>;
const CHANGE_FIELDS: Fields = {
  uri: ["string"],
  key: ["string", "undefined"],
  old: ["string", "null"],
  new: ["string", "null"],
};
const FILE_FIELDS: Fields = { name: ["string"], sha256: ["string"] };

function checkFields(what: string, value: Json, fields: Fields): void {
  for (const [name, types] of Object.entries(fields))
    if (!types.includes(value[name] === null ? "null" : typeof value[name]))
      throw bad(`${name} of ${what} is no ${types.join(" or ")}`);
}

/** By edit: fields that have to be text, and such that may be. */
const EDIT_FIELDS: Readonly<
  Record<RepairEdit["edit"], { readonly need: readonly string[]; readonly may?: readonly string[] }>
> = {
  set: { need: ["uri", "key", "value"] },
  "change-id": { need: ["uri", "id"] },
  insert: { need: ["uri", "config"] },
  remove: { need: ["uri"] },
  "create-table": { need: ["name", "config"], may: ["rows"] },
  "fix-duplicates": { need: [] },
  "fix-checkpoint-size": { need: [] },
};

function checkEdit(value: unknown): void {
  const edit = typeof value === "object" && value !== null ? (value as Json) : {};
  const name = String(edit.edit);
  if (!Object.hasOwn(EDIT_FIELDS, name))
    throw bad(`there is no edit ${JSON.stringify(edit.edit) ?? "without a name"}`);
  const { need, may = [] } = EDIT_FIELDS[name as RepairEdit["edit"]];
  for (const field of need) if (typeof edit[field] !== "string") throw bad(`${name} needs ${field}`);
  for (const field of may)
    if (edit[field] !== undefined && typeof edit[field] !== "string")
      throw bad(`${field} of ${name} is no text`);
  const odd = Object.keys(edit).find(
    (field) => field !== "edit" && !need.includes(field) && !may.includes(field),
  );
  if (odd !== undefined) throw bad(`${name} has no ${odd}`);
}

/** Path and evidence may differ where the same plan is made again; everything else may not. */
export const sameRepair = (a: RepairPlan, b: RepairPlan): boolean => samePlan(a, b);

export function samePlan(a: object, b: object): boolean {
  const core = (plan: object): string => canonical({ ...plan, path: "", preconditions: [] });
  return core(a) === core(b);
}

/** JSON with the keys of every object in order. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
