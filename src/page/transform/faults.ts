import { FormatError } from "../../codec/error.js";
import type { StreamCodec } from "./types.js";

/** A stream that its algorithm cannot have written. `offset` is where reading could not go on. */
export function badStream(algorithm: string, problem: string, offset: number): FormatError {
  return new FormatError({ code: "compressed-stream", message: `${algorithm}: ${problem}`, offset });
}

/** The stream is sound but yields another number of bytes than the page header promises. */
export function wrongLength(algorithm: string, expected: number, actual: number | string): FormatError {
  const message = `${algorithm}: inflates to ${actual} bytes, the page header promises ${expected}`;
  return new FormatError({ code: "inflated-length", message, expected, actual });
}

/** Nobody allocates for a length that `streamLength` bytes of this algorithm can never yield. */
export function checkRatio(algorithm: string, streamLength: number, expected: number, limit: number): void {
  if (expected <= streamLength * limit) return;
  const message = `${algorithm}: ${streamLength} bytes can inflate to at most ${streamLength * limit}, not ${expected}`;
  throw new FormatError({ code: "inflated-length", message, expected, actual: streamLength * limit });
}

/** Runs `work` on bytes that start at `base` of the caller's: offsets of its errors are moved along. */
export function withBase<T>(base: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof FormatError && error.offset !== undefined) error.offset += base;
    throw error;
  }
}

/**
 * Foreign code refused a stream without saying where. The built-in decoder finds the place; the refusal stands even if
 * that one should accept.
 */
export function refused(
  algorithm: string,
  builtIn: StreamCodec,
  stream: Uint8Array,
  expectedLength: number,
  reason: string,
): FormatError {
  try {
    builtIn.decode(stream, expectedLength, 0);
  } catch (error) {
    if (error instanceof FormatError) return error;
  }
  return badStream(algorithm, reason, 0);
}
