/** Values of declared records (config-schema.ts) written as configuration text: anew, or into the text they came from. */
import {
  type ConfigBlock,
  type ConfigEntry,
  type ConfigStruct,
  type ConfigValue,
  parseConfig,
  writeConfigValue,
} from "./config.js";
import { configEntry } from "./config-edit.js";
import { planOf, type Slot, type Values, within, writeEntry } from "./config-record.js";
import {
  type ConfigNode,
  type NamedNode,
  type RecordNode,
  type ScalarNode,
  type TupleNode,
  typeError,
} from "./config-schema.js";
import { quote, quoteIfNeeded } from "./config-token.js";
import { FormatError } from "./error.js";

/**
 * The text of a record, keys in declared order. `only` names the fields a generation has; all of them are written
 * then, otherwise those that differ from what their absence means.
 * @throws FormatError `value-type`, `missing-key`, `generation-field` with the path of the value.
 */
export function writeRecord(node: RecordNode, value: Values, only?: readonly string[]): string {
  checkFields(node, value, only);
  const pieces: Piece[] = [];
  for (const slot of planOf(node).slots) {
    const item = value[slot.name];
    if (item === undefined) {
      if (slot.node.optional !== true) throw missing(slot.name);
      continue;
    }
    if (only === undefined ? isDefault(slot.node, item) : !only.includes(slot.name)) continue;
    const text = within(slot.name, () => writeNode(slot.node, item));
    pieces.push({ path: slot.at, before: slot.node.before ?? ",", text });
  }
  for (const fragment of otherOf(value))
    pieces.push({ path: [], before: ",", text: checkedFragment(fragment) });
  return joinPieces(pieces);
}

interface Piece {
  /** Keys that lead to the value; none for a whole entry. */
  readonly path: readonly string[];
  readonly before: string;
  readonly text: string;
}

/** Entries in order; neighbours that share their first key become one struct. */
function joinPieces(pieces: readonly Piece[]): string {
  const parts: string[] = [];
  for (let at = 0; at < pieces.length; ) {
    const { path, before, text } = pieces[at]!;
    if (at > 0) parts.push(before);
    let end = at + 1;
    if (path.length > 1) while (end < pieces.length && pieces[end]!.path[0] === path[0]) end += 1;
    if (path.length === 0) parts.push(text);
    else if (path.length === 1) parts.push(assignment(path[0]!, text));
    else {
      const inner = pieces.slice(at, end).map((piece) => ({ ...piece, path: piece.path.slice(1) }));
      parts.push(assignment(path[0]!, `(${joinPieces(inner)})`));
    }
    at = end;
  }
  return parts.join("");
}

const assignment = (key: string, text: string): string =>
  key === "" ? text : `${quoteIfNeeded(key)}=${text}`;

function checkFields(node: RecordNode, value: Values, only: readonly string[] | undefined): void {
  if (only === undefined) return;
  for (const [name, field] of node.fields) {
    const item = value[name];
    if (item === undefined || only.includes(name) || isDefault(field, item)) continue;
    throw new FormatError({
      code: "generation-field",
      message: `this generation has no ${name}`,
      path: name,
      expected: only.join(", "),
    });
  }
}

const isDefault = (node: ConfigNode, value: unknown): boolean =>
  node.fallback !== undefined && sameValue(node.fallback, value);

const otherOf = (value: Values): readonly string[] => (value.other as readonly string[] | undefined) ?? [];

const missing = (name: string): FormatError =>
  new FormatError({ code: "missing-key", message: `the field ${name} is missing`, path: name });

/** The text of one value, without its key. */
export function writeNode(node: ConfigNode, value: unknown): string {
  switch (node.kind) {
    case "scalar":
      return writeScalar(node, value, node.quoted);
    case "raw":
      return checkedValue(value);
    case "record":
      return node.open === "["
        ? `[${writeRecord(node, valuesOf(value))}]`
        : `(${writeRecord(node, valuesOf(value))})`;
    case "named":
      return writeNamed(node, value);
    case "tuple":
      return writeTuple(node, valuesOf(value));
  }
}

function writeScalar(node: ScalarNode, value: unknown, quoted: boolean): string {
  if (!node.accepts(value)) throw typeError(`a value of type ${node.type} is needed`, node.type, value);
  const text = node.write(value as never);
  if (quoted) return quote(text);
  return text === "" ? "" : quoteIfNeeded(text);
}

function writeNamed(node: NamedNode, value: unknown): string {
  if (!Array.isArray(value)) throw typeError("a list is needed", "array", value);
  if (value.length === 0) return node.whenEmpty;
  const items = value.map((item, index) => within(index, () => namedEntry(node, valuesOf(item))));
  return `(${items.join(",")})`;
}

function namedEntry(node: NamedNode, item: Values): string {
  return `${quoteIfNeeded(nameOf(item))}=(${writeRecord(node.of, item)})`;
}

function nameOf(item: Values): string {
  if (typeof item.name !== "string") throw typeError("a name is needed", "string", item.name).within("name");
  return item.name;
}

function writeTuple(node: TupleNode, value: Values): string {
  return `(${node.items.map(([name, item]) => within(name, () => writeScalar(item, value[name], false))).join(",")})`;
}

function valuesOf(value: unknown): Values {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw typeError("an object is needed", "object", value);
  return value as Values;
}

/** Text that is to stand as one value must be one. */
function checkedValue(text: unknown): string {
  if (typeof text !== "string") throw typeError("configuration text is needed", "string", text);
  const { entries } = parseConfig(`k=${text}`);
  if (entries.length === 1 && writeConfigValue(entries[0]!.value) === text) return text;
  throw notOne("value", text);
}

function checkedFragment(text: string): string {
  const { entries } = parseConfig(text);
  if (entries.length === 1 && writeEntry(entries[0]!) === text) return text;
  throw notOne("entry", text).within("other");
}

const notOne = (what: string, text: string): FormatError =>
  new FormatError({
    code: "config-shape",
    message: `not exactly one ${what}`,
    expected: `one ${what}`,
    actual: text,
  });

/**
 * `block` with the values that differ between `old` and `value` put in their places; every other character stays.
 * Keys that come new are put where the declared order has them.
 */
export function patchRecord(node: RecordNode, block: ConfigBlock, old: Values, value: Values): ConfigBlock {
  const entries = [...block.entries];
  const { slots } = planOf(node);
  slots.forEach((slot, order) => {
    const item = value[slot.name];
    if (sameValue(old[slot.name], item)) return;
    within(slot.name, () => {
      if (item === undefined) removeKey(entries, slot);
      else if (!replaceKey(entries, slot, old[slot.name], item)) insertKey(entries, slots, order, item);
    });
  });
  patchOther(entries, otherOf(old), otherOf(value));
  return { entries, trailing: block.trailing };
}

const holds = (slot: Slot, entry: ConfigEntry): boolean =>
  entry.key === slot.at[0] || (slot.node.aliases?.includes(entry.key) ?? false);

function removeKey(entries: ConfigEntry[], slot: Slot): void {
  if (slot.node.optional !== true) throw missing(slot.name);
  const first = entries[0];
  entries.splice(0, entries.length, ...entries.filter((entry) => !holds(slot, entry)));
  if (first !== undefined) takeLead(entries, first.leading);
}

/** The first entry stands where the old first one stood. */
function takeLead(entries: ConfigEntry[], leading: string): void {
  if (entries.length > 0) entries[0] = { ...entries[0]!, leading };
}

function replaceKey(entries: ConfigEntry[], slot: Slot, old: unknown, item: unknown): boolean {
  const index = entries.map((entry) => holds(slot, entry)).lastIndexOf(true);
  if (index < 0) return false;
  const entry = entries[index]!;
  const changed =
    slot.at.length > 1 ? replaceDeep(entry, slot, item) : patchNode(slot.node, entry.value, old, item);
  if (changed === undefined) return false;
  entries[index] = withValue(entry, changed);
  return true;
}

function replaceDeep(entry: ConfigEntry, slot: Slot, item: unknown): ConfigValue | undefined {
  if (entry.value.kind !== "struct") return undefined;
  const target = configEntry(entry.value, slot.at.slice(1));
  if (target === undefined) return undefined;
  return swap(entry.value, target, withValue(target, patchNode(slot.node, target.value, undefined, item)));
}

function swap(struct: ConfigStruct, target: ConfigEntry, changed: ConfigEntry): ConfigStruct {
  const entries = struct.entries.map((entry) => {
    if (entry === target) return changed;
    return entry.value.kind === "struct" ? { ...entry, value: swap(entry.value, target, changed) } : entry;
  });
  return { ...struct, entries };
}

function withValue(entry: ConfigEntry, value: ConfigValue): ConfigEntry {
  return { ...entry, assign: entry.assign === "" && entry.keyRaw !== "" ? "=" : entry.assign, value };
}

function patchNode(node: ConfigNode, at: ConfigValue, old: unknown, item: unknown): ConfigValue {
  if (node.kind === "scalar") return readValue(writeScalar(node, item, at.kind === "quoted"));
  if (at.kind !== "struct" || old === undefined) return readValue(writeNode(node, item));
  if (node.kind === "record") return { ...at, ...patchRecord(node, at, valuesOf(old), valuesOf(item)) };
  if (node.kind === "named") return patchNamed(node, at, old as Values[], item);
  return readValue(writeNode(node, item));
}

function patchNamed(node: NamedNode, at: ConfigStruct, old: readonly Values[], items: unknown): ConfigValue {
  if (!Array.isArray(items)) throw typeError("a list is needed", "array", items);
  const left = at.entries.map((entry, index) => ({ entry, value: old[index]! }));
  const entries = items.map((item: unknown, index) => {
    const name = nameOf(valuesOf(item));
    const found = left.findIndex(({ entry }) => entry.key === name);
    const leading = index === 0 ? (at.entries[0]?.leading ?? "") : ",";
    if (found < 0) return { ...parseConfig(namedEntry(node, valuesOf(item))).entries[0]!, leading };
    const [{ entry, value }] = left.splice(found, 1) as [{ entry: ConfigEntry; value: Values }];
    const struct = entry.value as ConfigStruct;
    const changed = { ...struct, ...patchRecord(node.of, struct, value, valuesOf(item)) };
    return {
      ...entry,
      value: changed,
      leading: index > 0 && entry !== at.entries[0] ? entry.leading : leading,
    };
  });
  return { ...at, entries };
}

function insertKey(entries: ConfigEntry[], slots: readonly Slot[], order: number, item: unknown): void {
  const slot = slots[order]!;
  if (slot.at.length > 1) throw new FormatError({ code: "config-missing", message: "no place for this key" });
  const before = slot.node.before ?? ",";
  const text = assignment(slot.key, writeNode(slot.node, item));
  const added = parseConfig(text).entries[0]!;
  const later = entries.findIndex((entry) => slots.findIndex((other) => holds(other, entry)) > order);
  if (later !== 0) {
    entries.splice(later < 0 ? entries.length : later, 0, {
      ...added,
      leading: entries.length === 0 ? "" : before,
    });
    return;
  }
  const first = entries[0]!;
  const next = slots.find((other) => holds(other, first))?.node.before ?? ",";
  entries.splice(0, 1, { ...added, leading: first.leading }, { ...first, leading: next });
}

function patchOther(entries: ConfigEntry[], old: readonly string[], wanted: readonly string[]): void {
  if (sameValue(old, wanted)) return;
  const gone = new Set(old.filter((fragment) => !wanted.includes(fragment)));
  const first = entries[0];
  if (gone.size > 0)
    entries.splice(0, entries.length, ...entries.filter((entry) => !gone.has(writeEntry(entry))));
  if (first !== undefined) takeLead(entries, first.leading);
  for (const fragment of wanted.filter((text) => !old.includes(text))) {
    const added = parseConfig(checkedFragment(fragment)).entries[0]!;
    entries.push({ ...added, leading: entries.length === 0 ? "" : "," });
  }
}

/** A value as its text says. */
function readValue(text: string): ConfigValue {
  return parseConfig(`k=${text}`).entries[0]!.value;
}

/** Deep equality of the values records are made of. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array)
    return a instanceof Uint8Array && b instanceof Uint8Array && sameItems(a, b);
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && sameItems(a, b);
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => sameValue((a as Values)[key], (b as Values)[key]));
}

function sameItems(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  return a.length === b.length && Array.prototype.every.call(a, (item, index) => sameValue(item, b[index]));
}
