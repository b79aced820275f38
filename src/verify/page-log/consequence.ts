/** What damage means for the rows of a table. */
import type { KeyRange } from "../../tree/types.js";
import { keyRangeText } from "../key-range-text.js";
import type { VerifyOptions } from "../types.js";
import type { PageChain } from "./page-chain.js";

/** `keys from 61 to below 7a of file:t.wt_stable`; keys are user data, and left out unless they are asked for. */
export function keysText(
  table: string | undefined,
  range: KeyRange,
  { showKeys = false }: Pick<VerifyOptions, "showKeys">,
): string {
  const owner = table === undefined ? "" : ` of ${table}`;
  const isWhole = range.from === undefined && range.to === undefined;
  return showKeys || isWhole ? keyRangeText(range, owner) : `a range of keys${owner} (-k shows it)`;
}

/** How many rows a lost page had, as far as its older records tell. */
export function rowsText(chain: PageChain | undefined, isInternal: boolean): string {
  if (isInternal) return "how many rows are below the page is not known";
  const left = chain?.imageRows;
  if (left === undefined) return "how many rows is not known, for no image of the page is sound";
  return `the page's image at LSN ${left.lsn} has ${left.rows} rows, and nobody knows what came after it`;
}
