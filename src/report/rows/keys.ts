/** Keys and ranges of keys as people read them. */

import { bytesToHex } from "../../codec/json.js";
import type { KeyRange, TreeKey } from "../../tree/types.js";
import { visible } from "../visible.js";

const PRINTABLE = /^[\x20-\x7e]+$/;
/** Longer keys are cut. */
const MAX_KEY = 64;

/** A record number, or bytes as hex, with the text they are where they are one. */
export function keyText(key: TreeKey): string {
  if (typeof key === "bigint") return key.toString();
  const hex = bytesToHex(key.subarray(0, MAX_KEY)) + (key.length > MAX_KEY ? "…" : "");
  const bytes = key.at(-1) === 0 ? key.subarray(0, -1) : key;
  const text = String.fromCharCode(...bytes.subarray(0, MAX_KEY));
  return PRINTABLE.test(text) ? `${hex} (${JSON.stringify(visible(text))})` : hex || "(empty)";
}

/** `keys from … to below …`; open ends are named. */
export function rangeText({ from, to }: KeyRange): string {
  if (from === undefined && to === undefined) return "all keys";
  if (from === undefined) return `all keys below ${keyText(to as TreeKey)}`;
  if (to === undefined) return `all keys from ${keyText(from)} on`;
  return `keys from ${keyText(from)} to below ${keyText(to)}`;
}
