import { FormatError } from "./error.js";

/** Numbers and booleans as configuration text writes them. Each reader throws FormatError `config-number-…`. */

const max64 = (1n << 64n) - 1n;
const maxInt64 = (1n << 63n) - 1n;
const minInt64 = -(1n << 63n);
const decimalText = /^-?[0-9]+$/;
const hexText = /^[0-9A-Fa-f]+$/;
const sizeText = /^([0-9]+)([BbKkMmGgTtPp]?)([Bb]?)$/;
const leadingZeros = /^0+(?=.)/;
const sizeUnits = "BKMGTP";

/** Decimal text of a signed 64-bit number, reinterpreted as unsigned: `-1` is 2^64 − 1, `-11` is 2^64 − 11. */
export function parseSigned64(text: string): bigint {
  const value = decimal(text, "a decimal number of 64 bits");
  if (value < minInt64 || value > maxInt64) throw outOfRange(text, "-2^63..2^63-1");
  return BigInt.asUintN(64, value);
}

/** The signed text of an unsigned 64-bit value: 2^64 − 1 is `-1`. */
export function formatSigned64(value: bigint): string {
  return BigInt.asIntN(64, value).toString();
}

/** Decimal text of an unsigned 64-bit number. */
export function parseUnsigned64(text: string): bigint {
  const value = decimal(text, "an unsigned decimal number");
  if (value < 0n || value > max64) throw outOfRange(text, "0..2^64-1");
  return value;
}

/** Hexadecimal text of an unsigned 64-bit number; `0x` in front only where `prefix` allows it. */
export function parseHex64(text: string, prefix = false): bigint {
  const digits = prefix && /^0[xX]/.test(text) ? text.slice(2) : text;
  if (!hexText.test(digits)) throw malformed(text, `hexadecimal digits${prefix ? "" : " without 0x"}`);
  const significant = digits.replace(leadingZeros, "");
  if (significant.length > 16) throw outOfRange(text, "at most 16 digits");
  return BigInt(`0x${significant}`);
}

/** A number of bytes: decimal digits with an optional multiplier (`512B`, `4KB`, `5M`), up to 2^63 − 1. */
export function parseSize(text: string): bigint {
  const match = sizeText.exec(text);
  if (match === null) throw malformed(text, "a number of bytes such as 4096, 512B, 4KB");
  const [, digits, unit] = match;
  const significant = digits!.replace(leadingZeros, "");
  if (significant.length > 19) throw outOfRange(text, "0..2^63-1");
  const power = unit === "" ? 0 : sizeUnits.indexOf(unit!.toUpperCase());
  const value = BigInt(significant) << BigInt(10 * power);
  if (value > maxInt64) throw outOfRange(text, "0..2^63-1");
  return value;
}

/** Bytes as the engine writes them: the largest multiplier that divides, `B` below one KB, plain `0`. */
export function formatSize(bytes: bigint): string {
  if (bytes === 0n) return "0";
  let power = 0;
  while (power < sizeUnits.length - 1 && bytes % (1n << BigInt(10 * (power + 1))) === 0n) power += 1;
  return `${bytes >> BigInt(10 * power)}${power === 0 ? "B" : `${sizeUnits[power]}B`}`;
}

/** `true`, `false`, `1`, `0`; a key alone reads as `true`. */
export function parseBoolean(text: string): boolean {
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw malformed(text, "true, false, 1 or 0");
}

function decimal(text: string, wanted: string): bigint {
  if (!decimalText.test(text)) throw malformed(text, wanted);
  const negative = text.startsWith("-");
  const digits = (negative ? text.slice(1) : text).replace(leadingZeros, "");
  if (digits.length > 20) throw outOfRange(text, wanted);
  return negative ? -BigInt(digits) : BigInt(digits);
}

function malformed(text: string, expected: string): FormatError {
  const actual = shorten(text);
  return new FormatError({
    code: "config-number",
    message: `expected ${expected}, found ${JSON.stringify(actual)}`,
    expected,
    actual,
  });
}

function outOfRange(text: string, expected: string): FormatError {
  const actual = shorten(text);
  return new FormatError({
    code: "config-number-range",
    message: `${actual} is out of range (${expected})`,
    expected,
    actual,
  });
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
