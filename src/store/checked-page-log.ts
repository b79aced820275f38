/**
 * What all page logs that can be written have in common: LSNs, checkpoints, refusals, crash points. How records are
 * kept is left to the store.
 */
import { pageLogFlags } from "../../formats/page-log.js";
import type { CrashPoint } from "./crash-point.js";
import { PageLogError } from "./page-log-error.js";
import { checkCompletion, checkDiscard, checkPage, checkPut, MAX_ID, type PageHead } from "./put-check.js";
import type { CheckpointRecord, PageLog, PageLogGlobals, PageRecord, StoreIssue } from "./types.js";
import type {
  CheckpointCompletion,
  PageDiscard,
  PagePut,
  WritablePageLog,
  WritablePageLogOptions,
} from "./writable.js";

/** First LSN of a fresh log in newer builds. */
export const FIRST_LSN = 1n << 32n;

/** A record as the store is to keep it. */
export type NewRecord = Omit<PageRecord, "place" | "issues">;
export type NewCheckpoint = Omit<CheckpointRecord, "place" | "checkpointId"> & {
  readonly checkpointId: bigint;
};

/** What a store that is opened holds already. */
export interface WriterState {
  /** The highest LSN ever given; 0 = none. */
  readonly lastLsn: bigint;
  /** LSN of the newest completed checkpoint; 0 = none. */
  readonly completedLsn: bigint;
  /** Id of that checkpoint: where stores keep none, their number. */
  readonly completedId: bigint;
  /** Whether there are records above the newest checkpoint. */
  readonly hasUnfinished: boolean;
  readonly highestTableId: bigint;
}

export const emptyState: WriterState = {
  lastLsn: 0n,
  completedLsn: 0n,
  completedId: 0n,
  hasUnfinished: false,
  highestTableId: 0n,
};

export abstract class CheckedPageLog implements WritablePageLog {
  abstract readonly kind: PageLog["kind"];
  abstract readonly path: string;
  abstract readonly generation: string;
  abstract readonly size: number;
  abstract readonly issues: readonly StoreIssue[];
  protected last: bigint;
  protected completedLsn: bigint;
  protected completedId: bigint;
  protected highestTableId: bigint;
  private hasUnfinished: boolean;
  private isClosed = false;
  private isBegun = false;
  /** Set when puts of the open checkpoint were lost. */
  private lost: string | undefined;
  private materialized: bigint;

  constructor(
    private readonly options: WritablePageLogOptions,
    state: WriterState,
    /** Whether records and checkpoints keep checkpoint ids. */
    protected readonly keepsIds: boolean,
  ) {
    const { firstLsn = FIRST_LSN } = options;
    if (firstLsn < 1n || firstLsn > MAX_ID) throw new PageLogError("lsn", `${firstLsn} is no first LSN`);
    this.last = state.lastLsn;
    this.completedLsn = this.materialized = state.completedLsn;
    this.completedId = state.completedId;
    this.hasUnfinished = state.hasUnfinished;
    this.highestTableId = state.highestTableId;
  }

  get lastLsn(): bigint {
    return this.last;
  }
  get materializedLsn(): bigint {
    return this.materialized;
  }

  setMaterializedLsn(lsn: bigint): void {
    this.checkOpen();
    if (lsn < this.materialized || lsn > this.last)
      throw new PageLogError("lsn", `materialised up to ${lsn}: not in ${this.materialized} to ${this.last}`);
    this.materialized = lsn;
  }

  put(put: PagePut): bigint {
    this.checkBegun();
    checkPage(put);
    const head = this.head(put.tableId, put.pageId);
    checkPut(put, head);
    const { tableId, pageId, isDelta, backlinkLsn, baseLsn } = put;
    const flags = ((put.flags ?? 0) | (isDelta ? pageLogFlags.delta : 0)) >>> 0;
    const { data } = put;
    const lsn = this.beforePut();
    const record = { tableId, pageId, lsn, isDelta, discarded: false, flags, backlinkLsn, baseLsn, data };
    return this.add(this.keepsIds ? { ...record, ...this.linkIds(put, head) } : record, head);
  }

  discard(page: PageDiscard): bigint {
    this.checkBegun();
    checkPage(page);
    const head = this.head(page.tableId, page.pageId);
    checkDiscard(page, head);
    const { tableId, pageId, backlinkLsn, baseLsn } = page;
    const flags = pageLogFlags.delta | pageLogFlags.discarded;
    const data = new Uint8Array(0);
    const lsn = this.beforePut();
    const record = {
      tableId,
      pageId,
      lsn,
      isDelta: true,
      discarded: true,
      flags,
      backlinkLsn,
      baseLsn,
      data,
    };
    const ids = this.keepsIds ? this.linkIds({ ...page, isDelta: true }, head) : {};
    return this.add({ ...record, ...ids }, head);
  }

  beginCheckpoint(): bigint {
    this.checkOpen();
    // A failure leaves no checkpoint open.
    this.isBegun = false;
    if (this.hasUnfinished) this.removeUnfinished(this.completedLsn);
    this.hasUnfinished = false;
    this.lost = undefined;
    this.isBegun = true;
    return this.completedId + 1n;
  }

  completeCheckpoint(completion: CheckpointCompletion): bigint {
    this.checkBegun();
    checkCompletion(completion);
    this.at("before-publish");
    const lsn = this.nextLsn();
    const { timestamp, metadata } = completion;
    const checkpointId = this.completedId + 1n;
    this.publish({ lsn, timestamp, metadata, checkpointId });
    this.last = this.completedLsn = lsn;
    this.completedId = checkpointId;
    this.isBegun = this.hasUnfinished = false;
    this.at("after-publish");
    return lsn;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.isBegun = false;
    this.release();
  }

  get globals(): PageLogGlobals {
    if (this.keepsIds) return this.idGlobals;
    return { lsnCounter: this.last, lsnCounterIs: "last", highestTableId: this.highestTableId };
  }

  /** The counters of stores with checkpoint ids. */
  protected get idGlobals(): PageLogGlobals {
    return {
      lsnCounter: this.last === 0n ? this.nextLsn() : this.last + 1n,
      lsnCounterIs: "next",
      checkpointCompleted: this.completedId,
      checkpointStarted: this.completedId + 1n,
    };
  }

  abstract records(): IterableIterator<PageRecord>;
  abstract chain(tableId: bigint, pageId: bigint, lsn: bigint, limit?: number): PageRecord[];
  abstract record(tableId: bigint, pageId: bigint, lsn: bigint): PageRecord | undefined;
  abstract checkpoints(): CheckpointRecord[];

  /** The page's newest record. */
  protected abstract head(tableId: bigint, pageId: bigint): PageHead | undefined;
  /** Keeps a record, which is visible at once; passes `inside-put`. The data is the caller's: copy it. */
  protected abstract insert(record: NewRecord, head: PageHead): void;
  /** Makes everything durable, then the checkpoint; passes `inside-publish`. */
  protected abstract publish(checkpoint: NewCheckpoint): void;
  /** Removes all records above the LSN; their LSNs are given again in logs with checkpoint ids only. */
  protected abstract removeUnfinished(above: bigint): void;
  protected abstract release(): void;

  protected at(point: CrashPoint): void {
    this.options.onCrashPoint?.(point);
  }

  /** Puts of the open checkpoint are gone: it cannot be completed. */
  protected lose(reason: string): void {
    this.lost = reason;
  }

  protected checkOpen(): void {
    if (this.isClosed) throw new PageLogError("closed", "the page log is closed");
  }

  protected nextLsn(): bigint {
    const lsn = this.last === 0n ? (this.options.firstLsn ?? FIRST_LSN) : this.last + 1n;
    if (lsn > MAX_ID) throw new PageLogError("lsn", "no LSN is left");
    return lsn;
  }

  private checkBegun(): void {
    this.checkOpen();
    if (this.lost !== undefined)
      throw new PageLogError("checkpoint-lost", `puts of this checkpoint were lost: ${this.lost}`);
    if (!this.isBegun) throw new PageLogError("no-checkpoint", "no checkpoint was begun");
  }

  private linkIds(
    { isDelta, backlinkLsn }: Pick<PagePut, "isDelta" | "backlinkLsn">,
    head: PageHead | undefined,
  ): Pick<NewRecord, "checkpointId" | "backlinkCheckpointId" | "baseCheckpointId"> {
    const linked = backlinkLsn === head?.lsn ? head.checkpointId : head?.imageCheckpointId;
    return {
      checkpointId: this.completedId + 1n,
      backlinkCheckpointId: backlinkLsn === 0n ? 0n : (linked ?? 0n),
      baseCheckpointId: isDelta ? (head?.imageCheckpointId ?? 0n) : 0n,
    };
  }

  /** The record's LSN. */
  private beforePut(): bigint {
    this.at("before-put");
    return this.nextLsn();
  }

  private add(record: NewRecord, before: PageHead | undefined): bigint {
    const { lsn, isDelta, tableId } = record;
    const head: PageHead = {
      lsn,
      imageLsn: isDelta ? (before?.imageLsn ?? 0n) : lsn,
      discarded: record.discarded,
      checkpointId: record.checkpointId,
      imageCheckpointId: isDelta ? before?.imageCheckpointId : record.checkpointId,
    };
    // Before the store does anything: what fails half-way is removed with the rest.
    this.hasUnfinished = true;
    this.insert(record, head);
    this.last = lsn;
    if (tableId > this.highestTableId) this.highestTableId = tableId;
    this.at("after-put");
    return lsn;
  }
}
