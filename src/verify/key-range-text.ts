/** Ranges of keys in words. */
import { bytesToHex } from "../codec/json.js";
import type { KeyRange, TreeKey } from "../tree/types.js";

/** Longer keys are cut. In bytes. */
const MAX_KEY = 64;

function keyText(key: TreeKey): string {
  if (typeof key === "bigint") return String(key);
  return `${bytesToHex(key.subarray(0, MAX_KEY))}${key.length > MAX_KEY ? "…" : ""}`;
}

/** `keys from 61 to below 7a`, `all records below 100`; `owner`, as in ` of file:t.wt`, stands behind. */
export function keyRangeText({ from, to }: KeyRange, owner = ""): string {
  const what = typeof (from ?? to) === "bigint" ? "records" : "keys";
  if (from === undefined && to === undefined) return `all keys${owner}`;
  if (from === undefined) return `all ${what} below ${keyText(to as TreeKey)}${owner}`;
  if (to === undefined) return `all ${what} from ${keyText(from)} on${owner}`;
  return `${what} from ${keyText(from)} to below ${keyText(to)}${owner}`;
}
