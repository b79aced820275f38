/**
 * Where pages come from. Stores are opened read-only, read lazily and never keep more than a bounded window of the
 * input in memory; everything is synchronous.
 */
import type { Issue } from "../codec/issue.js";

export type InputKind =
  | "palm"
  | "palite"
  | "page-log-jsonl"
  | "page-service-jsonl"
  /** No input: a log that was built in memory. */
  | "memory"
  | "corruption-log"
  | "block"
  | "wt-file"
  | "classic-directory";

/** Where in the input a record or block was found, for findings. */
export interface Place {
  /** File, as the user named it or below what the user named. */
  readonly file: string;
  /** Byte offset in that file, where there is one (a SQLite row has none). */
  readonly offset?: number;
  /** Line number (1-based) of a text input. */
  readonly line?: number;
}

/** One put: a full image or a delta, with the attributes the store keeps beside the bytes. */
export interface PageRecord {
  readonly tableId: bigint;
  readonly pageId: bigint;
  readonly lsn: bigint;
  readonly isDelta: boolean;
  /** A discard marker: the page was freed at this LSN; `data` is empty. */
  readonly discarded: boolean;
  /** Raw page-log flags (0x1 COMPRESSED, 0x2 DELTA, 0x4 ENCRYPTED, …). */
  readonly flags: number;
  readonly backlinkLsn: bigint;
  readonly baseLsn: bigint;
  /** The store has lost the column of one of the two, which reads as 0. */
  readonly lacksLinks?: true;
  /** Stores until about mid-2025 keep checkpoint ids. */
  readonly checkpointId?: bigint;
  readonly backlinkCheckpointId?: bigint;
  readonly baseCheckpointId?: bigint;
  readonly timestampMaterializedUs?: bigint;
  /** Of `PageLog.records`: valid until the next record is read from the store, unless copied. Else the caller's. */
  readonly data: Uint8Array;
  readonly place: Place;
  /** What is wrong with the record's own key or attributes (padding, key length, …). */
  readonly issues: readonly Issue[];
}

/** A checkpoint-completion record. */
export interface CheckpointRecord {
  readonly lsn: bigint;
  readonly checkpointId?: bigint;
  readonly timestamp: bigint;
  /** Text given to "complete checkpoint" (format `checkpoint-record`). */
  readonly metadata: Uint8Array;
  readonly place: Place;
}

/** Counters of the store; absent where the store has none. */
export interface PageLogGlobals {
  /** PALM: the next LSN to be given. PALite: the last LSN given. */
  readonly lsnCounter?: bigint;
  readonly lsnCounterIs?: "next" | "last";
  readonly checkpointCompleted?: bigint;
  readonly checkpointStarted?: bigint;
  readonly highestTableId?: bigint;
}

/** A page log, whatever it is kept in. */
export interface PageLog {
  readonly kind: "palm" | "palite" | "page-log-jsonl" | "page-service-jsonl" | "memory";
  readonly path: string;
  /** Layout generation of the store itself, e.g. `PALM 88-byte keys`, `PALite P4`. */
  readonly generation: string;
  /** Bytes of the input (all files), for progress and totals. */
  readonly size: number;
  readonly globals: PageLogGlobals;
  /** Damage of the container itself (LMDB pages, SQLite errors, bad lines), found so far. */
  readonly issues: readonly StoreIssue[];
  /** Every record, ascending by (table id, page id, LSN); the data of one are gone with the next. */
  records(): IterableIterator<PageRecord>;
  /**
   * The records that serve a read of a page at an LSN: newest full image at or below it, then its deltas, oldest
   * first; empty when there is none. A chain longer than `limit` (default 1,000) is cut with an issue. Their data stay.
   */
  chain(tableId: bigint, pageId: bigint, lsn: bigint, limit?: number): PageRecord[];
  /** The record of exactly this LSN; its data stay. */
  record(tableId: bigint, pageId: bigint, lsn: bigint): PageRecord | undefined;
  /** Ascending by LSN. */
  checkpoints(): CheckpointRecord[];
  close(): void;
}

/** Damage a store meets in its own container. */
export interface StoreIssue extends Issue {
  readonly place: Place;
}

/** Positioned reads of one file; never creates, locks or changes anything. */
export interface RandomAccess {
  readonly path: string;
  readonly size: number;
  /** Fills `target` from `offset`; returns the bytes read, fewer only at the end of the file. */
  readInto(target: Uint8Array, offset: number): number;
  close(): void;
}
