/** A node of a database in a page log: a leader writes checkpoints, a follower reads them. */

import { checkpointRecord } from "../../../formats/checkpoint-record.js";
import { btreeId } from "../../../formats/disagg-tables.js";
import type { CrashHook } from "../../store/crash-point.js";
import type { PageLog, CheckpointRecord as StoredCheckpoint } from "../../store/types.js";
import type { WritablePageLog } from "../../store/writable.js";
import { PageLogDatabase } from "../../tree/page-log/database.js";
import type { Database, DatabaseOptions } from "../../tree/types.js";
import { fileRow, layeredRow, type TableOptions } from "../checkpoint/metadata-rows.js";
import { pickUp } from "../checkpoint/pick-up.js";
import { type CheckpointPlan, CheckpointWriter } from "../checkpoint/write-checkpoint.js";
import { type DatabaseState, freshState } from "../checkpoint/write-state.js";
import { newestGeneration, type WriteGeneration } from "../generation.js";
import { KeyProviderError } from "../key-provider/key-error.js";
import { KeyExchange } from "../key-provider/key-exchange.js";
import type { KeyProvider } from "../key-provider/types.js";
import type { RowEdit, TreeOptions, WriteRow } from "../types.js";
import { NodeError } from "./node-error.js";
import { type RowRules, StagedTable } from "./staged-table.js";

export type NodeRole = "leader" | "follower";

export interface NodeOptions extends Pick<TreeOptions, "encryptor"> {
  /** Default: leader for a page log that can be written, else follower. */
  readonly role?: NodeRole;
  /** Of a new store, the newest one when absent; of an existing one it is found out. */
  readonly generation?: WriteGeneration;
  readonly keyProvider?: KeyProvider;
  /** Bytes of the largest key blob that is persisted (default 64 KiB). */
  readonly maxKeySize?: number;
  /** Text of the completion record to open; the newest checkpoint when absent. A follower's. */
  readonly checkpoint?: Uint8Array | string;
  /** Seconds since 1970, for the checkpoints' `time=`. */
  readonly now?: () => bigint;
  /** Told of the crash points between the puts; those of the puts are the store's. */
  readonly onCrashPoint?: CrashHook;
  /** How encrypted pages are read. */
  readonly reading?: DatabaseOptions;
}

/** A checkpoint that was published. */
export interface PublishedCheckpoint {
  /** LSN of the completion record. */
  readonly lsn: bigint;
  readonly timestamp: bigint;
  /** LSN of the key page; undefined = the database has no key. */
  readonly keyLsn: bigint | undefined;
}

/** A table of a leader: what is given here becomes part of the next checkpoint. */
export interface TableWriter {
  readonly uri: string;
  /**
   * Gives all rows of a table that has none, ascending by key. They are read when the checkpoint is written, and again
   * by the next one if that fails: a generator function's result can be read only once, an array or an object with
   * `[Symbol.iterator]` any number of times.
   */
  load(rows: Iterable<WriteRow>): this;
  /** Sets and removes rows, ascending by key; later edits of a key replace earlier ones. */
  edit(edits: Iterable<RowEdit>): this;
}

/** Tables whose ids and names are the engine's. */
const NAME = /^[^\0",=()[\]{}]+$/;

export class DatabaseNode {
  private state: DatabaseState;
  private currentRole: NodeRole;
  private writer: CheckpointWriter | undefined;
  private staged = new Map<string, StagedTable>();
  private stable = 0n;
  private oldest = 0n;
  private nextFileId = 0n;
  /** Write generation this run began with. */
  private runWriteGen = 1n;
  private keys: KeyExchange | undefined;
  private isClosed = false;

  private constructor(
    private log: PageLog | WritablePageLog,
    private readonly options: NodeOptions,
  ) {
    this.currentRole = options.role ?? (isWritable(log) ? "leader" : "follower");
    if (this.currentRole === "leader") writable(log);
    this.state = this.readState(options.checkpoint);
    this.begin();
  }

  /**
   * Opens the newest checkpoint of a page log (or the one that is named) and hands its key to the provider. An empty
   * log is a new database. The log stays the caller's to close.
   * @throws NodeError, KeyProviderError, PickUpError, TreeError
   */
  static open(log: PageLog | WritablePageLog, options: NodeOptions = {}): DatabaseNode {
    return new DatabaseNode(log, options);
  }

  get role(): NodeRole {
    return this.currentRole;
  }
  get generation(): WriteGeneration {
    return this.state.generation;
  }
  /** What the next checkpoint's timestamp will be. */
  get stableTimestamp(): bigint {
    return this.stable;
  }
  /** The checkpoint the node is at; undefined before the first. */
  get checkpointed(): PublishedCheckpoint | undefined {
    const { lsn, timestamp, keyLsn } = this.state;
    return lsn === 0n ? undefined : { lsn, timestamp, keyLsn };
  }

  /** The rows of that checkpoint, and of those before. To be asked for anew after a checkpoint or a pick-up. */
  reader(): Database {
    this.checkOpen();
    return new PageLogDatabase(this.log, this.log.path, this.options.reading ?? {});
  }

  /**
   * Makes a table: `layered:NAME` with its rows in `file:NAME.wt_stable`, or with `kind: "file"` a table `file:NAME`
   * of the page log alone.
   * @throws NodeError `follower`, `table-exists`, `table-name`
   */
  createTable(
    name: string,
    options: TableOptions & { readonly kind?: "layered" | "file" } = {},
  ): TableWriter {
    this.checkLeader(`create the table ${name}`);
    if (!NAME.test(name)) throw new NodeError("table-name", `${JSON.stringify(name)} is no name of a table`);
    const { kind = "layered" } = options;
    const uri = kind === "file" ? `file:${name}` : `file:${name}.wt_stable`;
    if (this.state.tables.has(uri) || this.staged.has(uri))
      throw new NodeError("table-exists", `there is a table ${uri} already`);
    const { generation } = this.state;
    // The local part of a layered table takes an id as well.
    this.nextFileId += kind === "file" ? 1n : 2n;
    const id = btreeId(this.nextFileId, "shared");
    const row = fileRow(generation, uri, id, {
      ...options,
      blockManager: kind === "file" ? "disagg" : "default",
    });
    const layered = kind === "file" ? undefined : layeredRow(generation, name, options);
    this.staged.set(uri, new StagedTable(row, undefined, layered));
    return this.writerOf(uri);
  }

  /**
   * A table by any of its names: `t`, `layered:t`, `file:t.wt_stable`.
   * @throws NodeError `follower`, `no-table`
   */
  table(name: string): TableWriter {
    this.checkLeader(`write to ${name}`);
    const found = [name, `file:${name.replace(/^layered:/, "")}.wt_stable`, `file:${name}`].find(
      (uri) => this.state.tables.has(uri) || this.staged.has(uri),
    );
    if (found === undefined) throw new NodeError("no-table", `there is no table ${name}`);
    return this.writerOf(found);
  }

  /** The next checkpoint's timestamp; changes given from now on must be later. @throws NodeError `timestamp` */
  setStableTimestamp(timestamp: bigint): void {
    this.checkLeader("move the stable timestamp");
    if (timestamp < this.stable)
      throw new NodeError("timestamp", `stable timestamp ${timestamp}: it is ${this.stable} already`);
    this.stable = timestamp;
  }

  /** @throws NodeError `timestamp` when it moves back, or beyond the stable one */
  setOldestTimestamp(timestamp: bigint): void {
    this.checkLeader("move the oldest timestamp");
    if (timestamp < this.oldest || timestamp > this.stable)
      throw new NodeError(
        "timestamp",
        `oldest timestamp ${timestamp}: it can be ${this.oldest} to ${this.stable}`,
      );
    this.oldest = timestamp;
  }

  /**
   * The push form of a key: the checkpoint whose timestamp reaches it persists it.
   * @throws NodeError `follower`; KeyProviderError `key-timestamp`, `key-size`, `key-not-pushed`
   */
  setKey(key: Uint8Array, timestamp: bigint): void {
    this.checkLeader("set a key");
    const { keyProvider } = this.options;
    if (keyProvider?.setKey === undefined)
      throw new KeyProviderError("key-not-pushed", "the database has no key provider keys can be pushed to");
    if (timestamp <= this.stable)
      throw new KeyProviderError(
        "key-timestamp",
        `a key of timestamp ${timestamp} is not above the stable timestamp ${this.stable}`,
      );
    keyProvider.setKey(key, timestamp);
  }

  /**
   * Writes everything that was given since the last checkpoint, asks for a key, and publishes. When it throws nothing
   * is published and nothing that was given is lost: the next call tries again.
   * @throws NodeError `follower`, `another-leader`; TreeWriteError, PageLogError, KeyProviderError
   */
  checkpoint(): PublishedCheckpoint {
    this.checkLeader("write a checkpoint");
    const newest = newestCheckpoint(this.log)?.lsn ?? 0n;
    if (newest !== this.state.lsn)
      throw new NodeError(
        "another-leader",
        `there is a checkpoint at LSN ${newest} this node has not written; it is at ${this.state.lsn}`,
      );
    this.state = (this.writer as CheckpointWriter).write(this.state, this.plan());
    this.staged = new Map();
    return this.checkpointed as PublishedCheckpoint;
  }

  /**
   * Goes to the newest checkpoint, or to the one whose completion record is given, and loads its key.
   * @param log the page log opened anew, where an open one does not show what others write
   * @throws NodeError `leader`, `no-checkpoint`; KeyProviderError, PickUpError, TreeError
   */
  pickUp(
    checkpoint?: Uint8Array | string,
    log: PageLog | WritablePageLog = this.log,
  ): PublishedCheckpoint | undefined {
    this.checkOpen();
    if (this.role === "leader")
      throw new NodeError("leader", "a leader picks up nothing: it writes the checkpoints");
    const before = this.log;
    this.log = log;
    try {
      this.state = this.readState(checkpoint);
    } catch (error) {
      this.log = before;
      throw error;
    }
    this.begin();
    return this.checkpointed;
  }

  /**
   * Makes a follower the leader, at the newest checkpoint.
   * @param log the page log, opened for writing, where the follower's was opened for reading only
   */
  stepUp(log: PageLog | WritablePageLog = this.log): void {
    this.checkOpen();
    if (this.role === "leader") throw new NodeError("leader", "the node is the leader already");
    this.pickUp(undefined, writable(log));
    this.currentRole = "leader";
    this.begin();
  }

  /** Makes the leader a follower, at its last checkpoint. What was given since is dropped. */
  stepDown(): void {
    this.checkLeader("step down");
    this.writer?.forgetKey();
    this.currentRole = "follower";
    this.pickUp();
  }

  /** Ends the key provider. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.writer?.forgetKey();
    this.options.keyProvider?.terminate?.();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private writerOf(uri: string): TableWriter {
    const table: TableWriter = {
      uri,
      load: (rows) => {
        this.stage(uri).addLoad(rows, this.rulesOf(uri));
        return table;
      },
      edit: (edits) => {
        this.stage(uri).addEdits(edits, this.rulesOf(uri));
        return table;
      },
    };
    return table;
  }

  private rulesOf(uri: string): RowRules {
    const { recordVersion } = this.state.generation;
    return { stable: this.stable, anyValue: recordVersion >= 2 || !isLayered(uri) };
  }

  private stage(uri: string): StagedTable {
    this.checkLeader(`write to ${uri}`);
    const known = this.staged.get(uri);
    if (known !== undefined) return known;
    const table = this.state.tables.get(uri);
    if (table === undefined) throw new NodeError("no-table", `there is no table ${uri}`);
    const staged = new StagedTable(table.row, table.tree, undefined);
    this.staged.set(uri, staged);
    return staged;
  }

  private plan(): CheckpointPlan {
    const changes = [...this.staged].filter(([, table]) => !table.isEmpty).map(([, table]) => table.change());
    const { stable: timestamp, oldest: oldestTimestamp, nextFileId: largestFileId, runWriteGen } = this;
    const { schemaEpoch } = this.state;
    const { now = systemSeconds } = this.options;
    return { changes, timestamp, oldestTimestamp, schemaEpoch, largestFileId, runWriteGen, time: now() };
  }

  /** The state of a checkpoint of the log, whose key the provider has loaded. */
  private readState(wanted: Uint8Array | string | undefined): DatabaseState {
    const { generation, reading } = this.options;
    const checkpoint = wanted === undefined ? newestCheckpoint(this.log) : findCheckpoint(this.log, wanted);
    const state =
      checkpoint === undefined
        ? freshState(generation ?? newestGeneration)
        : pickUp(this.log, checkpoint, { ...reading, generation });
    this.loadKey(state);
    return state;
  }

  private loadKey({ generation, keyLsn }: DatabaseState): void {
    const { keyProvider: provider, maxKeySize, onCrashPoint } = this.options;
    if (provider === undefined) return;
    this.keys = new KeyExchange(provider, { generation: generation.crypt, maxKeySize, onCrashPoint });
    const page =
      keyLsn === undefined ? undefined : this.log.record(generation.tables.keyProvider, 1n, keyLsn)?.data;
    if (keyLsn !== undefined && page === undefined)
      throw new KeyProviderError(
        "key-page",
        `the checkpoint names a key page at LSN ${keyLsn} that is not there`,
      );
    this.keys.load(page, keyLsn ?? 0n);
  }

  /** Begins a run at the state that was read. */
  private begin(): void {
    const { state, keys, log } = this;
    this.staged = new Map();
    this.stable = state.timestamp;
    this.oldest = state.oldestTimestamp;
    this.nextFileId = state.largestFileId;
    this.runWriteGen = state.maxWriteGen + 1n;
    this.writer = undefined;
    if (this.role === "follower") return;
    const { encryptor, onCrashPoint } = this.options;
    const encryption = encryptor === undefined ? {} : { encryptor };
    this.writer = new CheckpointWriter({ log: writable(log), keys, onCrashPoint, ...encryption });
  }

  private checkOpen(): void {
    if (this.isClosed) throw new NodeError("closed", "the node is closed");
  }

  private checkLeader(what: string): void {
    this.checkOpen();
    if (this.role === "follower")
      throw new NodeError(
        "follower",
        `cannot ${what}: the node is a follower, which only reads; step up first`,
      );
  }
}

const isWritable = (log: PageLog | WritablePageLog): log is WritablePageLog => "beginCheckpoint" in log;

function writable(log: PageLog | WritablePageLog): WritablePageLog {
  if (isWritable(log)) return log;
  throw new NodeError(
    "read-only",
    `${log.path} was opened for reading only: a leader needs a log it can write`,
  );
}

const systemSeconds = (): bigint => BigInt(Math.floor(Date.now() / 1000));

const newestCheckpoint = (log: PageLog): StoredCheckpoint | undefined => log.checkpoints().at(-1);

/** Whether a file is the part of a layered table that is in the page log. */
const isLayered = (uri: string): boolean => uri.endsWith(".wt_stable");

/** The completed checkpoint a record text stands for. */
function findCheckpoint(log: PageLog, text: Uint8Array | string): StoredCheckpoint {
  const wanted = checkpointRecord.read(typeof text === "string" ? new TextEncoder().encode(text) : text);
  const lsn = wanted.ok ? wanted.value.metadataLsn : undefined;
  const found = log.checkpoints().findLast(({ metadata }) => {
    const reading = checkpointRecord.read(metadata);
    return lsn !== undefined && reading.ok && reading.value.metadataLsn === lsn;
  });
  if (found === undefined)
    throw new NodeError("no-checkpoint", `${log.path}: no completed checkpoint has this record`);
  return found;
}
