/** Two files compared a window at a time. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const WINDOW = 1 << 20;

export function sameFile(a: string, b: string): boolean {
  const [left, right] = [openSync(a, "r"), openSync(b, "r")];
  try {
    const { size } = fstatSync(left);
    if (size !== fstatSync(right).size) return false;
    const [one, two] = [Buffer.alloc(WINDOW), Buffer.alloc(WINDOW)];
    for (let at = 0; at < size; at += WINDOW) {
      const got = readSync(left, one, 0, WINDOW, at);
      if (readSync(right, two, 0, WINDOW, at) !== got || one.compare(two, 0, got, 0, got) !== 0) return false;
    }
    return true;
  } finally {
    closeSync(left);
    closeSync(right);
  }
}
