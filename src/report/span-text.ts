/** Words for one span: what tree, hexdump and JSON share. */
import type { Span } from "../codec/annotate.js";
import { bytesToHex, secretSummary } from "../codec/json.js";
import { grouped } from "./numbers.js";
import { visible } from "./visible.js";

/** Which spans' values and bytes are masked besides key material, which always is. */
export type Hide = (span: Span) => boolean;

export const isHidden = (span: Span, hide: Hide | undefined): boolean =>
  span.secret === true || hide?.(span) === true;

/** A span that is shown as one value: nothing below it but bits. */
export const isLeaf = (span: Span): boolean =>
  span.children.length === 0 || span.children[0]?.kind === "bits";

const MAX_BYTES = 24;
const MAX_TEXT = 120;

/** The stored value; empty for containers and gaps. */
export function spanValue(span: Span): string {
  const { value } = span;
  if (span.kind === "custom" && span.symbol !== undefined) return "";
  if (value === undefined) return span.kind === "gap" ? counted(span.end - span.start) : "";
  if (typeof value === "bigint" || typeof value === "number") return numberText(span, value);
  if (value instanceof Uint8Array) return bytesText(value);
  if (typeof value === "string") return `"${shortened(visible(value))}"`;
  return "";
}

function numberText(span: Span, value: number | bigint): string {
  if (span.hex !== true) return String(value);
  const digits = span.kind === "int" ? 2 * (span.end - span.start) : 0;
  return `0x${value.toString(16).padStart(digits, "0")}`;
}

function bytesText(bytes: Uint8Array): string {
  if (bytes.length === 0) return "(empty)";
  const start = bytes.subarray(0, MAX_BYTES);
  const whole = start.length === bytes.length;
  const hex = whole ? bytesToHex(start) : `${bytesToHex(start)}… (${grouped(bytes.length)} bytes)`;
  const text = printable(start);
  return text === undefined ? hex : `${hex} "${text}${whole ? "" : "…"}"`;
}

/** Printable ASCII as it is, NUL behind it as `\0`; undefined for anything else. */
function printable(bytes: Uint8Array): string | undefined {
  const text = String.fromCharCode(...bytes);
  return /^[ -~]+\0*$/.test(text) ? text.replaceAll("\0", "\\0") : undefined;
}

const shortened = (text: string): string =>
  text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (${grouped(text.length)} characters)` : text;

const counted = (bytes: number): string => (bytes === 1 ? "1 byte" : `${grouped(bytes)} bytes`);

/** What may be shown of a hidden span: `32 bytes, sha256:…` for key material, the length alone for user data. */
export function hiddenText(span: Span, bytes: Uint8Array): string {
  if (span.secret !== true) return `(hidden, ${counted(bytes.length)})`;
  const { length, fingerprint } = secretSummary(bytes);
  return `(secret, ${counted(length)}, ${fingerprint})`;
}

/** Remarks on how a value came about: `(derived)`, `(valid)`. */
export function spanRemarks(span: Span): string[] {
  return [
    span.derived === true ? "(derived)" : "",
    span.checksum === undefined ? "" : `(${span.checksum})`,
  ].filter((remark) => remark !== "");
}

/** The bytes of a span within the bytes given to `annotate`. */
export function spanBytes(span: Span, bytes: Uint8Array, base: number): Uint8Array {
  return bytes.subarray(Math.max(0, Math.floor(span.start) - base), Math.max(0, Math.ceil(span.end) - base));
}
