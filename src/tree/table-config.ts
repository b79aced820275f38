/** What has to be known of one file to read it: its metadata row. */
import { neededCheckpointKeys } from "../../formats/checkpoint-list.js";
import { NOT_LOGGED } from "../../formats/log.js";
import { type ConfigTree, configText, parseConfig } from "../codec/config.js";
import { configEntry, configGet, configGetStruct, configGetText } from "../codec/config-edit.js";
import { parseSigned64, parseSize } from "../codec/config-scalar.js";
import { FormatError } from "../codec/error.js";
import { hexToBytes } from "../codec/json.js";

export interface CheckpointEntry {
  readonly name: string;
  /** Raw cookie; undefined for a tree that never had rows. */
  readonly cookie: Uint8Array | undefined;
  /** Byte offset of the value of `addr=` in the configuration text. */
  readonly addressOffset: number;
  /** Why `addr=` is no cookie. */
  readonly error?: FormatError;
  readonly order: bigint;
  /** Write generation that the engine's run began with which made it; older releases do not say. */
  readonly runWriteGen?: bigint;
  /** Keys without which no engine reads the entry, and that it does not have. */
  readonly lacks?: readonly string[];
}

export interface TableConfig {
  /** `file:x.wt` */
  readonly uri: string;
  /** File name below the home. */
  readonly file: string;
  readonly id: bigint | undefined;
  readonly allocationSize: number | undefined;
  /** Name of the block compressor; empty = none. */
  readonly compressor: string;
  readonly encryptor: string;
  readonly collator: string;
  readonly keyFormat: string;
  readonly valueFormat: string;
  /** Ascending by order; the last one is the newest state. */
  readonly checkpoints: readonly CheckpointEntry[];
  /** How far the log was when the newest of them was made; undefined for a file that is not logged. */
  readonly checkpointLsn?: LogPosition;
}

/** Number of a log file and byte offset in it. */
export interface LogPosition {
  readonly file: number;
  readonly offset: number;
}

/**
 * Reads the configuration of a `file:` row.
 * @throws FormatError when the text is no configuration.
 */
export function readTableConfig(uri: string, text: string): TableConfig {
  const tree = parseConfig(text);
  const get = (key: string): string => configGetText(tree, [key]) ?? "";
  const none = (name: string): string => (name === "none" ? "" : name);
  return {
    uri,
    file: uri.replace(/^file:/, ""),
    id: wholeNumber(get("id")),
    allocationSize: size(get("allocation_size")),
    compressor: none(get("block_compressor")),
    encryptor: none(configGetText(tree, ["encryption", "name"]) ?? ""),
    collator: none(get("collator")),
    keyFormat: get("key_format"),
    valueFormat: get("value_format"),
    checkpoints: readCheckpoints(tree),
    ...logPosition(tree),
  };
}

/** The first key of a configuration that no release can have: an engine refuses keys it does not know. */
export function impossibleKey(text: string): FormatError | undefined {
  const entry = parseConfig(text).entries.find(({ keyRaw }) => !/^[a-z][a-z0-9_]*$/.test(keyRaw));
  if (entry === undefined) return undefined;
  const message = entry.keyRaw === "" ? "a value without a key" : `no key is called ${entry.keyRaw}`;
  return new FormatError({ code: "config-key", offset: entry.offset, path: entry.key, message });
}

/** Offset 0 is that of a file that has no checkpoint in the log yet. */
function logPosition(tree: ConfigTree): Pick<TableConfig, "checkpointLsn"> {
  const [file, offset] = (configGetStruct(tree, ["checkpoint_lsn"])?.entries ?? []).map(({ key }) =>
    Number(wholeNumber(key) ?? -1n),
  );
  if (file === undefined || offset === undefined || file < 1 || file >= NOT_LOGGED.file || offset < 1)
    return {};
  return { checkpointLsn: { file, offset } };
}

/** The entries of `checkpoint=(…)`, ascending by order. */
export function readCheckpoints(tree: ConfigTree): CheckpointEntry[] {
  const list = configGetStruct(tree, ["checkpoint"]);
  if (list === undefined) return [];
  const entries = list.entries.flatMap((entry): CheckpointEntry[] => {
    if (entry.value.kind !== "struct") return [];
    const struct = entry.value;
    const lacks = neededCheckpointKeys.filter((key) => configGet(struct, [key]) === undefined);
    const address = configEntry(entry.value, ["addr"]);
    const order = configGet(entry.value, ["order"]);
    const runWriteGen = wholeNumber(configGetText(entry.value, ["run_write_gen"]) ?? "");
    return [
      {
        name: entry.key,
        order: wholeNumber(order === undefined ? "" : (configText(order) ?? "")) ?? 0n,
        ...(runWriteGen === undefined ? {} : { runWriteGen }),
        ...(lacks.length === 0 ? {} : { lacks }),
        addressOffset: address?.value.offset ?? entry.offset,
        ...(address === undefined ? noAddress(entry.key) : cookieOf(configText(address.value) ?? "")),
      },
    ];
  });
  return entries.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0));
}

/** The write generation the newest run of the engine began with, as far as the checkpoints tell. */
export function newestRunOf({ checkpoints }: Pick<TableConfig, "checkpoints">): bigint | undefined {
  const known = checkpoints.flatMap(({ runWriteGen }) => runWriteGen ?? []);
  return known.length === 0 ? undefined : known.reduce((a, b) => (a > b ? a : b));
}

/** The engine writes the key even for a tree without rows. */
const noAddress = (name: string): Pick<CheckpointEntry, "cookie" | "error"> => ({
  cookie: undefined,
  error: new FormatError({ code: "missing-key", message: `the checkpoint ${name} has no addr=` }),
});

function cookieOf(hex: string): Pick<CheckpointEntry, "cookie" | "error"> {
  if (hex === "") return { cookie: undefined };
  try {
    return { cookie: hexToBytes(hex) };
  } catch (error) {
    if (error instanceof FormatError) return { cookie: undefined, error };
    throw error;
  }
}

function wholeNumber(text: string): bigint | undefined {
  try {
    return text === "" ? undefined : parseSigned64(text);
  } catch {
    return undefined;
  }
}

function size(text: string): number | undefined {
  try {
    return text === "" ? undefined : Number(parseSize(text));
  } catch {
    return undefined;
  }
}
