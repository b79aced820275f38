import { FormatError } from "../../codec/error.js";
import { lz4Compressor, snappyCompressor, zlibCompressor, zstdCompressor } from "./compressors.js";
import type { Compressor, Encryptor } from "./types.js";

/** Compressors and encryptors by the names the engine's configuration gives them. */

const compressors = new Map<string, Compressor>();
const encryptors = new Map<string, Encryptor>();

/** Adds a compressor, or replaces the one of the same name. */
export function registerCompressor(compressor: Compressor): void {
  compressors.set(compressor.name, compressor);
}

export function compressorByName(name: string): Compressor | undefined {
  return compressors.get(name);
}

/** In the order in which they are tried on a block whose compressor is not known. */
export function registeredCompressors(): Compressor[] {
  return [...compressors.values()];
}

/** Adds an encryptor, or replaces the one of the same name. Its keys are its own business. */
export function registerEncryptor(encryptor: Encryptor): void {
  encryptors.set(encryptor.name, encryptor);
}

export function encryptorByName(name: string): Encryptor | undefined {
  return encryptors.get(name);
}

/**
 * Names of the compressors whose stored form `stored` can be: prefix, stream and inflated length all fit. A block does
 * not say which one wrote it (the table's `block_compressor=` does); in practice at most one fits.
 */
export function detectCompressor(stored: Uint8Array, expectedLength: number): string[] {
  return registeredCompressors()
    .filter((compressor) => inflates(compressor, stored, expectedLength))
    .map(({ name }) => name);
}

function inflates(compressor: Compressor, stored: Uint8Array, expectedLength: number): boolean {
  if (!compressor.plausible(stored, expectedLength)) return false;
  try {
    return compressor.decompress(stored, expectedLength).length === expectedLength;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

for (const compressor of [zstdCompressor(), lz4Compressor(), snappyCompressor(), zlibCompressor()]) {
  registerCompressor(compressor);
}
