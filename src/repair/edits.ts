/** Edits of a plan, each made on the draft. */
import { type ConfigValue, parseConfig, writeConfig, writeConfigValue } from "../codec/config.js";
import { configGet, configSet } from "../codec/config-edit.js";
import { FormatError } from "../codec/error.js";
import { readTableConfig } from "../tree/table-config.js";
import { fixCheckpointSizes } from "./checkpoint-sizes.js";
import { createTable } from "./create-table.js";
import { type Draft, fileOf } from "./draft.js";
import { RepairRefusal } from "./error.js";
import { namespaceFor } from "./ids.js";
import type { RepairEdit } from "./types.js";

export interface EditContext {
  /** Seconds since 1970. */
  readonly time: number;
  readonly dropHistory: boolean;
  /** Records the history store has under an id. */
  readonly history: (id: bigint) => number;
}

/** @throws RepairRefusal */
export function makeEdit(draft: Draft, edit: RepairEdit, context: EditContext): void {
  switch (edit.edit) {
    case "set":
      setKey(draft, edit.uri, edit.key, edit.value);
      break;
    case "change-id":
      changeId(draft, edit.uri, edit.id, context);
      break;
    case "insert":
      insertRow(draft, edit.uri, edit.config);
      break;
    case "remove":
      removeRow(draft, edit.uri);
      break;
    case "create-table":
      createTable(draft, edit, context.time);
      break;
    case "fix-duplicates":
      fixDuplicates(draft, context);
      break;
    case "fix-checkpoint-size":
      fixCheckpointSizes(draft);
      break;
  }
}

function setKey(draft: Draft, uri: string, key: string, text: string): void {
  const old = draft.get(uri);
  if (key === "id") throw new RepairRefusal("key-guarded", `${uri}: an id is changed by change-id`);
  const value = configValue(text);
  const tree = parsed(uri, old);
  const before = configGet(tree, key);
  if (before === undefined) throw new RepairRefusal("key-missing", `${uri} has no key ${key}`);
  const changed = asConfig(`${key}=${text}`, () => writeConfig(configSet(tree, key, value)));
  if (compressorOf(uri, old) !== "" && compressorOf(uri, changed) === "")
    throw new RepairRefusal(
      "key-guarded",
      `${uri}: no engine reads its compressed pages without a compressor`,
    );
  draft.put(uri, changed, { key, old: writeConfigValue(before), new: writeConfigValue(value) });
  if (/^checkpoint(\.|$)/.test(key))
    draft.afterwards.add(
      `${uri}: its checkpoint was changed by hand: run verify on the table before using it`,
    );
}

const compressorOf = (uri: string, row: string): string => readTableConfig(uri, row).compressor;

/** A value as the text has it: quotes and parentheses stay. */
function configValue(text: string): ConfigValue {
  const tree = asConfig(text, () => parseConfig(`x=${text}`));
  const [entry] = tree.entries;
  if (tree.entries.length === 1 && entry?.key === "x" && tree.trailing === "") return entry.value;
  throw new RepairRefusal(
    "value-invalid",
    `${text} is not one value: put it in double quotes or parentheses`,
  );
}

function asConfig<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new RepairRefusal("value-invalid", `${what}: ${error.message}`);
  }
}

const parsed = (uri: string, value: string): ReturnType<typeof parseConfig> =>
  asConfig(`the row of ${uri}`, () => parseConfig(value));

function changeId(draft: Draft, uri: string, id: string, context: EditContext, why?: string): void {
  const old = draft.get(uri);
  const before = draft.idOf(uri);
  if (!uri.startsWith("file:") || before === undefined)
    throw new RepairRefusal("uri-invalid", `${uri} has no id of its own: ids are those of file: rows`);
  if (/^file:WiredTiger/.test(uri))
    throw new RepairRefusal("uri-invalid", `${uri} is the engine's own, and keeps its id`);
  const namespace = namespaceFor(before, draft.metadata.engine.major);
  if (id !== "auto" && !/^\d{1,19}$/.test(id))
    throw new RepairRefusal("id-invalid", `${uri}: ${id} is no id`);
  const next = id === "auto" ? draft.nextId(namespace) : BigInt(id);
  draft.checkNewId(uri, next, namespace);
  leaveHistory(draft, uri, before, context);
  const config = writeConfig(configSet(parsed(uri, old), ["id"], next));
  draft.put(uri, config, {
    key: "id",
    old: String(before),
    new: String(next),
    ...(why !== undefined && { why }),
  });
}

/** Records under the old id would be lost; of a shared id, nothing tells whose they are. */
function leaveHistory(draft: Draft, uri: string, id: bigint, { history, dropHistory }: EditContext): void {
  const records = history(id);
  if (records === 0) return;
  const others =
    draft
      .duplicates()
      .find((group) => group.id === id)
      ?.uris.filter((other) => other !== uri) ?? [];
  const whose =
    others.length === 0 ? "" : `; whether they are its own or those of ${others.join(", ")} cannot be told`;
  if (!dropHistory)
    throw new RepairRefusal(
      "history-records",
      `${uri}: the history store has ${records} older values under id ${id}${whose}`,
    );
  draft.afterwards.add(
    `${uri}: ${records} older values under id ${id} are given up: reads at earlier timestamps find nothing for them`,
  );
}

/** Every colliding table but one gets a new id: the engine's own file keeps it, else the largest one. */
function fixDuplicates(draft: Draft, context: EditContext): void {
  const groups = draft.duplicates();
  if (groups.length === 0) throw new RepairRefusal("nothing-to-do", "no two files have the same id");
  for (const { id, uris } of groups) {
    const own = uris.find((uri) => /^file:WiredTiger/.test(uri));
    const size = (uri: string): number => draft.sizeOf(uri) ?? -1;
    const largest = uris.reduce((best, uri) => (size(uri) > size(best) ? uri : best));
    const keeper = own ?? largest;
    const reason = own === undefined ? "the largest file" : "a file of the engine itself";
    // Nobody may read records of another table as its own: with history given up, no table keeps the id.
    const mixed = context.history(id) > 0 && context.dropHistory && own === undefined;
    for (const uri of uris) {
      if (uri === keeper && !mixed) continue;
      const why = mixed
        ? `id ${id} is also that of ${uris.filter((other) => other !== uri).join(", ")}, and the history store's records under it are nobody's now`
        : `id ${id} is also that of ${keeper}, ${reason}, which keeps it`;
      changeId(draft, uri, "auto", context, why);
    }
  }
}

/** Kinds of rows, and a name without what would end it. */
const WRITABLE_URI = /^(file|table|colgroup|index|layered|lsm|tiered|object|tier|system):.+$/;

function insertRow(draft: Draft, uri: string, config: string): void {
  if (!WRITABLE_URI.test(uri) || uri.includes("\0") || uri === "file:WiredTiger.wt")
    throw new RepairRefusal("uri-invalid", `${JSON.stringify(uri)} is no URI of a row that can be inserted`);
  if (draft.has(uri)) throw new RepairRefusal("uri-exists", `${uri} is in the metadata already`);
  parsed(uri, config);
  if (config.includes("\0"))
    throw new RepairRefusal("value-invalid", `${uri}: a NUL inside the configuration`);
  if (uri.startsWith("file:")) {
    if (draft.sizeOf(uri) === undefined)
      throw new RepairRefusal("file-missing", `${uri}: there is no file ${fileOf(uri)} in ${draft.home}`);
    const id = /^\d+$/.exec(String(asText(config, "id") ?? ""))?.[0];
    if (id === undefined) throw new RepairRefusal("id-invalid", `${uri}: the configuration has no id=`);
    draft.checkNewId(uri, BigInt(id), namespaceFor(undefined, draft.metadata.engine.major));
  }
  draft.put(uri, config, { old: null, new: config });
}

function asText(config: string, key: string): string | undefined {
  const value = configGet(parseConfig(config), [key]);
  return value?.kind === "bare" ? value.raw : undefined;
}

function removeRow(draft: Draft, uri: string): void {
  draft.remove(uri);
  if (uri.startsWith("file:") && draft.sizeOf(uri) !== undefined)
    draft.afterwards.add(
      `${fileOf(uri)} stays in the directory: no row names it any more; move it away when it is not needed`,
    );
}
