/** The engine's own row dumps, 100 MB of them, as a row count and a hash each. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface TruthEntry {
  /** Pairs of lines: a key (hex, or a record number), a value (hex). */
  rows: number;
  /** Of the bytes after the `Data` line; of the whole file where there is no header (`*.tsread`). */
  sha256: string;
}

const DUMP = /\.dump$|\.dump-x\.txt$/;
const HEADERLESS = /\.tsread\//;
const DATA_LINE = "\nData\n";

/** Every dump below `folder`, by its path there. */
export function hashTruth(folder: string): Record<string, TruthEntry> {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (path) => DUMP.test(path) || (HEADERLESS.test(path) && path.endsWith(".txt")),
  );
  return Object.fromEntries(paths.sort().map((path) => [path, hashDump(folder, path)]));
}

function hashDump(folder: string, path: string): TruthEntry {
  const bytes = readFileSync(join(folder, path));
  const start = HEADERLESS.test(path) ? 0 : bytes.indexOf(DATA_LINE) + DATA_LINE.length;
  if (start < DATA_LINE.length && !HEADERLESS.test(path)) throw new Error(`${path} has no Data line`);
  const body = bytes.subarray(start);
  const lines = body.reduce((count, byte) => (byte === 0x0a ? count + 1 : count), 0);
  if (lines % 2 !== 0 || (body.length > 0 && body.at(-1) !== 0x0a))
    throw new Error(`${path} ends within a row`);
  return { rows: lines / 2, sha256: createHash("sha256").update(body).digest("hex") };
}
