/** The zeros that fill a unit of the file to its end: kept as their number, or as bytes where they are not zero. */
import {
  bytesToHex,
  type Cursor,
  custom,
  FormatError,
  hexToBytes,
  type RandomSource,
  type Type,
  type Violation,
  type Writer,
} from "../src/codec/index.js";

/** How many zero bytes there are; the bytes themselves if one of them is not zero. */
export type ZeroTail = number | Uint8Array;

/** The largest allocation size the engine allows, 128 MB: no block is padded by more. */
export const MAX_ALLOCATION_SIZE = 1 << 27;

function read(cursor: Cursor): ZeroTail {
  const at = cursor.take(cursor.left);
  const bytes = cursor.bytes.subarray(at, cursor.pos);
  return isZero(bytes) ? bytes.length : bytes;
}

/** Whether every byte is 0. */
export function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

function write(writer: Writer, tail: ZeroTail): void {
  writer.bytes(tail instanceof Uint8Array ? tail : new Uint8Array(checked(tail)));
}

function checked(count: unknown): number {
  if (Number.isSafeInteger(count) && (count as number) >= 0 && (count as number) <= MAX_ALLOCATION_SIZE)
    return count as number;
  throw new FormatError({
    code: "value-range",
    message: "a tail is a number of zero bytes, or bytes",
    expected: `0..${MAX_ALLOCATION_SIZE}`,
    actual: count,
  });
}

function fromJson(json: unknown): ZeroTail {
  return typeof json === "string" ? hexToBytes(json) : checked(json);
}

/** Zeros up to the end of the region; `size` gives the length of generated ones. */
export const zeroTail = (doc: string, size: (random: RandomSource) => number): Type<ZeroTail> =>
  custom<ZeroTail>({
    name: "zeros to the end",
    doc,
    decode: read,
    encode: write,
    generate: size,
    toJson: (tail) => (typeof tail === "number" ? tail : bytesToHex(tail)),
    fromJson,
    show: (tail) => (typeof tail === "number" ? `${tail} zero bytes` : "not all zero"),
  });

/** The rule that goes with a `tail` field. */
export const tailRule = {
  code: "tail-not-zero",
  doc: "the bytes behind the content, up to the end of the block, are zero",
  severity: "warning",
  check: ({ tail }: { tail?: ZeroTail }): Violation | undefined =>
    tail instanceof Uint8Array
      ? { path: "tail", message: "bytes behind the content are not zero" }
      : undefined,
} as const;
