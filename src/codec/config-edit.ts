import {
  type ConfigBlock,
  type ConfigEntry,
  type ConfigStruct,
  type ConfigSyntax,
  type ConfigTree,
  type ConfigValue,
  configText,
  parseConfig,
  writeConfig,
} from "./config.js";
import { quote, quoteIfNeeded } from "./config-token.js";
import { FormatError } from "./error.js";

/**
 * A place in configuration text: `checkpoint.WiredTigerCheckpoint.3.addr`, or the keys one by one where that is
 * ambiguous. A number is the index of an entry (in text: `[2]`); an empty string is a struct without a key, so
 * that a key which is quoted and empty is reached by its index.
 */
export type ConfigPath = string | ReadonlyArray<string | number>;

/** What can be written as a value: text is quoted where it must be, a struct is taken as it is. */
export type ConfigInput = string | number | bigint | boolean | ConfigValue;

export interface ConfigDuplicate {
  readonly path: string;
  /** Byte offset of each occurrence; the last one is the one that counts. */
  readonly offsets: readonly number[];
}

/** The entry that counts at a path: of duplicates the last. Undefined where there is none. */
export function configEntry(block: ConfigBlock, path: ConfigPath): ConfigEntry | undefined {
  return findLast(block, path)?.at(-1);
}

/** The value that counts at a path. */
export function configGet(block: ConfigBlock, path: ConfigPath): ConfigValue | undefined {
  return configEntry(block, path)?.value;
}

/** The text at a path without quotes and escapes; undefined where nothing or a struct is there. */
export function configGetText(block: ConfigBlock, path: ConfigPath): string | undefined {
  const value = configGet(block, path);
  return value === undefined ? undefined : configText(value);
}

/** The struct at a path. */
export function configGetStruct(block: ConfigBlock, path: ConfigPath): ConfigStruct | undefined {
  const value = configGet(block, path);
  return value?.kind === "struct" ? value : undefined;
}

/** Every entry at a path, in the order of the text. */
export function configGetAll(block: ConfigBlock, path: ConfigPath): ConfigEntry[] {
  const found: ConfigEntry[] = [];
  collect(block, path, found);
  return found;
}

/** Keys that occur more than once in one struct. Plain lists such as `(1,1)` have no duplicates. */
export function configDuplicates(block: ConfigBlock, prefix = ""): ConfigDuplicate[] {
  const found: ConfigDuplicate[] = [];
  const pending: Array<{ block: ConfigBlock; prefix: string }> = [{ block, prefix }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    addDuplicates(next.block, next.prefix, found);
    next.block.entries.forEach((entry, index) => {
      if (entry.value.kind !== "struct") return;
      pending.push({ block: entry.value, prefix: stepPath(next.prefix, entry, index) });
    });
  }
  return found.sort((a, b) => a.offsets[0]! - b.offsets[0]!);
}

/** A path of one more step, as errors and duplicates show it. */
export function stepPath(prefix: string, entry: ConfigEntry, index: number): string {
  if (entry.keyRaw === "") return `${prefix}[${index}]`;
  return prefix === "" ? entry.key : `${prefix}.${entry.key}`;
}

/**
 * A tree in which the value that counts at `path` is another one; no other byte of the text changes.
 * @throws FormatError `config-missing` where the path leads nowhere, `config-…` when the result is no valid text.
 */
export function configSet(tree: ConfigTree, path: ConfigPath, input: ConfigInput): ConfigTree {
  const entries = findLast(tree, path);
  if (entries === undefined) throw missing(path);
  const target = entries.at(-1)!;
  const value = inputValue(input, target.value);
  const changed: ConfigEntry = { ...target, assign: assignFor(target, value), value };
  return reparse(replaceEntry(tree, entries, changed), tree.syntax);
}

/**
 * A tree without the entry that counts at `path`, nor the separator in front of it.
 * @throws FormatError `config-missing` where the path leads nowhere.
 */
export function configRemove(tree: ConfigTree, path: ConfigPath): ConfigTree {
  const entries = findLast(tree, path);
  if (entries === undefined) throw missing(path);
  return reparse(replaceEntry(tree, entries, undefined), tree.syntax);
}

/**
 * A tree with one more entry at the end of the struct at `parent` (`[]` = the top), or in front of the entry `before`.
 * @throws FormatError `config-missing` where `parent` is no struct.
 */
export function configAdd(
  tree: ConfigTree,
  parent: ConfigPath,
  key: string,
  input: ConfigInput,
  before?: number,
): ConfigTree {
  const top = parent.length === 0;
  const entries = top ? [] : findLast(tree, parent);
  const owner = top ? tree : entries?.at(-1)?.value;
  if (owner === undefined || (owner.kind !== "struct" && owner.kind !== "tree")) throw missing(parent);
  const block = insertEntry(owner, key, input, before ?? owner.entries.length);
  if (top) return reparse(block, tree.syntax);
  const holder = entries!.at(-1)!;
  const changed: ConfigEntry = { ...holder, value: { ...(owner as ConfigStruct), ...block } };
  return reparse(replaceEntry(tree, entries!, changed), tree.syntax);
}

function insertEntry(owner: ConfigBlock, key: string, input: ConfigInput, index: number): ConfigBlock {
  const value = inputValue(input, undefined);
  const keyRaw = key === "" ? "" : quoteIfNeeded(key);
  const assign = keyRaw === "" || value.kind === "alone" ? "" : "=";
  const following = owner.entries[index];
  const leading = index === 0 ? (following?.leading ?? "") : ",";
  const added: ConfigEntry = { leading, key, keyRaw, offset: 0, assign, value };
  const rest = owner.entries.slice(index);
  if (index === 0 && following !== undefined) rest[0] = { ...following, leading: "," };
  return { entries: [...owner.entries.slice(0, index), added, ...rest], trailing: owner.trailing };
}

function replaceEntry(
  tree: ConfigTree,
  entries: readonly ConfigEntry[],
  changed: ConfigEntry | undefined,
): ConfigBlock {
  const parents = [tree, ...entries.slice(0, -1).map((entry) => entry.value as ConfigStruct)];
  let entry = changed;
  for (let depth = entries.length - 1; ; depth--) {
    const parent = parents[depth]!;
    const block = { ...parent, entries: swapEntry(parent.entries, entries[depth]!, entry) };
    if (depth === 0) return block;
    entry = { ...entries[depth - 1]!, value: block as ConfigStruct };
  }
}

function swapEntry(
  entries: readonly ConfigEntry[],
  old: ConfigEntry,
  changed: ConfigEntry | undefined,
): ConfigEntry[] {
  if (changed !== undefined) return entries.map((entry) => (entry === old ? changed : entry));
  const kept = entries.filter((entry) => entry !== old);
  if (entries[0] === old && kept.length > 0) kept[0] = { ...kept[0]!, leading: old.leading };
  return kept;
}

/** Offsets behind a change move, and an edit must not produce text that reads differently: so parse again. */
function reparse(block: ConfigBlock, syntax: ConfigSyntax): ConfigTree {
  return parseConfig(writeConfig(block), { syntax, maxDepth: Number.POSITIVE_INFINITY });
}

function inputValue(input: ConfigInput, old: ConfigValue | undefined): ConfigValue {
  if (typeof input === "object") return input;
  const text = String(input);
  if (text === "" && old?.kind !== "quoted") return { kind: "empty", offset: 0 };
  const raw = old?.kind === "quoted" && typeof input === "string" ? quote(text) : quoteIfNeeded(text);
  return { kind: raw.startsWith('"') ? "quoted" : "bare", offset: 0, raw };
}

function assignFor(entry: ConfigEntry, value: ConfigValue): string {
  if (entry.keyRaw === "") return "";
  if (value.kind === "alone") return "";
  return entry.assign === "" ? "=" : entry.assign;
}

function missing(path: ConfigPath): FormatError {
  const text = typeof path === "string" ? path : path.join(".");
  return new FormatError({ code: "config-missing", message: `no such key: ${text}`, path: text });
}

/** The entries on the way to a path, the wanted one last. Each struct is entered at most once. */
function findLast(block: ConfigBlock, path: ConfigPath): ConfigEntry[] | undefined {
  for (let index = block.entries.length - 1; index >= 0; index--) {
    const entry = block.entries[index]!;
    const rest = restAfter(path, entry, index);
    if (rest === undefined) continue;
    if (rest.length === 0) return [entry];
    if (entry.value.kind !== "struct") continue;
    const inner = findLast(entry.value, rest);
    if (inner !== undefined) return [entry, ...inner];
  }
  return undefined;
}

function collect(block: ConfigBlock, path: ConfigPath, found: ConfigEntry[]): void {
  block.entries.forEach((entry, index) => {
    const rest = restAfter(path, entry, index);
    if (rest === undefined) return;
    if (rest.length === 0) found.push(entry);
    else if (entry.value.kind === "struct") collect(entry.value, rest, found);
  });
}

/** What is left of a path behind an entry; undefined when the path does not begin with it. */
function restAfter(path: ConfigPath, entry: ConfigEntry, index: number): ConfigPath | undefined {
  if (typeof path !== "string") {
    const matches = path[0] === (typeof path[0] === "number" ? index : entry.key);
    return path.length > 0 && matches ? path.slice(1) : undefined;
  }
  if (path.startsWith("[")) {
    const step = `[${index}]`;
    return path.startsWith(step) ? path.slice(step.length).replace(/^\./, "") : undefined;
  }
  const { key } = entry;
  if (entry.keyRaw === "" || !path.startsWith(key)) return undefined;
  if (path.length === key.length) return "";
  const next = path[key.length];
  if (next === ".") return path.slice(key.length + 1);
  return next === "[" ? path.slice(key.length) : undefined;
}

function addDuplicates(block: ConfigBlock, prefix: string, found: ConfigDuplicate[]): void {
  if (block.entries.every((entry) => entry.value.kind === "alone")) return;
  const byKey = new Map<string, number[]>();
  for (const entry of block.entries) {
    if (entry.keyRaw === "") continue;
    const offsets = byKey.get(entry.key);
    if (offsets === undefined) byKey.set(entry.key, [entry.offset]);
    else offsets.push(entry.offset);
  }
  for (const [key, offsets] of byKey) {
    if (offsets.length > 1) found.push({ path: prefix === "" ? key : `${prefix}.${key}`, offsets });
  }
}
