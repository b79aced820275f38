/** What is in a folder, to tell whether anything in it was touched. */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A line for every file and folder below `root`. A folder's own times are in it, so that a file that was made and
 * removed again shows as well.
 */
export function snapshot(root: string): string[] {
  const names = ["", ...readdirSync(root, { recursive: true, encoding: "utf8" }).sort()];
  return names.map((name) => {
    const path = join(root, name);
    const { mode, size, mtimeNs, ctimeNs, ino } = lstatSync(path, { bigint: true });
    const isFile = (mode & 0o170000n) === 0o100000n;
    const hash = isFile ? createHash("sha256").update(readFileSync(path)).digest("hex") : "";
    return [name || ".", mode.toString(8), size, mtimeNs, ctimeNs, ino, hash].join(" ");
  });
}
