/** Fields of JSON objects that stand for 64-bit numbers and bytes. */
import { type ExactJson, type ExactObject, LongText } from "../codec/exact-json.js";
import { encodeText } from "../codec/text.js";
import { decodeBase64, decodeHex, isHexDigit } from "./hex.js";

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

/** Bytes given as a list of numbers or as hex; the reason if they are neither. */
export function hexField(value: ExactJson | undefined): Uint8Array | string {
  const text = textOf(value);
  if (!(text instanceof LongText)) return text;
  const hex = decodeHex(text.bytes);
  if (hex.ok) return hex.bytes;
  if (hex.problem === "odd") return `an odd number of hex digits (${text.bytes.length})`;
  return `no hex digit at character ${hex.at}`;
}

/** As `hexField`, or base64. */
export function bytesField(value: ExactJson | undefined): Uint8Array | string {
  const bytes = hexField(value);
  const text = typeof bytes === "string" ? textOf(value) : bytes;
  if (!(text instanceof LongText) || looksLikeDamagedHex(text.bytes)) return bytes;
  return decodeBase64(String(text)) ?? bytes;
}

function textOf(value: ExactJson | undefined): LongText | Uint8Array | string {
  if (value === undefined) return "missing";
  if (value instanceof Uint8Array || value instanceof LongText) return value;
  return typeof value === "string" ? new LongText(encodeText(value)) : "neither a list of bytes nor text";
}

/** Long base64 has many letters that are no hex digits; hex with an error has one or two. */
function looksLikeDamagedHex(text: Uint8Array): boolean {
  const strangers = new Set(text.filter((byte) => !isHexDigit(byte)));
  return text.length >= 64 && strangers.size < 3;
}
