/** One table at one checkpoint, wherever its pages are. */
import { HISTORY_STORE_URI } from "../../formats/classic-home.js";
import { specialTables } from "../../formats/disagg-tables.js";
import { TableHistory } from "./history.js";
import { LeafRows } from "./leaf-rows.js";
import { throwProblem } from "./problem.js";
import type {
  CheckpointInfo,
  PageSource,
  RowOptions,
  Table,
  TableInfo,
  TableReader,
  TreeLeaf,
  TreePage,
  TreeProblem,
  TreeRow,
} from "./types.js";
import { currentRows, RowsAt } from "./visible.js";
import { TreeWalk, type WalkOptions } from "./walk.js";

/** The root of a tree and where its pages are; undefined root: no rows. */
export interface TreeRoot {
  readonly source: PageSource;
  readonly root: Uint8Array | undefined;
}

export interface TableParts extends TreeRoot {
  readonly info: TableInfo;
  readonly checkpoint: CheckpointInfo | undefined;
  /** What stands in the way of the root. */
  readonly problems: readonly TreeProblem[];
  /** The history store of the same checkpoint. */
  readonly history: () => TreeRoot | undefined;
}

const historyUris: ReadonlySet<string> = new Set([HISTORY_STORE_URI, specialTables.sharedHistoryStore.uri]);

export class TreeTable implements Table {
  constructor(private readonly parts: TableParts) {}

  get info(): TableInfo {
    return this.parts.info;
  }
  get checkpoint(): CheckpointInfo | undefined {
    return this.parts.checkpoint;
  }

  *rows(options: RowOptions = {}): Generator<TreeRow> {
    const reader = this.reader(options);
    for (const leaf of reader.leaves()) yield* reader.rows(leaf);
    reader.finish();
  }

  reader(options: RowOptions = {}): TableReader {
    const walk = this.walkOptions(options);
    const { timestamp } = options;
    const leaves = new LeafRows(this.parts.source, walk);
    const fixed = /^\d*t$/.test(this.info.valueFormat);
    const at = timestamp === undefined ? undefined : this.rowsAt(timestamp, fixed, walk);
    // Its rows are versions: nearly all have a stop.
    const isHistory = historyUris.has(this.info.uri);
    return {
      isPlain: at === undefined && !isHistory && walk.anyKeyOrder !== true,
      leaves: () => this.leaves(walk),
      rows: (leaf) => {
        const rows = leaves.rows(leaf);
        if (isHistory) return rows;
        return at === undefined ? currentRows(rows, fixed) : at.of(rows);
      },
      finish: () => at?.flush(),
    };
  }

  private *leaves(walk: WalkOptions): Generator<TreeLeaf> {
    const { source, root, problems } = this.parts;
    for (const problem of problems) walk.report(problem);
    if (root !== undefined) yield* new TreeWalk(source, walk).leaves(root);
  }

  *pages({ timestamp, onProblem = throwProblem }: RowOptions = {}): Generator<{
    page: TreePage;
    depth: number;
  }> {
    const { source, root } = this.parts;
    for (const problem of this.parts.problems) onProblem(problem);
    if (root === undefined) return;
    let met: Array<{ page: TreePage; depth: number }> = [];
    const visit = (page: TreePage, depth: number): void => void met.push({ page, depth });
    const walk = new TreeWalk(source, { ...this.walkOptions({ timestamp, onProblem }), visit });
    for (const _leaf of walk.leaves(root)) {
      yield* met;
      met = [];
    }
    yield* met;
  }

  private walkOptions({ timestamp, onProblem = throwProblem, rescue = false }: RowOptions): WalkOptions {
    const { uri, collator } = this.info;
    return { table: uri, timestamp, anyKeyOrder: collator !== "", rescue, report: onProblem };
  }

  private rowsAt(timestamp: bigint, fixed: boolean, { table, report }: WalkOptions): RowsAt {
    const { id, valueFormat } = this.info;
    const history = this.parts.history();
    const known =
      history?.root === undefined || id === undefined
        ? undefined
        : new TableHistory(history.source, history.root, id, valueFormat);
    return new RowsAt({ timestamp, fixed, history: known, table, report });
  }
}
