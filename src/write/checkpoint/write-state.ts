/** What a completed checkpoint says of a database: where the next one begins. */
import type { NamedCheckpoint } from "../../../formats/checkpoint-list.js";
import { FIRST_USER_PAGE, namespacedId } from "../../../formats/disagg-tables.js";
import type { WriteGeneration } from "../generation.js";
import type { TreeState } from "../types.js";
import type { FileRow, LayeredRow } from "./metadata-rows.js";

export interface TableState {
  /** With its newest checkpoint. */
  readonly row: FileRow;
  readonly tree: TreeState;
}

export interface DatabaseState {
  readonly generation: WriteGeneration;
  /** By URI of the file. */
  readonly tables: ReadonlyMap<string, TableState>;
  readonly layered: ReadonlyMap<string, LayeredRow>;
  /** The shared metadata itself. */
  readonly metadata: { readonly tree: TreeState; readonly entry: NamedCheckpoint | undefined };
  readonly timestamp: bigint;
  readonly oldestTimestamp: bigint;
  readonly schemaEpoch: bigint;
  readonly largestFileId: bigint;
  readonly maxWriteGen: bigint;
  /** LSN of the key page; undefined = there is no key. */
  readonly keyLsn: bigint | undefined;
  /** LSN of the completion record; 0 = nothing was ever completed. */
  readonly lsn: bigint;
}

/** A tree nothing was written to. */
export const freshTree = (): TreeState => ({
  root: new Uint8Array(),
  nextPageId: FIRST_USER_PAGE,
  writeGen: 0n,
  liveBytes: 0n,
});

/** Numbers below are the engine's own: shared metadata, history stores, turtle. */
const FIRST_USER_FILE = 4n;

/** A database nothing was written to. */
export const freshState = (generation: WriteGeneration): DatabaseState => ({
  generation,
  tables: new Map(),
  layered: new Map(),
  metadata: { tree: freshTree(), entry: undefined },
  timestamp: 0n,
  oldestTimestamp: 0n,
  schemaEpoch: 0n,
  largestFileId: FIRST_USER_FILE,
  maxWriteGen: 0n,
  keyLsn: undefined,
  lsn: 0n,
});

/** The largest number among the ids of the tables. */
export function largestFileId(tables: Iterable<TableState>): bigint {
  let largest = FIRST_USER_FILE;
  for (const { row } of tables) {
    const { number } = namespacedId(row.config.id ?? 0);
    if (number > largest) largest = number;
  }
  return largest;
}

/** The largest write generation of the tables and the shared metadata. */
export function largestWriteGen(tables: Iterable<TableState>, metadata: TreeState): bigint {
  let largest = metadata.writeGen;
  for (const { tree } of tables) if (tree.writeGen > largest) largest = tree.writeGen;
  return largest;
}
