/** The page-log interface: flags of puts and limits (formats: page-log stores §1). */
import { type Symbols, symbolValues } from "../src/codec/index.js";

export const pageLogFlagSymbols = {
  compressed: 0x1,
  delta: 0x2,
  encrypted: 0x4,
  cold: [0x8, "storage tier; 0x10 and 0x20 are reserved for others"],
  cacheBypass: [0x40, "not to be cached; from September 2026, seen in no store so far"],
  discarded: [0x10000, "PALite: the page was freed"],
} as const satisfies Symbols;

export const pageLogFlags = symbolValues(pageLogFlagSymbols);

/** Deltas on top of one full image a reader accepts (page and block headers §3.2). */
export const MAX_DELTA_CHAIN = 32;
