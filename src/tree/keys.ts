/** Keys of trees and their order. */
import type { TreeKey } from "./types.js";

/** The engine's own order: unsigned bytes, a prefix before what it begins; record numbers by value. */
export function compareKeys(a: TreeKey, b: TreeKey): number {
  if (typeof a === "bigint" || typeof b === "bigint") return a < b ? -1 : a > b ? 1 : 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export const startsWith = (bytes: Uint8Array, prefix: Uint8Array): boolean =>
  bytes.length >= prefix.length && prefix.every((byte, at) => bytes[at] === byte);
