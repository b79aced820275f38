/** A path as bytes: a file, or what comes from standard input (`-`). */
import { readSync } from "node:fs";
import { FileAccess, MemoryAccess } from "./file.js";
import { InputError, systemError } from "./input-error.js";
import type { RandomAccess } from "./types.js";

export const STANDARD_INPUT = "-";
/** It is kept in memory, since it cannot be read twice. */
const MAX_STANDARD_INPUT = 2 ** 29;
const BLOCK = 64 * 1024;

let standardInput: Uint8Array | undefined;

/** @throws InputError `input-missing`, `input-unreadable`, `input-unsupported` (more than can be kept). */
export function openInput(path: string): RandomAccess {
  if (path !== STANDARD_INPUT) return new FileAccess(path);
  standardInput ??= readStandardInput();
  return new MemoryAccess(path, standardInput);
}

function readStandardInput(): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let length = 0; ; ) {
    const block = new Uint8Array(BLOCK);
    const count = readBlock(block);
    if (count === 0) return Buffer.concat(blocks);
    length += count;
    if (length > MAX_STANDARD_INPUT)
      throw new InputError("input-unsupported", STANDARD_INPUT, "more than 512 MB; give it as a file");
    blocks.push(block.subarray(0, count));
  }
}

function readBlock(block: Uint8Array): number {
  for (;;)
    try {
      return readSync(0, block);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // A closed pipe on Windows; a terminal or pipe that has nothing yet.
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw systemError(STANDARD_INPUT, error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
}
