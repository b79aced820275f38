/** The library: declarations, the engine behind them, pages, stores, verification and reports. */
export type { CheckpointRecord } from "../formats/index.js";
export * from "../formats/index.js";
export * from "./codec/index.js";
export * from "./page/index.js";
export * from "./repair/index.js";
export * from "./report/index.js";
/** What a store keeps of a checkpoint; `CheckpointRecord` is the value of its text. */
export type { CheckpointRecord as StoredCheckpoint } from "./store/index.js";
export * from "./store/index.js";
export * from "./tree/index.js";
export * from "./verify/index.js";
export * from "./write/index.js";
