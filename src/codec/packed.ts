/**
 * WiredTiger's byte-ordered packed integers (formats: cells and deltas §1): 1 to 9 bytes, byte order = numeric
 * order. Reading is strict: a form the engine's encoder never writes is an error, so that parse then build is the
 * identity.
 */
import { FormatError } from "./error.js";

const ONE_BYTE_MAX = 63;
const TWO_BYTE_MAX = 8255;
/** Values from here on are stored less this bias, in as few bytes as hold them. */
const MULTI_BIAS = 8256;
const MULTI_BIAS_BIG = 8256n;
const NEG_ONE_BYTE_MIN = -64n;
const NEG_TWO_BYTE_MIN = -8256n;
const U64_MAX = (1n << 64n) - 1n;

/** Bytes the packed integer beginning with `first` takes, 0 when no packed integer begins so. */
export function packedLength(first: number): number {
  if (first >= 0xf0 || first < 0x10) return 0;
  if (first >= 0xe0) return 1 + (first & 0x0f) <= 9 ? 1 + (first & 0x0f) : 0;
  if (first >= 0xc0) return 2;
  if (first >= 0x40) return 1;
  if (first >= 0x20) return 2;
  return (first & 0x0f) <= 8 ? 1 + 8 - (first & 0x0f) : 0;
}

/** Bytes an unsigned value takes. */
export function packedSize(value: bigint): number {
  if (value <= BigInt(ONE_BYTE_MAX)) return 1;
  if (value <= BigInt(TWO_BYTE_MAX)) return 2;
  return 1 + Math.max(1, byteLength(value - MULTI_BIAS_BIG));
}

function byteLength(value: bigint): number {
  let length = 0;
  for (let rest = value; rest > 0n; rest >>= 8n) length++;
  return length;
}

function illegal(
  bytes: Uint8Array,
  pos: number,
  offset: number,
  expected = "an unsigned packed integer (0x80..0xe8)",
): FormatError {
  const first = bytes[pos] as number;
  return new FormatError({
    code: "packed-illegal",
    message: `no packed integer begins with 0x${first.toString(16).padStart(2, "0")}`,
    offset,
    expected,
    actual: first,
  });
}

function truncated(offset: number, need: number, left: number): FormatError {
  return new FormatError({
    code: "truncated",
    message: `packed integer of ${need} bytes, ${left} left`,
    offset,
    expected: need,
    actual: left,
  });
}

function notMinimal(offset: number): FormatError {
  return new FormatError({
    code: "packed-not-minimal",
    message: "packed integer is longer than its value needs",
    offset,
  });
}

/** Reads an unsigned packed integer at `pos`; `end` bounds it; `base` is added to offsets in errors. */
export function readPackedUnsigned(bytes: Uint8Array, pos: number, end: number, base = 0): bigint {
  if (pos >= end) throw truncated(base + pos, 1, 0);
  const first = bytes[pos] as number;
  if (first < 0x80) throw illegal(bytes, pos, base + pos);
  const length = packedLength(first);
  if (length === 0 || first === 0xe0) throw illegal(bytes, pos, base + pos);
  if (pos + length > end) throw truncated(base + pos, length, end - pos);
  if (length === 1) return BigInt(first & 0x3f);
  if (first < 0xe0) return BigInt((((first & 0x1f) << 8) | (bytes[pos + 1] as number)) + ONE_BYTE_MAX + 1);
  return readMulti(bytes, pos, length, base);
}

function readMulti(bytes: Uint8Array, pos: number, length: number, base: number): bigint {
  // Up to 48 bits a number holds it, with its bias.
  if (length <= 7) return BigInt(readMultiNumber(bytes, pos, length - 1, base));
  if (bytes[pos + 1] === 0) throw notMinimal(base + pos);
  let value = 0n;
  for (let i = 1; i < length; i++) value = (value << 8n) | BigInt(bytes[pos + i] as number);
  value += MULTI_BIAS_BIG;
  if (value > U64_MAX) throw notMinimal(base + pos);
  return value;
}

/** As {@link readPackedUnsigned}, for values that must fit `max` (at most 2^53 − 1); no bigint on the way. */
export function readPackedNumber(bytes: Uint8Array, pos: number, end: number, max: number, base = 0): number {
  if (pos >= end) throw truncated(base + pos, 1, 0);
  const first = bytes[pos] as number;
  let value: number;
  if (first >= 0x80 && first < 0xc0) value = first & 0x3f;
  else if (first >= 0xc0 && first < 0xe0 && pos + 1 < end)
    value = (((first & 0x1f) << 8) | (bytes[pos + 1] as number)) + ONE_BYTE_MAX + 1;
  else if (first > 0xe0 && first <= 0xe6 && pos + packedLength(first) <= end)
    value = readMultiNumber(bytes, pos, first & 0x0f, base);
  else value = Number(readPackedUnsigned(bytes, pos, end, base));
  if (value <= max) return value;
  throw new FormatError({
    code: "value-range",
    message: `packed integer ${value} is above ${max}`,
    offset: base + pos,
    expected: `at most ${max}`,
    actual: value,
  });
}

function readMultiNumber(bytes: Uint8Array, pos: number, count: number, base: number): number {
  if (bytes[pos + 1] === 0 && count > 1) throw notMinimal(base + pos);
  let value = 0;
  for (let i = 1; i <= count; i++) value = value * 256 + (bytes[pos + i] as number);
  return value + MULTI_BIAS;
}

/** Reads a signed packed integer: every unsigned form up to 2^63 − 1 and the negative forms. */
export function readPackedSigned(bytes: Uint8Array, pos: number, end: number, base = 0): bigint {
  if (pos >= end) throw truncated(base + pos, 1, 0);
  const first = bytes[pos] as number;
  if (first >= 0x80) return positive(readPackedUnsigned(bytes, pos, end, base), base + pos);
  const length = packedLength(first);
  if (length === 0) throw illegal(bytes, pos, base + pos, "a signed packed integer (0x10..0xe8)");
  if (pos + length > end) throw truncated(base + pos, length, end - pos);
  if (first >= 0x40) return BigInt(first & 0x3f) + NEG_ONE_BYTE_MIN;
  if (first >= 0x20) return BigInt(((first & 0x1f) << 8) | (bytes[pos + 1] as number)) + NEG_TWO_BYTE_MIN;
  return readNegativeMulti(bytes, pos, length, base);
}

function positive(value: bigint, offset: number): bigint {
  if (value < 1n << 63n) return value;
  throw new FormatError({
    code: "value-range",
    message: "signed packed integer above 2^63 − 1",
    offset,
    actual: value,
  });
}

function readNegativeMulti(bytes: Uint8Array, pos: number, length: number, base: number): bigint {
  if (bytes[pos + 1] === 0xff || length === 1) throw notMinimal(base + pos);
  let value = -1n;
  for (let i = 1; i < length; i++) value = (value << 8n) | BigInt(bytes[pos + i] as number);
  if (value >= NEG_TWO_BYTE_MIN || value < -(1n << 63n)) throw notMinimal(base + pos);
  return value;
}

/** Values below this take one or two bytes. */
export const PACKED_SMALL = TWO_BYTE_MAX + 1;

/** Stores `value` (0 ≤ value < PACKED_SMALL) at `at`, for hot loops; returns the offset behind it. */
export function writePackedSmall(target: Uint8Array, at: number, value: number): number {
  if (value <= ONE_BYTE_MAX) {
    target[at] = PACKED_ZERO | value;
    return at + 1;
  }
  const rest = value - ONE_BYTE_MAX - 1;
  target[at] = 0xc0 | (rest >> 8);
  target[at + 1] = rest & 0xff;
  return at + 2;
}

/** Appends `value` (0 ≤ value < 2^64). */
export function writePackedUnsigned(out: number[], value: bigint): void {
  if (value <= BigInt(ONE_BYTE_MAX)) out.push(0x80 | Number(value));
  else if (value <= BigInt(TWO_BYTE_MAX)) {
    const rest = Number(value) - ONE_BYTE_MAX - 1;
    out.push(0xc0 | (rest >> 8), rest & 0xff);
  } else {
    const rest = value - MULTI_BIAS_BIG;
    const length = Math.max(1, byteLength(rest));
    out.push(0xe0 | length);
    for (let i = length - 1; i >= 0; i--) out.push(Number((rest >> BigInt(8 * i)) & 0xffn));
  }
}

/** Appends `value` (−2^63 ≤ value < 2^63). */
export function writePackedSigned(out: number[], value: bigint): void {
  if (value >= 0n) writePackedUnsigned(out, value);
  else if (value >= NEG_ONE_BYTE_MIN) out.push(0x40 | Number(value - NEG_ONE_BYTE_MIN));
  else if (value >= NEG_TWO_BYTE_MIN) {
    const rest = Number(value - NEG_TWO_BYTE_MIN);
    out.push(0x20 | (rest >> 8), rest & 0xff);
  } else {
    let length = 8;
    while (isAllOnes(value, length - 1)) length--;
    out.push(0x10 | (8 - length));
    for (let i = length - 1; i >= 0; i--) out.push(Number((value >> BigInt(8 * i)) & 0xffn));
  }
}

/** Whether the bytes of a negative value from `index` (0 = lowest) up are all 0xff: they are implied then. */
function isAllOnes(value: bigint, index: number): boolean {
  return value >> BigInt(8 * index) === -1n;
}

/** How an unsigned packed integer of 2^56 + 8256 or more begins; its highest byte follows. */
export const PACKED_WIDE = 0xe8;
/** How the packed integer 0 begins; no unsigned one begins with a lower byte. */
export const PACKED_ZERO = 0x80;
/** The unsigned forms of one byte and of two: first bytes below `end`, their bits in `mask`, what is added. */
export const PACKED_ONE_BYTE = { end: 0xc0, mask: 0x3f } as const;
export const PACKED_TWO_BYTES = { end: 0xe0, mask: 0x1f, bias: ONE_BYTE_MAX + 1 } as const;

/**
 * The position behind the unsigned packed integer at `pos`, −1 when there is none before `end` or it has another form
 * than the engine writes: {@link readPackedUnsigned} tells why. For loops that skip millions of them.
 */
export function skipPackedUnsigned(bytes: Uint8Array, pos: number, end: number): number {
  if (pos >= end) return -1;
  const first = bytes[pos] as number;
  if (first < 0xc0) return first < PACKED_ZERO ? -1 : pos + 1;
  if (first < 0xe0) return pos + 2 <= end ? pos + 2 : -1;
  const next = pos + 1 + (first & 0x0f);
  if (first === 0xe0 || first > PACKED_WIDE || next > end) return -1;
  const high = bytes[pos + 1] as number;
  if (high === 0 && first !== 0xe1) return -1;
  return first === PACKED_WIDE && high === 0xff ? endOfWide(bytes, pos) : next;
}

/** The highest values are those whose bias would carry beyond 2^64. */
function endOfWide(bytes: Uint8Array, pos: number): number {
  for (let i = 2; i <= 6; i++) if (bytes[pos + i] !== 0xff) return pos + 9;
  const low = ((bytes[pos + 7] as number) << 8) | (bytes[pos + 8] as number);
  return low <= 0xffff - MULTI_BIAS ? pos + 9 : -1;
}

/**
 * The unsigned packed integer at `pos`, −1 when there is none before `end`, it is above 2^53 − 1 or has another form
 * than the engine writes. {@link packedLength} of its first byte tells where it ends.
 */
export function peekPackedNumber(bytes: Uint8Array, pos: number, end: number): number {
  if (pos >= end) return -1;
  const first = bytes[pos] as number;
  if (first < 0xc0) return first < PACKED_ZERO ? -1 : first & 0x3f;
  if (first < 0xe0 && pos + 2 <= end)
    return (((first & 0x1f) << 8) | (bytes[pos + 1] as number)) + ONE_BYTE_MAX + 1;
  if (skipPackedUnsigned(bytes, pos, end) === -1) return -1;
  let value = 0;
  for (let i = 1; i <= (first & 0x0f); i++) value = value * 256 + (bytes[pos + i] as number);
  value += MULTI_BIAS;
  return value <= Number.MAX_SAFE_INTEGER ? value : -1;
}
