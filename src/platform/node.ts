import { installNodeCompressors } from "./node-compressors.js";
import { installNodeCrc32c } from "./node-crc32c.js";
import { installWasmLeafMemory } from "./node-leaf-memory.js";
import { installWasmRows } from "./node-plain-rows.js";

/**
 * Puts Node's native code in the place of the portable one, as far as it loads; results are the same. Call it once at
 * the start of a program (and of each worker thread).
 */
export function installNodeAccelerators(): void {
  installNodeCrc32c();
  installNodeCompressors();
  installWasmRows();
  installWasmLeafMemory();
}
