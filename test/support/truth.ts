/** The engine's own dumps, as hashes, and ours to compare with them. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { HexDump, hexRows } from "../../src/report/rows/hex.js";
import type { TableReader, TreeRow } from "../../src/tree/types.js";
import { corpusPath } from "./corpus.js";

export interface Truth {
  readonly rows: number;
  readonly sha256: string;
}

/** By path of the dump. */
export const truth: Readonly<Record<string, Truth>> = JSON.parse(
  readFileSync(corpusPath("truth.json"), "utf8"),
);

/** What our dump of the rows would be in `truth`. */
export function truthOf(rows: Iterable<TreeRow>): Truth {
  let count = 0;
  const counting = function* (): Generator<TreeRow> {
    for (const row of rows) {
      count++;
      yield row;
    }
  };
  const hash = createHash("sha256");
  for (const chunk of hexRows(counting())) hash.update(chunk);
  return { rows: count, sha256: hash.digest("hex") };
}

/** The same, as the command makes it: plain leaves are never made into rows. */
export function truthOfDump(reader: TableReader): Truth {
  const dump = new HexDump(reader);
  const hash = createHash("sha256");
  for (const chunk of dump.chunks()) hash.update(chunk);
  return { rows: dump.rows, sha256: hash.digest("hex") };
}
