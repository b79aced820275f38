/** Values of declared records (config-schema.ts): read from configuration text, checked, generated, to and from JSON. */
import { type ConfigBlock, type ConfigEntry, configText, writeConfig, writeConfigValue } from "./config.js";
import { configEntry } from "./config-edit.js";
import {
  type ConfigInfer,
  type ConfigNode,
  keyOf,
  type NamedNode,
  type RecordNode,
  type ScalarNode,
  sampleText,
  type TupleNode,
  typeError,
} from "./config-schema.js";
import type { FieldDescription } from "./describe.js";
import { FormatError, joinPath } from "./error.js";
import { defined, type Issue } from "./issue.js";
import type { RandomSource } from "./random.js";

export interface TextContext {
  /** Where the text begins in the input, in bytes. */
  readonly base: number;
  readonly params: Readonly<Record<string, number>>;
  readonly issues: Issue[];
}
export type Values = Record<string, unknown>;

/** A field with its place in the text. */
export interface Slot {
  readonly name: string;
  readonly node: ConfigNode;
  readonly key: string;
  /** Keys from the record to the value; more than one where `at` is declared. */
  readonly at: readonly string[];
}
interface Plan {
  readonly slots: readonly Slot[];
  /** Slot (or the first of several) by the key it has in the record itself, aliases included. */
  readonly byKey: ReadonlyMap<string, Slot>;
}

const plans = new WeakMap<RecordNode, Plan>();

export function planOf(node: RecordNode): Plan {
  let plan = plans.get(node);
  if (plan === undefined) {
    plan = makePlan(node);
    plans.set(node, plan);
  }
  return plan;
}

function makePlan(node: RecordNode): Plan {
  const slots = node.fields.map(([name, field]): Slot => {
    const key = keyOf(name, field);
    return { name, node: field, key, at: field.at ?? [key] };
  });
  const byKey = new Map<string, Slot>();
  for (const slot of slots) {
    for (const key of [slot.at[0]!, ...(slot.node.aliases ?? [])]) if (!byKey.has(key)) byKey.set(key, slot);
  }
  return { slots, byKey };
}

/**
 * The value of a record. What can be told apart from the rest is reported in `context.issues`: broken rules, a bad
 * optional key (left out, its text kept in `other`), duplicates.
 * @throws FormatError `missing-key`, `config-shape`, `config-number…` for keys the value cannot do without.
 */
export function readRecord<N extends RecordNode>(
  node: N,
  block: ConfigBlock,
  context: TextContext,
  path = "",
): ConfigInfer<N> {
  const { slots, byKey } = planOf(node);
  const { found, other } = sortEntries(node, block, byKey, context, path);
  const value: Values = {};
  try {
    readSlots(slots, found, block, other, value, context, path);
  } catch (error) {
    if (error instanceof FormatError) throw gateError(node, value, block, context) ?? error;
    throw error;
  }
  if (other.length > 0) value.other = other;
  checkRules(node, value, block, context, path);
  return value as ConfigInfer<N>;
}

function readSlots(
  slots: readonly Slot[],
  found: ReadonlyMap<Slot, ConfigEntry>,
  block: ConfigBlock,
  other: string[],
  value: Values,
  context: TextContext,
  path: string,
): void {
  for (const slot of slots) {
    const entry = slot.at.length > 1 ? configEntry(block, slot.at) : found.get(slot);
    const read =
      entry === undefined || isAbsent(slot.node, entry) ? undefined : readSlot(slot, entry, context, path);
    if (read === BAD) other.push(writeEntry(entry as ConfigEntry));
    const kept = read === BAD || read === undefined ? slot.node.fallback : read;
    if (kept !== undefined) value[slot.name] = kept;
    else if (slot.node.optional !== true) throw missingKey(slot);
  }
}

/** A text written for newer readers may lack what this one needs: then its version is what to complain about. */
function gateError(
  node: RecordNode,
  value: Values,
  block: ConfigBlock,
  context: TextContext,
): FormatError | undefined {
  const issues: Issue[] = [];
  const rules = node.rules.filter(({ gate }) => gate === true);
  checkRules({ ...node, rules }, value, block, { ...context, issues }, "");
  return issues[0] === undefined ? undefined : new FormatError(issues[0]);
}

const BAD = Symbol("unreadable");

function sortEntries(
  node: RecordNode,
  block: ConfigBlock,
  byKey: ReadonlyMap<string, Slot>,
  context: TextContext,
  path: string,
): { found: Map<Slot, ConfigEntry>; other: string[] } {
  const found = new Map<Slot, ConfigEntry>();
  const other: string[] = [];
  const strangers = new Set<string>();
  for (const entry of block.entries) {
    const slot = byKey.get(entry.key);
    if (slot === undefined) {
      if (strangers.has(entry.key)) reportDuplicate(node, entry, context, path);
      strangers.add(entry.key);
      other.push(writeEntry(entry));
      continue;
    }
    if (found.has(slot)) reportDuplicate(node, entry, context, path);
    found.set(slot, entry);
  }
  return { found, other };
}

function reportDuplicate(node: RecordNode, entry: ConfigEntry, context: TextContext, path: string): void {
  context.issues.push({
    code: "duplicate-key",
    severity: node.duplicates === "fatal" ? "error" : "info",
    path: joinPath(path, entry.key),
    offset: context.base + entry.offset,
    message: `the key ${entry.key || "(struct)"} comes more than once`,
  });
}

/** `key=` without a value: no struct and no item. */
function isAbsent(node: ConfigNode, entry: ConfigEntry): boolean {
  return entry.value.kind === "empty" && (node.kind === "record" || node.kind === "tuple");
}

/** Keys as a path; a struct without a key stands first where it is declared. */
const keyPath = (keys: readonly string[]): string =>
  keys.reduceRight((rest, key) => joinPath(key || "[0]", rest), "");

/** The value of a key; a bad optional one is reported and gives BAD, a bad mandatory one throws. */
function readSlot(slot: Slot, entry: ConfigEntry, context: TextContext, path: string): unknown {
  const key = keyPath(slot.at.length > 1 ? slot.at : [entry.key]);
  try {
    const value = readNode(slot.node, entry, context, joinPath(path, key));
    checkBounds(slot.node, value, entry, context, joinPath(path, key));
    return value;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    error.offset ??= context.base + entry.value.offset;
    if (slot.node.optional !== true) throw error.within(key);
    error.within(joinPath(path, key));
    const { code, offset, message, expected, actual } = error;
    const issue = { code, severity: "error", path: error.path, offset, message, expected, actual } as const;
    context.issues.push(defined(issue) as Issue);
    return BAD;
  }
}

function readNode(node: ConfigNode, entry: ConfigEntry, context: TextContext, path: string): unknown {
  switch (node.kind) {
    case "scalar":
      return readScalar(node, entry);
    case "raw":
      return writeConfigValue(entry.value);
    case "record":
      return readRecord(node, structOf(entry, node.kind), context, path);
    case "named":
      return entry.value.kind === "empty" ? [] : readNamed(node, structOf(entry, "struct"), context, path);
    case "tuple":
      return readTuple(node, structOf(entry, node.kind));
  }
}

export function readScalar(node: ScalarNode, entry: ConfigEntry): unknown {
  const { value } = entry;
  const text = configText(value);
  if (text === undefined) throw shapeError(`a ${node.type}`, "a struct");
  if (value.kind === "alone" && node.type !== "boolean") throw shapeError(`a ${node.type}`, "a key alone");
  return node.read(text);
}

function structOf(entry: ConfigEntry, wanted: string): ConfigBlock {
  if (entry.value.kind === "struct") return entry.value;
  throw shapeError(
    `a ${wanted} in parentheses`,
    entry.value.kind === "alone" ? "a key alone" : "a single value",
  );
}

function readNamed(node: NamedNode, block: ConfigBlock, context: TextContext, path: string): unknown[] {
  return block.entries.map((entry) => {
    try {
      const of = structOf(entry, "struct");
      return { name: entry.key, ...(readRecord(node.of, of, context, joinPath(path, entry.key)) as Values) };
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      error.offset ??= context.base + entry.value.offset;
      throw error.within(entry.key);
    }
  });
}

function readTuple(node: TupleNode, block: ConfigBlock): Values {
  const { entries } = block;
  if (entries.length !== node.items.length || entries.some(({ value }) => value.kind !== "alone"))
    throw shapeError(`${node.items.length} bare items`, `(${writeConfig(block).slice(0, 40)})`);
  return Object.fromEntries(node.items.map(([name, item], at) => [name, item.read(entries[at]!.key)]));
}

function checkBounds(
  node: ConfigNode,
  value: unknown,
  entry: ConfigEntry,
  context: TextContext,
  path: string,
): void {
  if (node.kind !== "scalar" || (node.min === undefined && node.max === undefined)) return;
  const number = value as number | bigint;
  const low = node.min !== undefined && number < node.min;
  if (!low && !(node.max !== undefined && number > node.max)) return;
  context.issues.push({
    code: "value-range",
    severity: "error",
    path,
    offset: context.base + entry.value.offset,
    message: `${number} is ${low ? "below" : "above"} the ${low ? "smallest" : "largest"} valid value`,
    expected: low ? `at least ${node.min}` : `at most ${node.max}`,
    actual: number,
  });
}

function checkRules(
  node: RecordNode,
  value: Values,
  block: ConfigBlock,
  context: TextContext,
  path: string,
): void {
  const has = (key: string) => block.entries.some((entry) => entry.key === key);
  for (const rule of node.rules) {
    const violation = rule.check(value, { params: context.params, has });
    if (violation === undefined) continue;
    const { path: key = "", message = rule.doc, expected, actual } = violation;
    const at = key === "" ? undefined : configEntry(block, key);
    const offset = at === undefined ? undefined : context.base + at.value.offset;
    const { code, severity = "error" } = rule;
    context.issues.push(
      defined({ code, severity, path: joinPath(path, key), offset, message, expected, actual }) as Issue,
    );
  }
}

/** An entry as text, without what stands in front of it. */
export function writeEntry(entry: ConfigEntry): string {
  return `${entry.keyRaw}${entry.assign}${writeConfigValue(entry.value)}`;
}

function shapeError(expected: string, actual: string): FormatError {
  return new FormatError({
    code: "config-shape",
    message: `${expected} is needed, found ${actual}`,
    expected,
    actual,
  });
}

function missingKey(slot: Slot): FormatError {
  const path = keyPath(slot.at);
  return new FormatError({
    code: "missing-key",
    message: `the key ${path} is missing`,
    path,
    expected: slot.key,
  });
}

export function recordToJson(node: RecordNode, value: Values): Values {
  const json: Values = {};
  for (const [name, field] of node.fields) {
    if (value[name] !== undefined) json[name] = nodeToJson(field, value[name]);
  }
  if (value.other !== undefined) json.other = value.other;
  return json;
}

function nodeToJson(node: ConfigNode, value: unknown): unknown {
  switch (node.kind) {
    case "scalar":
      return node.toJson(value as never);
    case "raw":
      return value;
    case "record":
      return recordToJson(node, value as Values);
    case "named":
      return (value as Values[]).map((item) => ({ name: item.name, ...recordToJson(node.of, item) }));
    case "tuple":
      return Object.fromEntries(
        node.items.map(([name, item]) => [name, item.toJson((value as Values)[name] as never)]),
      );
  }
}

/** @throws FormatError `value-type`, `unknown-field`, `missing-key` with the path of the value. */
export function recordFromJson(node: RecordNode, json: unknown, ignore: readonly string[] = []): Values {
  const object = objectOf(json);
  const fields = new Map(node.fields);
  const value: Values = {};
  for (const [name, item] of Object.entries(object)) {
    if (item === undefined || ignore.includes(name)) continue;
    const field = fields.get(name);
    if (field !== undefined) value[name] = within(name, () => nodeFromJson(field, item));
    else if (name === "other") value.other = within(name, () => fragments(item));
    else throw new FormatError({ code: "unknown-field", message: `no field is called ${name}`, path: name });
  }
  for (const [name, field] of node.fields) {
    if (value[name] !== undefined) continue;
    if (field.fallback !== undefined) value[name] = field.fallback;
    else if (field.optional !== true)
      throw new FormatError({ code: "missing-key", message: `the field ${name} is missing`, path: name });
  }
  return value;
}

function nodeFromJson(node: ConfigNode, json: unknown): unknown {
  switch (node.kind) {
    case "scalar":
      return node.fromJson(json);
    case "raw":
      if (typeof json !== "string")
        throw typeError("configuration text is given as a string", "string", json);
      return json;
    case "record":
      return recordFromJson(node, json);
    case "named":
      if (!Array.isArray(json)) throw typeError("a list is needed", "array", json);
      return json.map((item, index) => within(index, () => namedFromJson(node, item)));
    case "tuple":
      return tupleFromJson(node, objectOf(json));
  }
}

function namedFromJson(node: NamedNode, json: unknown): Values {
  const { name } = objectOf(json);
  if (typeof name !== "string") throw typeError("a name is needed", "string", name).within("name");
  return { name, ...recordFromJson(node.of, json, ["name"]) };
}

function tupleFromJson(node: TupleNode, json: Values): Values {
  return Object.fromEntries(
    node.items.map(([name, item]) => [name, within(name, () => item.fromJson(json[name]))]),
  );
}

export function objectOf(json: unknown): Values {
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw typeError("an object is needed", "object", json);
  return json as Values;
}

function fragments(json: unknown): string[] {
  if (Array.isArray(json) && json.every((item) => typeof item === "string")) return json;
  throw typeError("a list of configuration texts is needed", "array of strings", json);
}

export function within<T>(step: string | number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof FormatError ? error.within(step) : error;
  }
}

/** A random value; `only` limits the fields to those a generation has. */
export function generateRecord(node: RecordNode, random: RandomSource, only?: readonly string[]): Values {
  const value: Values = {};
  for (const [name, field] of node.fields) {
    const wanted =
      (only === undefined || only.includes(name)) && (field.optional !== true || random.below(3) > 0);
    const made = wanted ? generateNode(field, random) : field.fallback;
    if (made !== undefined) value[name] = made;
  }
  if (random.below(6) === 0)
    value.other = [`zz_${random.below(1000)}=${random.below(2) === 0 ? "" : "(a,b=1)"}`];
  return value;
}

function generateNode(node: ConfigNode, random: RandomSource): unknown {
  switch (node.kind) {
    case "scalar":
      return node.generate(random);
    case "raw":
      return ["", "none", "(a=1,b)", "[]", '"x y"'][random.below(5)];
    case "record":
      return generateRecord(node, random);
    case "named":
      return Array.from({ length: random.below(4) }, (_, index) => ({
        name: random.below(12) === 0 ? sampleText(random) : node.sampleName(random, index),
        ...generateRecord(node.of, random),
      }));
    case "tuple":
      return Object.fromEntries(node.items.map(([name, item]) => [name, item.generate(random)]));
  }
}

export function describeRecord(node: RecordNode, only?: readonly string[]): FieldDescription[] {
  return planOf(node)
    .slots.filter(({ name }) => only === undefined || only.includes(name))
    .map(describeSlot);
}

function describeSlot({ name, node, at }: Slot): FieldDescription {
  const inner = node.kind === "record" ? node : node.kind === "named" ? node.of : undefined;
  const doc = [node.doc, symbolText(node), aliasText(node), sinceText(node), absentText(node)]
    .filter((part) => part !== undefined)
    .join(". ");
  return {
    name,
    type: `${at.map((key) => key || "(…)").join(".")}= ${typeOf(node)}`,
    ...(doc === "" ? {} : { doc }),
    ...(node.min === undefined ? {} : { min: node.min }),
    ...(node.max === undefined ? {} : { max: node.max }),
    ...(inner === undefined ? {} : { fields: describeRecord(inner) }),
  };
}

function typeOf(node: ConfigNode): string {
  switch (node.kind) {
    case "scalar":
      return `${node.type}${node.quoted ? ", quoted" : ""}`;
    case "raw":
      return "any value, as its text";
    case "record":
      return "struct";
    case "named":
      return "structs under names, in order";
    case "tuple":
      return `(${node.items.map(([name]) => name).join(",")})`;
  }
}

const symbolText = ({ symbols }: ConfigNode): string | undefined =>
  symbols === undefined
    ? undefined
    : Object.entries(symbols)
        .map(([value, meaning]) => `${value}: ${meaning}`)
        .join(", ");

const aliasText = ({ aliases = [] }: ConfigNode): string | undefined =>
  aliases.length === 0 ? undefined : `Also written ${aliases.map((key) => `${key}=`).join(", ")}`;

const sinceText = ({ since }: ConfigNode): string | undefined =>
  since === undefined ? undefined : `Known to readers from version ${since} on`;

function absentText(node: ConfigNode): string | undefined {
  if (node.fallback !== undefined) return `Absent: ${node.fallback}`;
  return node.optional === true ? "May be absent" : undefined;
}
