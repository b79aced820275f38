/** Edits of a plan made on the shared metadata, and on the trees they concern. */
import {
  beginsLikeTombstone,
  btreeId,
  FIRST_USER_PAGE,
  namespacedId,
  specialTables,
} from "../../../formats/disagg-tables.js";
import { historyKey } from "../../../formats/history.js";
import { writeConfig, writeConfigValue } from "../../codec/config.js";
import { configGet, configGetText, configSet } from "../../codec/config-edit.js";
import { FormatError } from "../../codec/error.js";
import { decodeText } from "../../codec/text.js";
import type { Encryptor } from "../../page/transform/index.js";
import { checkpointEntry, sizeIsPageId } from "../../write/checkpoint/entry.js";
import {
  type FileRow,
  fileRow,
  layeredRow,
  storedRow,
  treeSettingsOf,
  withCheckpoint,
} from "../../write/checkpoint/metadata-rows.js";
import { freshTree } from "../../write/checkpoint/write-state.js";
import type { WriteGeneration } from "../../write/generation.js";
import { editTree, writeTree } from "../../write/tree/index.js";
import { TreeWriteError } from "../../write/tree/write-error.js";
import type { RowEdit, TreeOptions, TreeState } from "../../write/types.js";
import { RepairRefusal } from "../error.js";
import { readRows } from "../rows-file.js";
import type { RepairEdit } from "../types.js";
import { tableEncryptor } from "./encryption.js";
import { type MetadataDraft, parsed } from "./metadata-draft.js";
import type { RecordingLog } from "./recording-log.js";
import { checkpointSizeOf, treeBytes } from "./sizes.js";
import { moveTree, treeRows } from "./trees.js";

const HISTORY = specialTables.sharedHistoryStore.uri;
const NAME = /^(?!WiredTiger|\.)[^\s/:,="()[\]{}]{1,200}$/;
const WRITABLE_URI = /^(file|layered|table|colgroup|index):.+$/;
/** The largest number an id can have. */
const MAX_NUMBER = 0x7fffffffn >> 3n;
/** From this version of the record on, values of stable tables are stored as they are. */
const PLAIN_VALUES = 2;
const NEW_TABLE_KEYS = ["key_format", "value_format"];

export interface EditingOptions {
  readonly log: RecordingLog;
  readonly generation: WriteGeneration;
  readonly checkpointId: bigint;
  /** Seconds since 1970. */
  readonly time: bigint;
  readonly dropHistory: boolean;
  /** Of tables that name none. */
  readonly encryptor: Encryptor | undefined;
  /** Of the turtle page, without its namespace. */
  readonly largestFileId: bigint;
  /** For trees that have no checkpoint yet. */
  readonly runWriteGen: bigint;
}

export class PageLogEditor {
  readonly history = { moved: 0, dropped: 0 };
  readonly afterwards = new Set<string>();
  private largest: bigint;

  constructor(
    private readonly draft: MetadataDraft,
    private readonly options: EditingOptions,
  ) {
    this.largest = options.largestFileId;
    for (const { config } of draft.files()) this.note(BigInt(config.id ?? 0));
  }

  /** Without its namespace. */
  get largestFileId(): bigint {
    return this.largest;
  }

  /** @throws RepairRefusal, TreeWriteError */
  make(edit: RepairEdit): void {
    switch (edit.edit) {
      case "set":
        this.set(edit);
        break;
      case "change-id":
        this.changeId(edit.uri, edit.id);
        break;
      case "insert":
        this.insert(edit.uri, edit.config);
        break;
      case "remove":
        this.draft.remove(edit.uri);
        this.afterwards.add(`${edit.uri}: pages of the table stay in the log; nothing names them any more`);
        break;
      case "create-table":
        this.createTable(edit);
        break;
      case "fix-duplicates":
        this.fixDuplicates();
        break;
      case "fix-checkpoint-size":
        this.fixCheckpointSizes();
        break;
    }
  }

  private note(id: bigint): void {
    const { number } = namespacedId(id);
    if (number > this.largest) this.largest = number;
  }

  private set({ uri, key, value: text }: Extract<RepairEdit, { edit: "set" }>): void {
    const config = parsed(uri, this.draft.get(uri));
    if (key === "id") throw new RepairRefusal("key-guarded", `${uri}: an id is changed by change-id`);
    if (/^checkpoint(\.|$)/.test(key))
      throw new RepairRefusal("key-guarded", `${uri}: its checkpoint names pages, and is not set by itself`);
    const before = configGet(config, key);
    if (before === undefined) throw new RepairRefusal("key-missing", `${uri} has no key ${key}`);
    const { entries } = parsed(text, `x=${text}`);
    const [entry] = entries;
    if (entries.length !== 1 || entry?.key !== "x")
      throw new RepairRefusal(
        "value-invalid",
        `${text} is not one value: put it in double quotes or parentheses`,
      );
    this.draft.put(uri, writeConfig(configSet(config, key, entry.value)), {
      key,
      old: writeConfigValue(before),
      new: writeConfigValue(entry.value),
    });
  }

  private changeId(uri: string, wanted: string, why?: string): void {
    this.draft.get(uri);
    const row = this.draft.file(uri);
    const old = row?.config.id;
    if (row === undefined || old === undefined)
      throw new RepairRefusal("uri-invalid", `${uri} has no id of its own: ids are those of file: rows`);
    if (/^file:WiredTiger/.test(uri))
      throw new RepairRefusal("uri-invalid", `${uri} is the engine's own, and keeps its id`);
    const id = this.newId(uri, wanted);
    this.moveHistory(uri, BigInt(old), id);
    const tree = this.draft.tree(row);
    if (tree === undefined) throw new RepairRefusal("checkpoint-missing", `${uri} has no checkpoint`);
    const moved = moveTree(this.options.log, this.treeOptions(row, BigInt(old)), tree, id);
    const next = this.withTree({ ...row, config: { ...row.config, id: Number(id) } }, moved);
    this.draft.replaceTree(next, {
      key: "id",
      old: String(old),
      new: String(id),
      ...(why !== undefined && { why }),
    });
    this.note(id);
    this.afterwards.add(`${uri}: pages under id ${old} stay in the log for the checkpoints before`);
    const [keeper, ...more] = this.draft.files().filter(({ config }) => config.id === Number(old));
    if (keeper !== undefined && more.length === 0) this.leavePages(keeper, BigInt(old), uri);
  }

  /** A table that had its id shared goes on with page ids above those of the other one. */
  private leavePages({ uri, config }: FileRow, id: bigint, other: string): void {
    const entry = config.checkpoint?.at(-1);
    let next = entry?.nextPageId ?? FIRST_USER_PAGE;
    for (const { tableId, pageId } of this.options.log.records())
      if (tableId === id && pageId >= next) next = pageId + 1n;
    if (entry === undefined || next === entry.nextPageId) return;
    const path = ["checkpoint", entry.name, "next_page_id"];
    this.draft.put(uri, writeConfig(configSet(parsed(uri, this.draft.get(uri)), path, next)), {
      key: path.join("."),
      old: String(entry.nextPageId),
      new: String(next),
      why: `pages of ${other} stay under id ${id}, and their ids are not given again`,
    });
  }

  /** @throws RepairRefusal `id-invalid`, `id-used`, `id-namespace`, `id-below-highest` */
  private newId(uri: string, wanted: string): bigint {
    const next = btreeId(this.largest + 1n, "shared");
    if (wanted !== "auto" && !/^\d{1,19}$/.test(wanted))
      throw new RepairRefusal("id-invalid", `${uri}: ${wanted} is no id`);
    const id = wanted === "auto" ? next : BigInt(wanted);
    const { number, namespace, namespaceId } = namespacedId(id);
    if (number < 1n || number > MAX_NUMBER)
      throw new RepairRefusal("id-invalid", `${uri}: ${id} is no id a table can have`);
    const other = this.draft.files().find(({ config }) => config.id === Number(id));
    if (other !== undefined) throw new RepairRefusal("id-used", `${other.uri} has id ${id}`);
    if (namespace !== "shared")
      throw new RepairRefusal(
        "id-namespace",
        `${uri}: the low three bits of ${id} are ${namespaceId}, and have to be 1; the next id is ${next}`,
      );
    if (number <= this.largest)
      throw new RepairRefusal(
        "id-below-highest",
        `${uri}: ${id} is not above the highest id, ${btreeId(this.largest, "shared")}`,
      );
    for (const { tableId } of this.options.log.records())
      if (tableId === id)
        throw new RepairRefusal("id-used", `${uri}: the log has pages under id ${id} already`);
    return id;
  }

  /** Older values go with their table; of a shared id, nothing tells whose they are. */
  private moveHistory(uri: string, old: bigint, id: bigint): void {
    const row = this.draft.file(HISTORY);
    const tree = row && this.draft.tree(row);
    if (row === undefined || tree === undefined || tree.root.length === 0) return;
    const { log, dropHistory } = this.options;
    const options = this.treeOptions(row, BigInt(row.config.id ?? 0));
    const own: Array<
      Required<Pick<RowEdit, "key" | "value">> & RowEdit & { parts: ReturnType<typeof historyKey.parse> }
    > = [];
    for (const { key, value, window } of treeRows(log, options, tree.root)) {
      const parts = historyParts(key);
      if (BigInt(parts.btreeId) === old) own.push({ key: key.slice(), value: value.slice(), window, parts });
    }
    if (own.length === 0) return;
    const others = this.draft.files().filter((file) => file.config.id === Number(old) && file.uri !== uri);
    if (others.length > 0 && !dropHistory)
      throw new RepairRefusal(
        "history-records",
        `${uri}: the shared history store has ${own.length} older values under id ${old}; whether they are its own or those of ${others.map((file) => file.uri).join(", ")} cannot be told`,
      );
    const removals: RowEdit[] = own.map(({ key }) => ({ key }));
    const additions: RowEdit[] = dropHistory
      ? []
      : own.map(({ value, window, parts }) => ({
          key: historyKey.build({ ...parts, btreeId: Number(id) }),
          value,
          window,
        }));
    const edits = [...removals, ...additions].sort((a, b) => Buffer.compare(a.key, b.key));
    this.draft.replaceTree(this.withTree(row, editTree(log, options, tree, edits)));
    this.history[dropHistory ? "dropped" : "moved"] += own.length;
    if (dropHistory)
      this.afterwards.add(
        `${uri}: ${own.length} older values under id ${old} are given up: reads at earlier timestamps find nothing for them`,
      );
  }

  /** Every colliding table but the largest gets a new id; the engine's own keep theirs. */
  private fixDuplicates(): void {
    const groups = this.draft.duplicates();
    if (groups.length === 0) throw new RepairRefusal("nothing-to-do", "no two files have the same id");
    for (const { id, uris } of groups) {
      const size = (uri: string): bigint => {
        const row = this.draft.file(uri);
        const root = row && this.draft.tree(row)?.root;
        const options = row && this.treeOptions(row, id);
        return root && options ? treeBytes(this.options.log, options, root) : 0n;
      };
      const own = uris.find((uri) => /^file:WiredTiger/.test(uri));
      const keeper = own ?? uris.reduce((best, uri) => (size(uri) > size(best) ? uri : best));
      const reason = own === undefined ? "the largest" : "a file of the engine itself";
      for (const uri of uris)
        if (uri !== keeper)
          this.changeId(uri, "auto", `id ${id} is also that of ${keeper}, ${reason}, which keeps it`);
    }
  }

  /** The record's database_size follows from them. */
  private fixCheckpointSizes(): void {
    for (const row of this.draft.files()) {
      const entry = row.config.checkpoint?.at(-1);
      const size = entry && this.sizeOf(row, entry.addr ?? new Uint8Array());
      if (entry === undefined || size === undefined || size === (entry.size ?? 0n)) continue;
      const path = ["checkpoint", entry.name, "size"];
      this.draft.put(row.uri, writeConfig(configSet(parsed(row.uri, this.draft.get(row.uri)), path, size)), {
        key: path.join("."),
        old: String(entry.size ?? 0n),
        new: String(size),
        why: sizeIsPageId(this.options.generation) ? "page id of the root" : "bytes of the pages of its tree",
      });
    }
  }

  private sizeOf(row: FileRow, root: Uint8Array): bigint | undefined {
    try {
      return checkpointSizeOf(this.options.log, this.treeOptions(row, BigInt(row.config.id ?? 0)), root);
    } catch (error) {
      if (!(error instanceof TreeWriteError)) throw error;
      this.afterwards.add(`${row.uri}: its checkpoint's size was not looked at (${error.message})`);
      return undefined;
    }
  }

  private insert(uri: string, config: string): void {
    if (!WRITABLE_URI.test(uri) || uri.includes("\0") || /^file:WiredTiger/.test(uri))
      throw new RepairRefusal(
        "uri-invalid",
        `${JSON.stringify(uri)} is no URI of a row that can be inserted`,
      );
    if (this.draft.has(uri))
      throw new RepairRefusal("uri-exists", `${uri} is in the shared metadata already`);
    if (config.includes("\0"))
      throw new RepairRefusal("value-invalid", `${uri}: a NUL inside the configuration`);
    const tree = parsed(uri, config);
    if (uri.startsWith("file:")) {
      const id = configGetText(tree, ["id"]) ?? "";
      if (!/^\d+$/.test(id)) throw new RepairRefusal("id-invalid", `${uri}: the configuration has no id=`);
      if (configGet(tree, ["checkpoint"]) === undefined)
        throw new RepairRefusal("checkpoint-missing", `${uri}: the configuration has no checkpoint=`);
      this.newId(uri, id);
      this.note(BigInt(id));
    }
    this.draft.put(uri, config, { old: null, new: config });
  }

  private createTable({ name, config, rows: path }: Extract<RepairEdit, { edit: "create-table" }>): void {
    if (!NAME.test(name))
      throw new RepairRefusal("uri-invalid", `${JSON.stringify(name)} is no name of a table`);
    const { generation, log } = this.options;
    const uri = `file:${name}.wt_stable`;
    for (const taken of [uri, `layered:${name}`])
      if (this.draft.has(taken))
        throw new RepairRefusal("uri-exists", `${taken} is in the shared metadata already`);
    const given = parsed(name, config);
    const unknown = given.entries.find(({ key }) => !NEW_TABLE_KEYS.includes(key));
    if (unknown !== undefined)
      throw new RepairRefusal("config-unknown", `${unknown.key}= is not for the caller to set in a page log`);
    const keyFormat = configGetText(given, ["key_format"]) ?? "u";
    const valueFormat = configGetText(given, ["value_format"]) ?? "u";
    if (keyFormat === "r" || /^\d*t$/.test(valueFormat))
      throw new RepairRefusal("table-unsupported", `${name}: column stores are not made here`);
    const rows = path === undefined ? [] : readRows(path, keyFormat, valueFormat);
    const odd = rows.findIndex(({ value }) => beginsLikeTombstone(value));
    if (odd >= 0 && generation.recordVersion < PLAIN_VALUES)
      throw new RepairRefusal(
        "rows-invalid",
        `${path}, row ${odd + 1} by key: generation ${generation.name} stores values that begin with the bytes 14 14 in an escaped form, which is not written here`,
      );
    // The local part of a layered table takes an id as well.
    this.largest += 1n;
    const id = this.newId(uri, "auto");
    this.note(id);
    const row = fileRow(generation, uri, id, { keyFormat, valueFormat });
    const tree =
      rows.length === 0
        ? { ...freshTree(), writeGen: this.options.runWriteGen }
        : writeTree(log, this.treeOptions(row, id), rows);
    this.addRow(this.withTree(row, tree));
    this.addRow(layeredRow(generation, name, { keyFormat, valueFormat }));
  }

  private addRow(row: Parameters<typeof storedRow>[0]): void {
    const value = decodeText(storedRow(row).value).replace(/\0$/, "");
    this.draft.put(row.uri, value, { old: null, new: value });
  }

  /** The row with the tree as its next checkpoint. */
  private withTree(row: FileRow, tree: TreeState): FileRow {
    const { generation, time, runWriteGen } = this.options;
    const before = row.config.checkpoint?.at(-1);
    const facts = {
      order: (before?.order ?? 0n) + 1n,
      time: time > (before?.time ?? 0n) ? time : (before?.time ?? 0n),
      runWriteGen: before?.runWriteGen ?? runWriteGen,
    };
    return withCheckpoint(row, checkpointEntry(generation, tree, facts));
  }

  private treeOptions(row: FileRow, tableId: bigint): TreeOptions {
    const { generation, checkpointId } = this.options;
    const encryptor = tableEncryptor(row, this.options.encryptor);
    return {
      compressor: "",
      ...treeSettingsOf(row),
      ...(encryptor !== undefined && { encryptor }),
      maxConsecutiveDelta: 0,
      generation,
      checkpointId,
      tableId,
    };
  }
}

function historyParts(key: Uint8Array): ReturnType<typeof historyKey.parse> {
  try {
    return historyKey.parse(key);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new RepairRefusal("history-damaged", `a key of the shared history store: ${error.message}`);
  }
}
