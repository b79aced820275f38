/** The library: declarations, the engine behind them, and reports. */
export * from "../formats/index.js";
export * from "./codec/index.js";
export * from "./report/index.js";
export * from "./verify/index.js";
