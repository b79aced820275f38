import { FormatError } from "./error.js";

/**
 * Text that lives in files: UTF-8 where it is valid, and every byte that is not becomes one lone surrogate
 * U+DC00 + byte (U+DC80..U+DCFF), so that any byte sequence survives the way to a string and back.
 */

const escapeBase = 0xdc00;
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf8 = new TextEncoder();
const loneSurrogate = /\p{Surrogate}/u;
const loneSurrogates = /\p{Surrogate}+/gu;

/** Bytes as a string; never fails, keeps a byte order mark, and `encodeText` gives the same bytes back. */
export function decodeText(bytes: Uint8Array): string {
  const own = privateBytes(bytes);
  try {
    return strictUtf8.decode(own);
  } catch {
    return decodeDamaged(own);
  }
}

/**
 * The bytes of a string made by `decodeText`, or of any well-formed string.
 * @throws FormatError `text-surrogate` for a lone surrogate that stands for no byte.
 */
export function encodeText(text: string): Uint8Array {
  return loneSurrogate.test(text) ? encodeEscaped(text) : utf8.encode(text);
}

/** True when the bytes behind the string were not all valid UTF-8. */
export function hasEscapedBytes(text: string): boolean {
  return loneSurrogate.test(text);
}

/** The first byte that was not valid UTF-8, and its offset. */
export function firstEscapedByte(text: string): { offset: number; byte: number } | undefined {
  const match = loneSurrogate.exec(text);
  if (match === null) return undefined;
  return { offset: textByteLength(text, match.index), byte: text.charCodeAt(match.index) - escapeBase };
}

/** The number of bytes `encodeText` makes of the characters before `end`. */
export function textByteLength(text: string, end: number = text.length): number {
  let bytes = 0;
  for (let at = 0; at < end; ) {
    const point = text.codePointAt(at)!;
    bytes += bytesOf(point);
    at += point > 0xffff ? 2 : 1;
  }
  return bytes;
}

/** Bytes a code point takes; an escaped byte is one. */
function bytesOf(point: number): number {
  if (point < 0x80) return 1;
  if (point < 0x800) return 2;
  if (point >= 0xd800 && point <= 0xdfff) return 1;
  return point < 0x10000 ? 3 : 4;
}

/** TextDecoder refuses memory shared between threads in browsers, so that is copied first. */
function privateBytes(bytes: Uint8Array): Uint8Array {
  const shared = typeof SharedArrayBuffer !== "undefined" && bytes.buffer instanceof SharedArrayBuffer;
  return shared ? bytes.slice() : bytes;
}

function decodeDamaged(bytes: Uint8Array): string {
  const parts: string[] = [];
  let good = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    if (at > good) parts.push(strictUtf8.decode(bytes.subarray(good, at)));
    parts.push(String.fromCharCode(escapeBase + bytes[at]!));
    at += 1;
    good = at;
  }
  if (good < bytes.length) parts.push(strictUtf8.decode(bytes.subarray(good)));
  return parts.join("");
}

/** Length of the well-formed UTF-8 sequence at `at`, or 0: shortest form only, no surrogates, up to U+10FFFF. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + length > bytes.length) return 0;
  const second = bytes[at + 1]!;
  const [low, high] = secondRange(lead);
  if (second < low || second > high) return 0;
  for (let next = at + 2; next < at + length; next++) if ((bytes[next]! & 0xc0) !== 0x80) return 0;
  return length;
}

function secondRange(lead: number): readonly [number, number] {
  if (lead === 0xe0) return [0xa0, 0xbf];
  if (lead === 0xed) return [0x80, 0x9f];
  if (lead === 0xf0) return [0x90, 0xbf];
  if (lead === 0xf4) return [0x80, 0x8f];
  return [0x80, 0xbf];
}

function encodeEscaped(text: string): Uint8Array {
  const parts: Uint8Array[] = [];
  let plain = 0;
  for (const match of text.matchAll(loneSurrogates)) {
    if (match.index > plain) parts.push(utf8.encode(text.slice(plain, match.index)));
    parts.push(escapedBytes(text, match[0], match.index));
    plain = match.index + match[0].length;
  }
  if (plain < text.length) parts.push(utf8.encode(text.slice(plain)));
  return concatBytes(parts);
}

function escapedBytes(text: string, run: string, index: number): Uint8Array {
  const bytes = new Uint8Array(run.length);
  for (let at = 0; at < run.length; at++) {
    const byte = run.charCodeAt(at) - escapeBase;
    if (byte < 0x80 || byte > 0xff) throw unencodable(text, index + at);
    bytes[at] = byte;
  }
  return bytes;
}

function unencodable(text: string, index: number): FormatError {
  return new FormatError({
    code: "text-surrogate",
    message: "a lone surrogate that stands for no byte cannot be written",
    offset: textByteLength(text, index),
    expected: "U+DC80..U+DCFF",
    actual: `U+${text.charCodeAt(index).toString(16).toUpperCase()}`,
  });
}

function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
