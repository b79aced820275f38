/** Every version a leaf holds, as rows. */
import { cellTags } from "../../formats/cell.js";
import { pageTypes } from "../../formats/page-header.js";
import { decodeRecords } from "../page/decode-records.js";
import { type ColumnRun, columnRuns } from "../page/records.js";
import type { MergedRow } from "../page/rows.js";
import { PageFault } from "./problem.js";
import type { KeyRange, PagePart, PageSource, TreeKey, TreeLeaf, TreeProblem, TreeRow } from "./types.js";
import { isInside, pageRows, rangeOf, type WalkOptions } from "./walk.js";

export class LeafRows {
  constructor(
    private readonly source: PageSource,
    private readonly options: Pick<WalkOptions, "table" | "report" | "anyKeyOrder">,
  ) {}

  /** In the order of the page; deleted column records are left out. */
  rows(leaf: TreeLeaf): Iterable<TreeRow> {
    switch (leaf.page.type) {
      case pageTypes.rowLeaf:
        return this.rowLeaf(leaf);
      case pageTypes.columnVariable:
        return this.columnLeaf(leaf);
      default:
        return this.fixedLeaf(leaf);
    }
  }

  private *rowLeaf(leaf: TreeLeaf): Generator<TreeRow> {
    const { parts } = leaf.page;
    const rows = this.insideRange(pageRows(parts), leaf);
    for (const [index, row] of rows.entries()) {
      const { origin } = parts[row.part] as PagePart;
      const key = row.key ?? this.overflowKey(rows, index, leaf);
      if (key === undefined) continue;
      const value = row.tag === cellTags.valueOverflow ? this.overflowValue(row.data, key, leaf) : row.data;
      if (value !== undefined) yield { key, value, window: row.window, origin, offset: row.offset };
    }
  }

  /** Keys are in order on a sound page, so the first and the last tell of all. */
  private insideRange(rows: MergedRow[], leaf: TreeLeaf): readonly MergedRow[] {
    if (this.options.anyKeyOrder === true) return rows;
    const inside = ({ key }: MergedRow): boolean => key === undefined || isInside(key, leaf.range);
    const [first] = rows;
    const last = rows.at(-1);
    if (first === undefined || last === undefined || (inside(first) && inside(last))) return rows;
    const kept = rows.filter(inside);
    this.report(leaf, {
      code: "key-range",
      message: `${rows.length - kept.length} keys of the page are outside the range its parent gives it`,
      lost: rangeOf(leaf.range),
    });
    return kept;
  }

  /** A key that cannot be read lies between its neighbours. */
  private overflowKey(rows: readonly MergedRow[], index: number, leaf: TreeLeaf): Uint8Array | undefined {
    const before = rows[index - 1]?.key;
    const from = before === undefined ? leaf.range.from : keyAfter(before);
    const to = rows[index + 1]?.key ?? leaf.range.to;
    return this.overflow(rows[index]?.keyCookie as Uint8Array, leaf, "a key", rangeOf({ from, to }));
  }

  private overflowValue(cookie: Uint8Array, key: TreeKey, leaf: TreeLeaf): Uint8Array | undefined {
    return this.overflow(cookie, leaf, "a value", { from: key, to: keyAfter(key) });
  }

  private overflow(cookie: Uint8Array, leaf: TreeLeaf, what: string, lost: KeyRange): Uint8Array | undefined {
    try {
      return this.source.overflow(cookie);
    } catch (error) {
      if (!(error instanceof PageFault)) throw error;
      const { message, place } = error;
      this.report(leaf, { code: "overflow", message: `${what} on its own page: ${message}`, place, lost });
      return undefined;
    }
  }

  private report(leaf: TreeLeaf, problem: Omit<TreeProblem, "table" | "place"> & Partial<TreeProblem>): void {
    this.options.report({ table: this.options.table, place: leaf.page.place, ...problem });
  }

  private *columnLeaf(leaf: TreeLeaf): Generator<TreeRow> {
    const { image, layout, origin } = leaf.page.parts[0] as PagePart;
    for (const run of columnRuns(image, layout)) {
      if (run.tag === cellTags.deleted) continue;
      const end = this.endOf(run, leaf);
      if (end <= run.recno) continue;
      const value = this.runValue(run, end, leaf);
      if (value === undefined) continue;
      for (let key = run.recno; key < end; key++)
        yield { key, value, window: run.window, origin, offset: run.offset };
    }
  }

  /** A damaged run length must not make records of the next pages. */
  private endOf({ recno, count }: ColumnRun, leaf: TreeLeaf): bigint {
    const end = recno + count;
    const { from, to } = leaf.range as { from?: bigint; to?: bigint };
    const most = to !== undefined && to < end ? to : end;
    if (most === end && (from === undefined || recno >= from)) return end;
    this.report(leaf, {
      code: "key-range",
      message: `the records ${recno} to ${end - 1n} are not all in the range the parent gives the page`,
      lost: rangeOf(leaf.range),
    });
    return from !== undefined && recno < from ? recno : most;
  }

  private runValue({ tag, data, recno }: ColumnRun, end: bigint, leaf: TreeLeaf): Uint8Array | undefined {
    if (tag !== cellTags.valueOverflow) return data;
    return this.overflow(data, leaf, "a value", { from: recno, to: end });
  }

  private *fixedLeaf(leaf: TreeLeaf): Generator<TreeRow> {
    const { image, layout, origin } = leaf.page.parts[0] as PagePart;
    const records = decodeRecords(image, layout);
    if (records === undefined) {
      this.report(leaf, {
        code: "page-damaged",
        message: "the records do not fit the page",
        lost: rangeOf(leaf.range),
      });
      return;
    }
    const windows = records.windows.values();
    let next = windows.next().value;
    for (let record = 0; record < records.values.length; record++) {
      const own = next?.record === record ? next : undefined;
      if (own !== undefined) next = windows.next().value;
      yield {
        key: layout.recno + BigInt(record),
        value: records.values.subarray(record, record + 1),
        window: own?.window,
        origin,
        offset: own?.offset ?? -1,
      };
    }
  }
}

/** The next key there can be. */
export function keyAfter(key: TreeKey): TreeKey {
  if (typeof key === "bigint") return key + 1n;
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}
