/** The text files of a home. */
import { FileAccess, readRange } from "./file.js";

/** Real ones have a few KB; what a larger file has behind this many bytes is not read. */
const MAX_SIZE = 16 * 1024 * 1024;

/** @throws InputError as `FileAccess` does. */
export function readSmall(path: string): Uint8Array {
  const access = new FileAccess(path);
  try {
    return readRange(access, 0, MAX_SIZE);
  } finally {
    access.close();
  }
}
