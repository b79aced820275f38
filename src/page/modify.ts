/** Applying a modify list to a value. Formats: history and log §1. */
import type { Modify } from "../../formats/history.js";
import { FormatError } from "../codec/index.js";

export interface ModifyOptions {
  /** Longest value to be made, in bytes (default 32 MB): a damaged offset must not make a huge one. */
  readonly maxLength?: number;
}

const DEFAULT_MAX_LENGTH = 32 << 20;
const PAD = { u: 0x00, S: 0x20 } as const;

/**
 * The value after the changes, applied in order. A change that begins behind the value's end fills the space between
 * with NUL bytes (`u`) or spaces (`S`); one that reaches over the end replaces what there is. The NUL that ends an `S`
 * value is not part of what offsets count, and stays.
 * @throws FormatError `modify-length` with the index of a change that makes the value longer than `maxLength`.
 */
export function applyModifies(
  value: Uint8Array,
  modifies: readonly Modify[],
  format: "u" | "S",
  { maxLength = DEFAULT_MAX_LENGTH }: ModifyOptions = {},
): Uint8Array {
  const terminated = format === "S" && value[value.length - 1] === 0;
  const length = terminated ? value.length - 1 : value.length;
  const buffer = new Uint8Array(longest(length, modifies, maxLength) + 1);
  buffer.set(value.subarray(0, length));
  let end = length;
  for (const modify of modifies) end = apply(buffer, end, modify, PAD[format]);
  if (terminated) buffer[end++] = 0;
  return buffer.slice(0, end);
}

/** The length of the longest value on the way. */
function longest(length: number, modifies: readonly Modify[], maxLength: number): number {
  let most = length;
  let end = length;
  for (const [index, { data, offset, size }] of modifies.entries()) {
    end = Number(offset) + data.length + Math.max(0, end - Number(offset) - Number(size));
    if (end > maxLength) throw tooLong(index, end, maxLength);
    most = Math.max(most, end);
  }
  return most;
}

const tooLong = (index: number, length: number, maxLength: number): FormatError =>
  new FormatError({
    code: "modify-length",
    message: `the change makes a value of ${length} bytes`,
    path: `[${index}]`,
    expected: `at most ${maxLength}`,
    actual: length,
  });

/** Applies one change to the value in `buffer[0, end)`; gives the new end. */
function apply(buffer: Uint8Array, end: number, { data, offset, size }: Modify, pad: number): number {
  const at = Number(offset);
  const rest = Math.min(at + Number(size), end);
  if (at > end) buffer.fill(pad, end, at);
  const behind = at + data.length;
  buffer.copyWithin(behind, rest, end);
  buffer.set(data, at);
  return behind + end - rest;
}
