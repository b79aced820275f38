/** Damaged copies of an input, and what a codec must do with each. */
import * as assert from "uvu/assert";
import { type Format, FormatError } from "../../src/codec/index.js";

/** Calls `check` with every copy that differs in one bit; the copy is reused. */
export function eachBitFlip(
  bytes: Uint8Array,
  check: (damaged: Uint8Array, at: number, bit: number) => void,
): void {
  const copy = bytes.slice();
  for (let at = 0; at < copy.length; at++)
    for (let bit = 0; bit < 8; bit++) {
      copy[at] = (bytes[at] as number) ^ (1 << bit);
      check(copy, at, bit);
      copy[at] = bytes[at] as number;
    }
}

/** Calls `check` with every shorter beginning. */
export function eachTruncation(bytes: Uint8Array, check: (shorter: Uint8Array) => void): void {
  for (let length = 0; length < bytes.length; length++) check(bytes.subarray(0, length));
}

/**
 * Whether the format finds something wrong (an issue of severity error, or an unreadable input). Fails when `parse`
 * and `read` disagree, when `parse` throws anything but a FormatError, or when what was read is built differently.
 */
// biome-ignore lint/suspicious/noExplicitAny: any format will do.
export function detects(format: Format<any>, bytes: Uint8Array): boolean {
  const reading = format.read(bytes);
  const found = reading.issues.some(({ severity }) => severity === "error");
  let thrown: unknown;
  try {
    format.parse(bytes);
  } catch (error) {
    thrown = error;
  }
  if (thrown !== undefined && !(thrown instanceof FormatError)) throw thrown;
  assert.is(thrown !== undefined, found, "parse throws exactly when read has an error");
  if (reading.ok) assert.equal(format.build(reading.value), bytes, "what was read is built as it was");
  return found;
}
