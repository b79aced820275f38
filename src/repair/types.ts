/** What repairs take and give. Every document is plain JSON: byte counts and offsets are numbers, 64-bit values text. */

export type RepairEdit =
  /** One configuration key of one row; `key` is a path (`log.enabled`), `value` configuration text. */
  | { readonly edit: "set"; readonly uri: string; readonly key: string; readonly value: string }
  /** A decimal id, or the next one the engine would give. */
  | { readonly edit: "change-id"; readonly uri: string; readonly id: "auto" | string }
  | { readonly edit: "insert"; readonly uri: string; readonly config: string }
  | { readonly edit: "remove"; readonly uri: string }
  | {
      readonly edit: "create-table";
      readonly name: string;
      /** As given to the engine: `key_format=S,value_format=S`. */
      readonly config: string;
      /** File with the rows as `wt dump -x` prints them; an empty table without one. */
      readonly rows?: string;
    }
  | { readonly edit: "fix-duplicates" }
  | { readonly edit: "fix-checkpoint-size" };

export interface RepairOptions {
  /** Seconds since 1970, for the new checkpoint (default: now). */
  readonly time?: number;
  /** Keeps the metadata's checkpoint beside the new one, until the engine's next checkpoint. */
  readonly keepCheckpoint?: boolean;
  /** Gives up older values that the history store has under ids that are changed. */
  readonly dropHistory?: boolean;
  /** Goes on where locks cannot be seen; a lock that is seen is refused all the same. */
  readonly forceUnlocked?: boolean;
}

/** A row, or one key of it, before and after; null = it is not there. */
export interface PlannedChange {
  readonly uri: string;
  readonly key?: string;
  readonly old: string | null;
  readonly new: string | null;
  readonly why?: string;
}

export interface PlannedRange {
  readonly offset: number;
  readonly size: number;
}

export interface PlannedBlock extends PlannedRange {
  readonly role: string;
  /** Of the block header, hex. */
  readonly checksum: string;
  readonly writeGen: string;
  /** Of all its bytes. */
  readonly sha256: string;
}

export interface PlannedLists {
  readonly alloc: readonly PlannedRange[];
  readonly avail: readonly PlannedRange[];
  readonly discard: readonly PlannedRange[];
}

export interface PlannedFile {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly rows: number;
}

/** A condition under which a repair would do harm, and what shows that it is not met. */
export interface Precondition {
  readonly code: string;
  readonly evidence: string;
}

export interface ClassicRepairPlan {
  readonly schemaVersion: 1;
  readonly document: "pugmark-repair-plan";
  readonly kind: "classic";
  /** Absolute path of the directory. */
  readonly path: string;
  readonly edits: readonly RepairEdit[];
  readonly options: {
    readonly time: number;
    readonly keepCheckpoint: boolean;
    readonly dropHistory: boolean;
  };
  readonly found: {
    readonly engine: string;
    readonly checkpoint: string;
    readonly rows: number;
    readonly levels: number;
    readonly pages: number;
    readonly highestId: string;
    /** URIs of the tables that have the same id. */
    readonly duplicateIds: ReadonlyArray<{ readonly id: string; readonly uris: readonly string[] }>;
  };
  readonly changes: readonly PlannedChange[];
  readonly preconditions: readonly Precondition[];
  /** New files, which are put in place before the metadata. */
  readonly files: readonly PlannedFile[];
  readonly metadata: {
    readonly file: string;
    /** What becomes of the checkpoint before. */
    readonly mode: "replace" | "keep";
    readonly checkpoint: string;
    readonly length: { readonly before: number; readonly after: number };
    readonly blocks: readonly PlannedBlock[];
    readonly freed: ReadonlyArray<PlannedRange & { readonly role: string }>;
    readonly extents: { readonly before: PlannedLists; readonly after: PlannedLists };
  };
  readonly turtle: { readonly before: string; readonly after: string };
  /** What is left to do for the user. */
  readonly afterwards: readonly string[];
}

/** A repair of a page log will be one of these, too. */
export type RepairPlan = ClassicRepairPlan;
