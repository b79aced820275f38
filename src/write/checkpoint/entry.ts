/** A tree's checkpoint as metadata names it (formats: address and checkpoint cookies §5). */
import type { NamedCheckpoint } from "../../../formats/checkpoint-list.js";
import { FIRST_USER_PAGE } from "../../../formats/disagg-tables.js";
import { GLOBAL_AGGREGATE } from "../../../formats/time-window.js";
import type { WriteGeneration } from "../generation.js";
import type { TreeState } from "../types.js";

export interface EntryFacts {
  /** Number of the checkpoint among those of its tree, from 1. */
  readonly order: bigint;
  /** Seconds since 1970. */
  readonly time: bigint;
  /** Write generation this run of the database began with. */
  readonly runWriteGen: bigint;
}

/** While addresses had checkpoint ids, `size=` was the root's page id; later it is bytes. */
export const sizeIsPageId = ({ cookie }: WriteGeneration): boolean => cookie === "A" || cookie === "B";

export function checkpointEntry(
  generation: WriteGeneration,
  tree: TreeState,
  { order, time, runWriteGen }: EntryFacts,
): NamedCheckpoint {
  const { aggregate = GLOBAL_AGGREGATE } = tree;
  return {
    name: `WiredTigerCheckpoint.${order}`,
    addr: tree.root,
    order,
    time,
    size: sizeIsPageId(generation) ? rootPage(tree) : tree.liveBytes,
    newestStartDurableTs: aggregate.newestStartDurableTs,
    oldestStartTs: aggregate.oldestStartTs,
    newestTxn: aggregate.newestTxn,
    newestStopDurableTs: aggregate.newestStopDurableTs,
    newestStopTs: aggregate.newestStopTs,
    newestStopTxn: aggregate.newestStopTxn,
    prepare: aggregate.prepare ? 1 : 0,
    writeGen: tree.writeGen,
    runWriteGen,
    nextPageId: tree.nextPageId,
  };
}

/** The root is the last page of a tree that gets an id. */
const rootPage = ({ root, nextPageId }: TreeState): bigint => (root.length === 0 ? 0n : nextPageId - 1n);

/** The tree behind an entry, to go on with. */
export function treeOfEntry(
  generation: WriteGeneration,
  { addr, size = 0n, nextPageId, writeGen, ...times }: NamedCheckpoint,
): TreeState {
  return {
    root: addr ?? new Uint8Array(),
    nextPageId: nextPageId ?? FIRST_USER_PAGE,
    writeGen: writeGen ?? 0n,
    liveBytes: sizeIsPageId(generation) ? 0n : size,
    aggregate: {
      oldestStartTs: times.oldestStartTs ?? GLOBAL_AGGREGATE.oldestStartTs,
      newestTxn: times.newestTxn ?? GLOBAL_AGGREGATE.newestTxn,
      newestStartDurableTs: times.newestStartDurableTs ?? GLOBAL_AGGREGATE.newestStartDurableTs,
      newestStopTs: times.newestStopTs ?? GLOBAL_AGGREGATE.newestStopTs,
      newestStopTxn: times.newestStopTxn ?? GLOBAL_AGGREGATE.newestStopTxn,
      newestStopDurableTs: times.newestStopDurableTs ?? GLOBAL_AGGREGATE.newestStopDurableTs,
      prepare: times.prepare === 1,
    },
  };
}
