/**
 * A checkpoint in its six steps: pages of the tables and of the shared metadata, the key, its page, the provider's
 * notice, the turtle page's text, its put and the record that publishes everything.
 */
import { specialTables } from "../../../formats/disagg-tables.js";
import type { CrashHook } from "../../store/crash-point.js";
import type { WritablePageLog } from "../../store/writable.js";
import { KeyProviderError } from "../key-provider/key-error.js";
import type { KeyExchange } from "../key-provider/key-exchange.js";
import { editTree } from "../tree/index.js";
import type { RowEdit, TreeOptions, TreeState, WriteRow } from "../types.js";
import { checkpointEntry } from "./entry.js";
import { type FileRow, type LayeredRow, storedRow, treeSettingsOf, withCheckpoint } from "./metadata-rows.js";
import { completionRecord, turtlePage } from "./turtle-page.js";
import { type DatabaseState, freshTree, largestWriteGen, type TableState } from "./write-state.js";

/** What a checkpoint is to do to one table. */
export interface TableChange {
  readonly row: FileRow;
  /** Undefined for a table that has no checkpoint yet. */
  readonly tree: TreeState | undefined;
  /** The row of its layered table, when it is new. */
  readonly layered: LayeredRow | undefined;
  /** Rows of a table that has none yet. */
  readonly load: Iterable<WriteRow> | undefined;
  readonly edits: readonly RowEdit[];
}

export interface CheckpointPlan {
  readonly changes: readonly TableChange[];
  readonly timestamp: bigint;
  readonly oldestTimestamp: bigint;
  readonly schemaEpoch: bigint;
  readonly largestFileId: bigint;
  /** Seconds since 1970. */
  readonly time: bigint;
  /** Write generation this run of the database began with. */
  readonly runWriteGen: bigint;
}

export interface CheckpointContext extends Pick<TreeOptions, "encryptor"> {
  readonly log: WritablePageLog;
  /** Undefined: the database has no key provider. */
  readonly keys: KeyExchange | undefined;
  readonly onCrashPoint?: CrashHook | undefined;
}

/** The engine's tree of the shared metadata has no deltas. */
const METADATA_TREE = { compressor: "", maxConsecutiveDelta: 0 } as const;

export class CheckpointWriter {
  /** Of the key page the provider was told of, until the checkpoint that has it is published. */
  private unpublishedLsn: bigint | undefined;
  /** That page, while it is in no log: the next checkpoint puts it again. */
  private unpublishedPage: Uint8Array | undefined;

  constructor(private readonly context: CheckpointContext) {}

  /**
   * Writes and publishes a checkpoint. When it throws, nothing is published: the state given still holds, and the
   * next call begins anew.
   * @throws TreeWriteError, PageLogError, KeyProviderError
   */
  write(state: DatabaseState, plan: CheckpointPlan): DatabaseState {
    const { log } = this.context;
    this.takeUnpublishedPage(state);
    const checkpointId = log.beginCheckpoint();
    // 1: pages of the tables, then of the shared metadata.
    const written = this.writeTables(state, plan, checkpointId);
    // 2 to 4: the key.
    const keyLsn = this.writeKey(state, plan.timestamp);
    // 5: what the turtle page says.
    const next = { ...written, keyLsn, timestamp: plan.timestamp };
    // 6: the turtle page, and publication.
    const lsn = this.publish(next, checkpointId);
    this.unpublishedLsn = undefined;
    return { ...next, lsn };
  }

  /** Forgets a key whose checkpoint failed: the database goes on from what is published. */
  forgetKey(): void {
    this.unpublishedPage?.fill(0);
    this.unpublishedPage = this.unpublishedLsn = undefined;
  }

  private at(point: Parameters<CrashHook>[0]): void {
    this.context.onCrashPoint?.(point);
  }

  private writeTables(state: DatabaseState, plan: CheckpointPlan, checkpointId: bigint): DatabaseState {
    const tables = new Map(state.tables);
    const layered = new Map(state.layered);
    const rows: RowEdit[] = [];
    for (const change of plan.changes) {
      const table = this.writeTable(state, plan, change, checkpointId);
      if (table !== undefined) {
        tables.set(table.row.uri, table);
        rows.push(storedRow(table.row));
      }
      if (change.layered === undefined) continue;
      layered.set(change.layered.uri, change.layered);
      rows.push(storedRow(change.layered));
    }
    const metadata = this.writeMetadata(state, plan, rows, checkpointId);
    const { oldestTimestamp, schemaEpoch, largestFileId } = plan;
    const maxWriteGen = largestWriteGen(tables.values(), metadata.tree);
    return { ...state, tables, layered, metadata, oldestTimestamp, schemaEpoch, largestFileId, maxWriteGen };
  }

  /** Undefined for a table that stays as it is: it keeps its checkpoint. */
  private writeTable(
    state: DatabaseState,
    plan: CheckpointPlan,
    { row, tree: before, load, edits }: TableChange,
    checkpointId: bigint,
  ): TableState | undefined {
    const { generation } = state;
    const options: TreeOptions = {
      ...this.treeOptions(state, checkpointId),
      compressor: "",
      ...treeSettingsOf(row),
      tableId: BigInt(row.config.id ?? 0),
    };
    const { log } = this.context;
    const start = inRun(before ?? freshTree(), plan);
    let tree = load === undefined ? start : editTree(log, options, start, load);
    if (edits.length > 0) tree = editTree(log, options, tree, edits);
    if (tree === start && before !== undefined) return undefined;
    const order = (row.config.checkpoint?.at(-1)?.order ?? 0n) + 1n;
    return { row: withCheckpoint(row, checkpointEntry(generation, tree, { ...plan, order })), tree };
  }

  private writeMetadata(
    state: DatabaseState,
    plan: CheckpointPlan,
    rows: RowEdit[],
    checkpointId: bigint,
  ): DatabaseState["metadata"] {
    const { generation, metadata } = state;
    const options: TreeOptions = {
      ...this.treeOptions(state, checkpointId),
      ...METADATA_TREE,
      tableId: generation.tables.sharedMetadata,
    };
    rows.sort((a, b) => Buffer.compare(a.key, b.key));
    if (rows.length === 0 && metadata.entry !== undefined) return metadata;
    const tree = editTree(this.context.log, options, inRun(metadata.tree, plan), rows);
    const order = (metadata.entry?.order ?? 0n) + 1n;
    return { tree, entry: checkpointEntry(generation, tree, { ...plan, order }) };
  }

  private treeOptions(
    { generation }: DatabaseState,
    checkpointId: bigint,
  ): Pick<TreeOptions, "generation" | "checkpointId" | "encryptor"> {
    const { encryptor } = this.context;
    return { generation, checkpointId, ...(encryptor === undefined ? {} : { encryptor }) };
  }

  /** LSN of the key page that counts; undefined = there is none. */
  private writeKey(state: DatabaseState, timestamp: bigint): bigint | undefined {
    const { keys } = this.context;
    if (keys === undefined) return state.keyLsn;
    const put = (page: Uint8Array): bigint => this.putPlain(state.generation.tables.keyProvider, page);
    const lsn = keys.persist(timestamp, put);
    const again = lsn === undefined ? this.unpublishedPage : undefined;
    if (lsn === undefined && again === undefined) {
      if (state.keyLsn !== undefined) return state.keyLsn;
      const message = "the first checkpoint needs a key, and the key provider has none";
      const error = new KeyProviderError("key-missing", message);
      keys.failed(error);
      throw error;
    }
    const keyLsn = again === undefined ? lsn : put(again);
    this.forgetKey();
    this.unpublishedLsn = keyLsn;
    if (again !== undefined && keyLsn !== undefined) keys.moved(keyLsn);
    return keyLsn;
  }

  /**
   * The page of a key whose checkpoint failed after the provider had been told: the log drops it when the next
   * checkpoint begins.
   */
  private takeUnpublishedPage({ generation }: DatabaseState): void {
    const lsn = this.unpublishedLsn;
    if (lsn === undefined) return;
    const { log, keys } = this.context;
    const page = log.record(generation.tables.keyProvider, specialTables.keyProvider.page, lsn);
    this.forgetKey();
    this.unpublishedPage = page && Uint8Array.from(page.data);
    if (page === undefined)
      keys?.failed(new KeyProviderError("key-page", `the key page at LSN ${lsn} is not in the log any more`));
  }

  /** Key and turtle pages are put without links. */
  private putPlain(tableId: bigint, data: Uint8Array): bigint {
    const { page: pageId } = specialTables.keyProvider;
    return this.context.log.put({ tableId, pageId, isDelta: false, backlinkLsn: 0n, baseLsn: 0n, data });
  }

  private publish(state: DatabaseState, checkpointId: bigint): bigint {
    const { generation, metadata, timestamp, tables } = state;
    const turtle = turtlePage(generation, { ...state, metadata: metadata.entry! });
    this.at("before-turtle");
    const turtleLsn = this.putPlain(generation.tables.turtle, turtle);
    this.at("after-turtle");
    const trees = Array.from(tables.values(), ({ tree }) => tree.liveBytes);
    const databaseSize = trees.reduce((sum, bytes) => sum + bytes, metadata.tree.liveBytes);
    const facts = { checkpointId, turtleLsn, turtle, databaseSize };
    return this.context.log.completeCheckpoint({ metadata: completionRecord(generation, facts), timestamp });
  }
}

/** Pages of a run have higher write generations than any page before it. */
const inRun = (tree: TreeState, { runWriteGen }: CheckpointPlan): TreeState =>
  tree.writeGen < runWriteGen ? { ...tree, writeGen: runWriteGen } : tree;
