/** Metadata rows before and after: every one but the planned ones is as it was, and those are what was planned. */
import { parseConfig, writeConfigValue } from "../codec/config.js";
import { configGet } from "../codec/config-edit.js";
import { CheckFailure, type CheckResult } from "./checks.js";
import type { PlannedChange } from "./types.js";

/** `also`: rows that may be other ones as well. @throws CheckFailure */
export function compareRows(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  changes: readonly PlannedChange[],
  also: ReadonlySet<string> = new Set(),
): CheckResult {
  const touched = new Set(changes.map(({ uri }) => uri));
  let same = 0;
  for (const uri of new Set([...before.keys(), ...after.keys()]))
    if (before.get(uri) === after.get(uri)) same++;
    else if (!touched.has(uri) && !also.has(uri)) throw new CheckFailure(`${uri} was not to be changed`);
  for (const [index, change] of changes.entries())
    if (!isOverruled(change, changes.slice(index + 1))) compareChange(change, after, changes);
  return { detail: `${same} rows as before; changes as planned: ${changes.length}` };
}

/** By a later change of the same key, or of the whole row. */
const isOverruled = ({ uri, key }: PlannedChange, later: readonly PlannedChange[]): boolean =>
  later.some((other) => other.uri === uri && (other.key === key || other.key === undefined));

function compareChange(
  change: PlannedChange,
  after: ReadonlyMap<string, string>,
  changes: readonly PlannedChange[],
): void {
  const { uri, key } = change;
  const value = after.get(uri) ?? null;
  const found = key === undefined || value === null ? value : keyText(value, key);
  const hasOthers = changes.some((other) => other.uri === uri && other !== change);
  if (found === change.new || (key === undefined && hasOthers)) return;
  throw new CheckFailure(
    `${uri}${key === undefined ? "" : ` ${key}`} is ${found}, planned was ${change.new}`,
  );
}

function keyText(config: string, key: string): string | null {
  const value = configGet(parseConfig(config), key);
  return value === undefined ? null : writeConfigValue(value);
}
