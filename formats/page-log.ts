/** The page-log interface: flags of puts, limits and reserved tables (formats: page-log stores §1, turtle §1). */
import { type Symbols, symbolValues } from "../src/codec/index.js";

export const pageLogFlagSymbols = {
  compressed: 0x1,
  delta: 0x2,
  encrypted: 0x4,
  cold: 0x8,
  discarded: [0x10000, "PALite: the page was freed"],
} as const satisfies Symbols;

export const pageLogFlags = symbolValues(pageLogFlagSymbols);

/** Deltas on top of one full image a reader accepts (page and block headers §3.2). */
export const MAX_DELTA_CHAIN = 32;

/** Tables with a fixed id; the older ids were in use until February 2026. */
export const specialTables = {
  turtle: { now: 2n, before: 1n, page: 1n },
  sharedMetadata: { now: 10n, uri: "file:WiredTigerShared.wt_stable" },
  sharedHistory: { now: 18n, uri: "file:WiredTigerSharedHS.wt_stable" },
  keyProvider: { now: 26n, before: 2n, page: 1n },
} as const;
