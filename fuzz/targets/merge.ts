/** An image and its deltas as one page, against a plain map. */
import { cellTags } from "../../formats/cell.js";
import { seededRandom } from "../../src/codec/index.js";
import { mergeRows, type Row } from "../../src/page/rows.js";
import { Tape } from "../tape.js";
import { Broken, type FuzzTarget } from "../target.js";

const SEEDS = 16;
const MAX_PARTS = 40;
const MAX_ROWS = 24;

export const mergeTarget: FuzzTarget = {
  name: "merge",
  oracle:
    "merging a chain gives what applying its parts to a map in turn gives, in key order, with the part each row is from",
  *seeds() {
    for (let seed = 1; seed <= SEEDS; seed++) yield seededRandom(seed).bytes(8 * seed);
  },
  fuzz(input) {
    const tape = new Tape(input);
    const internal = tape.below(2) === 1;
    const chain = [rowsOf(tape, 0, false, internal)];
    // A delta never names slot zero, whose key is below all others of the page.
    const first = internal ? lowest(chain[0]?.[0]?.key) + 1 : 0;
    for (let deltas = tape.below(MAX_PARTS); deltas > 0; deltas--)
      chain.push(rowsOf(tape, first, true, internal));
    compare(mergeRows(chain), model(chain));
  },
};

/** Ascending keys from `first` on; in a delta some are removed. */
function rowsOf(tape: Tape, first: number, isDelta: boolean, internal: boolean): Row[] {
  const rows: Row[] = [];
  let key = first;
  for (let left = tape.below(MAX_ROWS); left > 0; left--) {
    key += tape.below(8) + (rows.length > 0 ? 1 : 0);
    rows.push({
      key: keyBytes(key),
      data: Uint8Array.of(tape.below(256)),
      tag: internal ? cellTags.addressLeaf : cellTags.value,
      window: undefined,
      removed: isDelta && tape.below(4) === 0,
      offset: rows.length,
    });
  }
  return rows;
}

const lowest = (key: Uint8Array | undefined): number => key?.[0] ?? 0;

/** Of one and of three bytes, so that lengths differ. */
const keyBytes = (key: number): Uint8Array =>
  key < 100 ? Uint8Array.of(key) : Uint8Array.of(100, key >> 8, key & 0xff);

interface Modelled {
  readonly key: Uint8Array;
  readonly data: Uint8Array;
  readonly part: number;
}

function model(chain: readonly Row[][]): Modelled[] {
  const rows = new Map<string, Modelled>();
  chain.forEach((part, index) => {
    for (const row of part) {
      const key = Buffer.from(row.key as Uint8Array).toString("hex");
      if (row.removed) rows.delete(key);
      else rows.set(key, { key: row.key as Uint8Array, data: row.data, part: index });
    }
  });
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

function compare(merged: ReturnType<typeof mergeRows>, expected: readonly Modelled[]): void {
  if (merged.length !== expected.length) throw new Broken(`${merged.length} rows, not ${expected.length}`);
  merged.forEach(({ key, data, part }, index) => {
    const row = expected[index] as Modelled;
    if (key !== row.key || data !== row.data || part !== row.part)
      throw new Broken(`row ${index} is of part ${part}, not of ${row.part}`);
  });
}
