/** What damage means for the rows of a table. */
import { bytesToHex } from "../../codec/json.js";
import type { KeyRange } from "../../tree/types.js";
import type { VerifyOptions } from "../types.js";
import type { PageChain } from "./page-chain.js";

/** Longer keys are cut. */
const MAX_KEY = 64;

function keyText(key: KeyRange["from"]): string {
  if (typeof key !== "object") return String(key);
  return `${bytesToHex(key.subarray(0, MAX_KEY))}${key.length > MAX_KEY ? "…" : ""}`;
}

/** `keys from 61 to below 7a of file:t.wt_stable`; keys are user data, and left out unless they are asked for. */
export function keysText(
  table: string | undefined,
  { from, to }: KeyRange,
  { showKeys = false }: Pick<VerifyOptions, "showKeys">,
): string {
  const owner = table === undefined ? "" : ` of ${table}`;
  if (from === undefined && to === undefined) return `all keys${owner}`;
  if (!showKeys) return `a range of keys${owner} (-k shows it)`;
  if (from === undefined) return `all keys below ${keyText(to)}${owner}`;
  if (to === undefined) return `all keys from ${keyText(from)} on${owner}`;
  return `keys from ${keyText(from)} to below ${keyText(to)}${owner}`;
}

/** How many rows a lost page had, as far as its older records tell. */
export function rowsText(chain: PageChain | undefined, isInternal: boolean): string {
  if (isInternal) return "how many rows are below the page is not known";
  const left = chain?.imageRows;
  if (left === undefined) return "how many rows is not known, for no image of the page is sound";
  return `the page's image at LSN ${left.lsn} has ${left.rows} rows, and nobody knows what came after it`;
}
