/**
 * Fuzz target of every format: bytes are read or refused, never anything else, and what is read without an error is
 * written back byte for byte. The first byte chooses the format, the rest is its input.
 */
import { formats } from "../formats/registry.js";
import { hasErrors } from "../src/codec/index.js";

/** The oracle: throws what no input may cause. */
export function fuzz(input: Uint8Array): void {
  const format = formats[(input[0] ?? 0) % formats.length];
  if (format === undefined) return;
  const bytes = input.subarray(1);
  const reading = format.read(bytes);
  format.annotate(bytes);
  if (!reading.ok || hasErrors(reading.issues)) return;
  const built = format.build(reading.value);
  if (!equal(built, bytes)) throw new Error(`${format.name}: written otherwise than it was read`);
  const back = format.build(
    format.fromJson(JSON.parse(JSON.stringify(format.toJson(reading.value, { secrets: "reveal" })))),
  );
  if (!equal(back, bytes)) throw new Error(`${format.name}: changed on its way through JSON`);
}

const equal = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
