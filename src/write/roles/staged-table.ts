/** Changes of one table that wait for the next checkpoint. */
import { beginsLikeTombstone } from "../../../formats/disagg-tables.js";
import { compareKeys } from "../../../formats/page-rules.js";
import { MAX_TIMESTAMP } from "../../../formats/time-window.js";
import { bytesToHex } from "../../codec/json.js";
import type { FileRow, LayeredRow } from "../checkpoint/metadata-rows.js";
import type { TableChange } from "../checkpoint/write-checkpoint.js";
import type { RowEdit, TreeState, WriteRow } from "../types.js";
import { NodeError } from "./node-error.js";

/** What rows are checked for. */
export interface RowRules {
  /** Changes are later. */
  readonly stable: bigint;
  /** Values that begin like the mark of a deletion can be stored. */
  readonly anyValue: boolean;
}

/** How many bytes of a key an error shows. */
const SHOWN_KEY = 16;

export class StagedTable {
  private load: Iterable<WriteRow> | undefined;
  /** Ascending by key, each key once. */
  private edits: readonly RowEdit[] = [];

  constructor(
    private readonly row: FileRow,
    /** Undefined for a table without a checkpoint. */
    private readonly tree: TreeState | undefined,
    private readonly layered: LayeredRow | undefined,
  ) {}

  get isEmpty(): boolean {
    return this.tree !== undefined && this.load === undefined && this.edits.length === 0;
  }

  /** @throws NodeError `table-loaded`; those of `addEdits` now, or when the rows are read */
  addLoad(rows: Iterable<WriteRow>, rules: RowRules): void {
    if ((this.tree?.root.length ?? 0) > 0 || this.load !== undefined || this.edits.length > 0)
      throw new NodeError("table-loaded", `${this.row.uri} has rows already: change them with edit()`);
    this.load = Array.isArray(rows) ? checked(rows, rules) : checkedLater(rows, rules);
  }

  /** Later edits of a key take the place of earlier ones. @throws NodeError `unsorted-rows`, `timestamp`, `escaped-value` */
  addEdits(edits: Iterable<RowEdit>, rules: RowRules): void {
    this.edits = merge(this.edits, checked([...edits], rules));
  }

  change(): TableChange {
    const { row, tree, layered, load, edits } = this;
    return { row, tree, layered, load, edits };
  }
}

function checked<T extends RowEdit>(rows: readonly T[], rules: RowRules): readonly T[] {
  let last: Uint8Array | undefined;
  for (const row of rows) {
    check(row, last, rules);
    last = row.key;
  }
  return rows;
}

/** Rows that are made one by one are checked as they come, in every attempt of a checkpoint anew. */
function checkedLater<T extends RowEdit>(rows: Iterable<T>, rules: RowRules): Iterable<T> {
  return {
    *[Symbol.iterator](): Iterator<T> {
      let last: Uint8Array | undefined;
      for (const row of rows) {
        check(row, last, rules);
        last = row.key;
        yield row;
      }
    },
  };
}

function check({ key, value, window }: RowEdit, last: Uint8Array | undefined, rules: RowRules): void {
  const order = last === undefined ? -1 : compareKeys(last, key);
  if (order >= 0) {
    const problem = order === 0 ? "comes twice" : "is below the key before it";
    throw new NodeError("unsorted-rows", `rows must ascend by key: ${shown(key)} ${problem}`);
  }
  if (!rules.anyValue && value !== undefined && beginsLikeTombstone(value))
    throw new NodeError(
      "escaped-value",
      `the value of ${shown(key)} begins with the bytes 14 14: the generation stores it in an escaped form, which is not written here`,
    );
  if (window === undefined) return;
  const newest = window.stopTs === MAX_TIMESTAMP ? window.startTs : window.stopTs;
  if (newest !== 0n && newest <= rules.stable)
    throw new NodeError(
      "timestamp",
      `a change of timestamp ${newest} is behind the stable timestamp ${rules.stable}`,
    );
}

const shown = (key: Uint8Array): string =>
  `0x${bytesToHex(key.subarray(0, SHOWN_KEY))}${key.length > SHOWN_KEY ? "…" : ""}`;

function merge(older: readonly RowEdit[], newer: readonly RowEdit[]): readonly RowEdit[] {
  if (older.length === 0) return newer;
  const merged: RowEdit[] = [];
  let at = 0;
  for (const edit of newer) {
    while (at < older.length && compareKeys((older[at] as RowEdit).key, edit.key) < 0)
      merged.push(older[at++] as RowEdit);
    if (at < older.length && compareKeys((older[at] as RowEdit).key, edit.key) === 0) at++;
    merged.push(edit);
  }
  return [...merged, ...older.slice(at)];
}
