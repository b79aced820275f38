/** Plans of repairs of page logs: plain JSON, LSNs and ids as text. */
import type { PlannedChange, Precondition, RepairEdit } from "../types.js";

export interface PageLogRepairOptions {
  /** Seconds since 1970, for the new checkpoints (default: now). */
  readonly time?: number;
  /** Gives up older values that the history store has under ids that are changed. */
  readonly dropHistory?: boolean;
  /** Name of the generation, where two look alike (2025-12 and 2026-01). */
  readonly generation?: string;
}

/** A record that is put, in the order of the LSNs. */
export interface PlannedPut {
  readonly lsn: string;
  readonly tableId: string;
  readonly pageId: string;
  readonly kind: "image" | "delta" | "discard";
  readonly backlinkLsn: string;
  readonly baseLsn: string;
  readonly size: number;
  readonly sha256: string;
}

export interface PageLogRepairPlan {
  readonly schemaVersion: 1;
  readonly document: "pugmark-repair-plan";
  readonly kind: "page-log";
  /** Absolute path of the page log. */
  readonly path: string;
  readonly edits: readonly RepairEdit[];
  readonly options: {
    readonly time: number;
    readonly dropHistory: boolean;
    readonly generation: string;
  };
  readonly found: {
    readonly store: string;
    readonly generation: string;
    readonly checkpointLsn: string;
    readonly rows: number;
    /** Records above the newest checkpoint, which belong to none. */
    readonly unfinished: number;
    readonly duplicateIds: ReadonlyArray<{ readonly id: string; readonly uris: readonly string[] }>;
  };
  readonly changes: readonly PlannedChange[];
  /** Records of the shared history store that get another table id, or are given up. */
  readonly history: { readonly moved: number; readonly dropped: number };
  readonly preconditions: readonly Precondition[];
  readonly puts: readonly PlannedPut[];
  /** Texts of the turtle page. */
  readonly turtle: { readonly before: string; readonly after: string };
  /** Completion records: what publishes. */
  readonly record: { readonly before: string; readonly after: string; readonly lsn: string };
  readonly afterwards: readonly string[];
}
