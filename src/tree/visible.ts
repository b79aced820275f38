/** Which rows a reader sees (formats: history and log §1, cells and deltas §4). */
import { hasStop } from "../../formats/time-window.js";
import { FormatError } from "../codec/error.js";
import type { TableHistory } from "./history.js";
import { keyAfter } from "./leaf-rows.js";
import { PageFault } from "./problem.js";
import type { PagePlace, ReportProblem, TreeKey, TreeRow } from "./types.js";

/** A fixed-length record cannot be absent: deleted ones read as 0. */
const DELETED_RECORD = Uint8Array.of(0);

/** Every value without a stop, whatever its start: what reading without a timestamp shows. */
export function* currentRows(rows: Iterable<TreeRow>, fixed: boolean): Generator<TreeRow> {
  for (const row of rows)
    if (row.window === undefined || !hasStop(row.window)) yield row;
    else if (fixed) yield { ...row, value: DELETED_RECORD };
}

export interface ReadAt {
  readonly timestamp: bigint;
  readonly fixed: boolean;
  readonly history: TableHistory | undefined;
  readonly table: string;
  readonly report: ReportProblem;
}

/** Rows as they were at a timestamp. */
export class RowsAt {
  private lost: { from: TreeKey; last: TreeKey; message: string; place: PagePlace } | undefined;

  constructor(private readonly options: ReadAt) {}

  *of(rows: Iterable<TreeRow>): Generator<TreeRow> {
    const { fixed } = this.options;
    for (const row of rows) {
      const value = this.valueOf(row);
      if (value === row.value) yield row;
      else if (value !== undefined || fixed) yield { ...row, value: value ?? DELETED_RECORD };
    }
  }

  private valueOf(row: TreeRow): Uint8Array | undefined {
    const { timestamp, history } = this.options;
    const { window, value, key } = row;
    if (window === undefined) return value;
    if (window.startTs <= timestamp) return hasStop(window) && window.stopTs <= timestamp ? undefined : value;
    if (history === undefined) return undefined;
    try {
      const older = history.valueAt(key, timestamp, () => value);
      this.flush();
      return older;
    } catch (error) {
      if (error instanceof FormatError) this.lose(key, error.message, { path: "" });
      else if (error instanceof PageFault) this.lose(key, error.message, error.place);
      else throw error;
      return undefined;
    }
  }

  private lose(key: TreeKey, message: string, place: PagePlace): void {
    if (this.lost !== undefined && this.lost.message === message) this.lost.last = key;
    else {
      this.flush();
      this.lost = { from: key, last: key, message, place };
    }
  }

  /** Says which keys were lost in a row; to be called behind the last row. */
  flush(): void {
    const { lost } = this;
    if (lost === undefined) return;
    this.lost = undefined;
    const { table, report, timestamp } = this.options;
    report({
      code: "history",
      message: `versions at timestamp ${timestamp} cannot be read: ${lost.message}`,
      table,
      place: lost.place,
      lost: { from: lost.from, to: keyAfter(lost.last) },
    });
  }
}
