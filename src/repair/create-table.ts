/** A new table without the engine: its file, and the three metadata rows that make it one. */
import { isAllocationSize } from "../../formats/description-block.js";
import { packedStruct } from "../../formats/packed-struct.js";
import { type ConfigTree, parseConfig, writeConfig, writeConfigValue } from "../codec/config.js";
import { configAdd, configGet, configGetStruct, configGetText, configSet } from "../codec/config-edit.js";
import { parseSize } from "../codec/config-scalar.js";
import { FormatError } from "../codec/error.js";
import { buildTableFile, type FileRow, type TableCheckpoint } from "./classic/table-file.js";
import type { Draft } from "./draft.js";
import { RepairRefusal } from "./error.js";
import { readRows } from "./rows-file.js";
import type { RepairEdit } from "./types.js";

type CreateTable = Extract<RepairEdit, { edit: "create-table" }>;

const NAME = /^(?!WiredTiger|\.)[^\s/:,="()[\]{}]{1,200}$/;
/** Settings a caller can give, and for which rows. */
const TABLE_KEYS: ReadonlySet<string> = new Set(["key_format", "value_format", "columns", "app_metadata"]);
const GROUP_KEYS: ReadonlySet<string> = new Set(["columns", "app_metadata"]);
/** Settings of a file that follow from the directory, or would make another kind of table. */
const GUARDED: ReadonlySet<string> = new Set([
  "id",
  "checkpoint",
  "checkpoint_lsn",
  "checkpoint_backup_info",
  "version",
  "encryption",
  "format",
  "block_manager",
  "disaggregated",
  "tiered_object",
  "tiered_storage",
  "live_restore",
  "in_memory",
  "readonly",
  "collator",
  "huffman_key",
  "huffman_value",
]);
/** What a new file starts with. */
const FRESH: ReadonlyArray<readonly [string, string]> = [
  ["app_metadata", ""],
  ["checkpoint", ""],
  ["checkpoint_backup_info", ""],
  ["checkpoint_lsn", ""],
  ["columns", ""],
  ["key_format", "u"],
  ["value_format", "u"],
];
/** Of engines before 10, where the directory has no table to take them from. */
const OLD_TABLE = "app_metadata=,colgroups=,collator=,columns=,key_format=u,value_format=u";
const OLD_GROUP = 'app_metadata=,collator=,columns=,source="",type=file';
const OLD_ENGINES = 9;

/** @throws RepairRefusal */
export function createTable(draft: Draft, { name, config, rows: rowsPath }: CreateTable, time: number): void {
  if (!NAME.test(name))
    throw new RepairRefusal("uri-invalid", `${JSON.stringify(name)} is no name of a table`);
  const uris = { file: `file:${name}.wt`, group: `colgroup:${name}`, table: `table:${name}` };
  for (const uri of Object.values(uris))
    if (draft.has(uri)) throw new RepairRefusal("uri-exists", `${uri} is in the metadata already`);
  const wanted = settings(config);
  const file = fileConfig(draft, wanted);
  const keyFormat = textOf(file, "key_format");
  const valueFormat = textOf(file, "value_format");
  checkFormats(name, keyFormat, valueFormat);
  const rows = rowsPath === undefined ? [] : readRows(rowsPath, keyFormat, valueFormat);
  const { row, bytes } = withRows(draft, file, rows, time);
  draft.addFile({ name: `${name}.wt`, bytes, rows: rows.length });
  const add = (uri: string, value: string): void => draft.put(uri, value, { old: null, new: value });
  add(
    uris.group,
    withSettings(template(draft, "colgroup"), wanted, GROUP_KEYS, { source: `"${uris.file}"` }),
  );
  add(uris.file, row);
  add(uris.table, withSettings(template(draft, "table"), wanted, TABLE_KEYS, {}));
}

const textOf = (tree: ConfigTree, key: string): string => configGetText(tree, [key]) ?? "";

function parsed(text: string): ConfigTree {
  try {
    return parseConfig(text);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new RepairRefusal("value-invalid", `${text}: ${error.message}`);
  }
}

/** What the caller asked for: key and value as text. */
function settings(config: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const { key, value } of parsed(config).entries) {
    if (GUARDED.has(key)) throw new RepairRefusal("config-unknown", `${key}= is not for the caller to set`);
    found.set(key, writeConfigValue(value));
  }
  return found;
}

const put = (tree: ConfigTree, key: string, text: string): ConfigTree => {
  const value = configGet(parsed(`x=${text}`), ["x"]);
  const known = value !== undefined && configGet(tree, [key]) !== undefined;
  return known ? configSet(tree, [key], value) : tree;
};

/** The metadata's own configuration has every setting, with the engine's defaults: a new file's is made from it. */
function fileConfig({ metadata }: Draft, wanted: ReadonlyMap<string, string>): ConfigTree {
  let tree = metadata.configTree;
  for (const [key, text] of FRESH) if (configGet(tree, [key]) !== undefined) tree = put(tree, key, text);
  for (const [key, text] of wanted) {
    if (configGet(tree, [key]) === undefined)
      throw new RepairRefusal("config-unknown", `this engine's tables have no setting ${key}`);
    tree = put(tree, key, text);
  }
  checkSizes(tree);
  return tree;
}

const sizeOf = (tree: ConfigTree, key: string): number => {
  try {
    return Number(parseSize(textOf(tree, key)));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new RepairRefusal("value-invalid", `${key}=${textOf(tree, key)}: ${error.message}`);
  }
};

/** @throws RepairRefusal `value-invalid` for page sizes the engine would not take. */
function checkSizes(tree: ConfigTree): void {
  const unit = sizeOf(tree, "allocation_size");
  if (!isAllocationSize(unit))
    throw new RepairRefusal("value-invalid", `allocation_size=${unit} is no power of two from 512`);
  for (const key of ["internal_page_max", "leaf_page_max"]) {
    const size = sizeOf(tree, key);
    if (size < unit || size % unit !== 0 || size > 512 * 1024 * 1024)
      throw new RepairRefusal(
        "value-invalid",
        `${key}=${size} is no multiple of the allocation size, ${unit}`,
      );
  }
}

function checkFormats(name: string, keyFormat: string, valueFormat: string): void {
  if (keyFormat === "r" || /^\d*t$/.test(valueFormat))
    throw new RepairRefusal(
      "table-unsupported",
      `${name}: column stores are not made here (key_format=${keyFormat})`,
    );
  try {
    packedStruct(keyFormat);
    packedStruct(valueFormat);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new RepairRefusal("value-invalid", `${name}: ${error.message}`);
  }
}

interface MadeFile {
  /** Value of the `file:` row. */
  readonly row: string;
  readonly bytes: Uint8Array;
}

function withRows(draft: Draft, settings: ConfigTree, rows: readonly FileRow[], time: number): MadeFile {
  const { modern } = draft.metadata;
  const tree = put(settings, "id", String(draft.nextId(0n)));
  const form = {
    unit: sizeOf(tree, "allocation_size"),
    leafPageMax: sizeOf(tree, "leaf_page_max"),
    internalPageMax: sizeOf(tree, "internal_page_max"),
    modern,
    wholeChecksum: textOf(tree, "checksum") !== "off",
  };
  const list = (checkpoint: TableCheckpoint): string => `(${checkpointText(draft, checkpoint, time)})`;
  const texts = (checkpoint: TableCheckpoint) => ({
    metadata: `encryption=(keyid=,name=),block_metadata_encrypted=false,block_metadata=[${writeConfig(tree)}]`,
    checkpoints: `checkpoint=${list(checkpoint)}`,
  });
  const { bytes, checkpoint } = buildTableFile(form, rows, texts);
  const row = checkpoint === undefined ? tree : put(tree, "checkpoint", list(checkpoint));
  return { row: writeConfig(row), bytes };
}

/** What no row of the new table has: timestamps and transactions. */
const NO_WINDOWS: Readonly<Record<string, string>> = {
  newest_durable_ts: "0",
  newest_start_durable_ts: "0",
  oldest_start_ts: "0",
  oldest_start_txn: "0",
  newest_txn: "0",
  newest_stop_durable_ts: "0",
  newest_stop_ts: "-1",
  newest_stop_txn: "-11",
  prepare: "0",
  run_write_gen: "1",
  next_page_id: "100",
};

/** An entry with the keys the metadata's own checkpoint has. */
function checkpointText(draft: Draft, { address, size, writeGen }: TableCheckpoint, time: number): string {
  const entry = draft.metadata.checkpoint.entry;
  let tree = parsed(writeConfigValue(entry.value).slice(1, -1));
  const own = {
    addr: `"${address}"`,
    order: "1",
    time: String(time),
    size: String(size),
    write_gen: String(writeGen),
  };
  for (const [key, text] of Object.entries({ ...NO_WINDOWS, ...own }))
    if (configGet(tree, [key]) !== undefined) tree = put(tree, key, text);
  return `WiredTigerCheckpoint.1=(${writeConfig(tree)})`;
}

/** The row of another table, without what is its own. */
function template(draft: Draft, kind: "table" | "colgroup"): ConfigTree {
  for (const uri of draft.uris) {
    if (!uri.startsWith(`${kind}:`) || uri.split(":").length !== 2) continue;
    const tree = parsed(draft.get(uri));
    if (kind !== "table" || configGetStruct(tree, ["colgroups"]) === undefined) return tree;
  }
  if (draft.metadata.engine.major > OLD_ENGINES)
    throw new RepairRefusal(
      "table-unsupported",
      "there is no table in the directory to take the form of rows from",
    );
  return parsed(kind === "table" ? OLD_TABLE : OLD_GROUP);
}

function withSettings(
  base: ConfigTree,
  wanted: ReadonlyMap<string, string>,
  keys: ReadonlySet<string>,
  own: Readonly<Record<string, string>>,
): string {
  const fresh: Record<string, string> = { app_metadata: "", columns: "", key_format: "u", value_format: "u" };
  let tree = base;
  for (const key of keys) {
    const text = wanted.get(key) ?? (fresh[key] as string);
    tree =
      configGet(tree, [key]) === undefined && text !== ""
        ? configAdd(tree, [], key, text)
        : put(tree, key, text);
  }
  for (const [key, text] of Object.entries(own)) tree = put(tree, key, text);
  return writeConfig(tree);
}
