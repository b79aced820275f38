/** Fields of JSON objects that stand for 64-bit numbers and bytes. */
import { type ExactJson, type ExactObject, LongText } from "../codec/exact-json.js";
import { encodeText } from "../codec/text.js";
import { decodeBase64, decodeHex } from "./hex.js";

const MAX_U64 = (1n << 64n) - 1n;

/** A field that is an unsigned 64-bit integer, given as a number or as decimal digits. */
export function u64Field(object: ExactObject, key: string): bigint | undefined {
  return asU64(object[key]);
}

export function asU64(value: ExactJson | undefined): bigint | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined;
  if (typeof value === "bigint") return value >= 0n && value <= MAX_U64 ? value : undefined;
  if (typeof value !== "string" || !/^\d{1,20}$/.test(value)) return undefined;
  return asU64(BigInt(value));
}

/** Bytes given as a list of numbers, hex or base64; the reason if they are none of these. */
export function bytesOf(value: ExactJson | undefined): Uint8Array | string {
  if (value === undefined) return "missing";
  if (value instanceof Uint8Array) return value;
  if (typeof value !== "string" && !(value instanceof LongText)) return "neither a list of bytes nor text";
  const text = value instanceof LongText ? value.bytes : encodeText(value);
  const hex = decodeHex(text);
  if (hex.ok) return hex.bytes;
  const base64 = decodeBase64(String(value));
  if (base64 !== undefined) return base64;
  if (hex.problem === "odd") return `an odd number of hex digits (${text.length})`;
  return `no hex digit at character ${hex.at}`;
}
