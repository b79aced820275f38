import { createRequire } from "node:module";
import { crc32c, crc32cImplementation, setCrc32c } from "../codec/crc32c.js";

const PACKAGE = "@node-rs/crc32";
const PROBE = new TextEncoder().encode("123456789".repeat(40));

/**
 * Installs the processor's CRC32C where the native package loads and agrees with our own code; otherwise nothing
 * changes. Returns the name of the implementation then in use.
 */
export function installNodeCrc32c(): string {
  const native = load();
  if (native && agrees(native)) {
    setCrc32c({ name: PACKAGE, update: (bytes, seed) => native(bytes, seed) });
  }
  return crc32cImplementation();
}

type NativeCrc32c = (input: Uint8Array, initialState?: number) => number;

function load(): NativeCrc32c | undefined {
  try {
    const { crc32c: native } = createRequire(import.meta.url)(PACKAGE) as { crc32c?: NativeCrc32c };
    return typeof native === "function" ? native : undefined;
  } catch {
    return undefined; // no binary for this platform: the built-in code serves
  }
}

/** A binary that answers differently would turn every sound page into a finding. */
function agrees(native: NativeCrc32c): boolean {
  setCrc32c();
  const head = PROBE.subarray(0, 100);
  return native(PROBE, 0) === crc32c(PROBE) && native(PROBE.subarray(100), crc32c(head)) === crc32c(PROBE);
}
