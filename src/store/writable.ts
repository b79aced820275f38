/** Writing into a page log (formats: page-log stores §1). What is put can be read at once through the same object. */
import type { CrashHook } from "./crash-point.js";
import type { PageLog } from "./types.js";

/** One image or delta. The log gives it the next LSN. */
export interface PagePut {
  readonly tableId: bigint;
  readonly pageId: bigint;
  readonly isDelta: boolean;
  /** Page-log flags but DELTA, which follows from `isDelta`: 0x1 COMPRESSED, 0x4 ENCRYPTED, … */
  readonly flags?: number;
  /** LSN of the record right before a delta; of the page's previous full image for a later image; 0 = none. */
  readonly backlinkLsn: bigint;
  /** LSN of the full image below a delta; 0 for a full image. */
  readonly baseLsn: bigint;
  /** Stores until about mid-2025 keep checkpoint ids as well; others ignore them. */
  readonly backlinkCheckpointId?: bigint;
  readonly baseCheckpointId?: bigint;
  readonly data: Uint8Array;
}

/** Says that a page was freed: a later read at its LSN or above finds nothing. */
export type PageDiscard = Pick<PagePut, "tableId" | "pageId" | "backlinkLsn" | "baseLsn">;

export interface CheckpointCompletion {
  /** Text of the checkpoint-completion record (format `checkpoint-record`). */
  readonly metadata: Uint8Array;
  /** The checkpoint's stable timestamp, 0 = none. */
  readonly timestamp: bigint;
}

/**
 * A page log that can be written. Puts need not be durable until the next `completeCheckpoint`, which makes everything
 * before it durable, and then the checkpoint itself, in one atomic step. A process killed at any point leaves a store
 * that opens and shows every completed checkpoint.
 */
export interface WritablePageLog extends PageLog {
  /** The highest LSN given so far; 0 in an empty log. */
  readonly lastLsn: bigint;
  /** @throws PageLogError the put is refused or failed; nothing of it is in the log */
  put(put: PagePut): bigint;
  discard(page: PageDiscard): bigint;
  /**
   * Opens a checkpoint and returns its id (1 for the first); puts need an open one. An unfinished one is given up: its
   * records, which stay until now, are removed, because no checkpoint can name them and they would stand in the middle
   * of their pages' chains. Their LSNs are not given again, but for logs with checkpoint ids (PALM), which have no gaps.
   */
  beginCheckpoint(): bigint;
  /** Publishes; returns the LSN of the record. */
  completeCheckpoint(completion: CheckpointCompletion): bigint;
  /** Up to this LSN everything is materialised by the page servers; starts at the last completed checkpoint. */
  readonly materializedLsn: bigint;
  setMaterializedLsn(lsn: bigint): void;
}

export interface WritablePageLogOptions {
  /** Called at every crash point; a test kills the process there. */
  readonly onCrashPoint?: CrashHook;
  /** The first LSN of an empty log: 1, or 2³² as newer builds do (default). */
  readonly firstLsn?: bigint;
}
