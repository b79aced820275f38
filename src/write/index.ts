/** Writing page logs: checkpoints, keys, roles. Node only. */
export { type CrashHook, type CrashPoint, CrashReached, crashPoints } from "../store/crash-point.js";
export type { TableOptions } from "./checkpoint/metadata-rows.js";
export { PickUpError, type PickUpErrorCode } from "./checkpoint/pick-up-error.js";
export {
  newestGeneration,
  type WriteGeneration,
  type WriteGenerationName,
  writeGenerations,
} from "./generation.js";
export * from "./key-provider/index.js";
export {
  DatabaseNode,
  type NodeOptions,
  type NodeRole,
  type PublishedCheckpoint,
  type TableWriter,
} from "./roles/node.js";
export { NodeError, type NodeErrorCode } from "./roles/node-error.js";
export { TreeWriteError, type TreeWriteErrorCode } from "./tree/index.js";
export type { RowEdit, WriteRow } from "./types.js";
