/** What a tree looks like from outside: levels, fill, chains. */
import { cellTags } from "../../formats/cell.js";
import { pageTypes } from "../../formats/page-header.js";
import { columnChildren, columnRuns } from "../page/records.js";
import type { PagePart, RowOptions, Table, TreePage } from "./types.js";
import { isInternal, pageRows } from "./walk.js";

export interface LevelShape {
  /** 0 = the root. */
  readonly depth: number;
  readonly kind: "internal" | "leaf";
  pages: number;
  /** Children, keys, or cells and records of column stores; deltas merged. */
  entries: number;
  /** Bytes as stored, deltas included. */
  stored: number;
  /** Bytes of the plain full images. */
  plain: number;
  smallestPlain: number;
  largestPlain: number;
  deltas: number;
}

export interface TreeShape {
  /** Levels from the root to the deepest leaf; 0 = a tree without pages. */
  readonly depth: number;
  /** Root first; leaves may stand on several levels. */
  readonly levels: readonly LevelShape[];
  /** Children that a fast truncate hides. */
  readonly deletedChildren: number;
  /** Keys and values on pages of their own. */
  readonly overflowItems: number;
  /** Pages by the number of their deltas, ascending. */
  readonly chains: ReadonlyArray<{ readonly deltas: number; readonly pages: number }>;
}

/** Reads every page of the table once. */
export function shapeOf(table: Table, options: RowOptions = {}): TreeShape {
  const levels = new Map<string, LevelShape>();
  const chains = new Map<number, number>();
  let deletedChildren = 0;
  let overflowItems = 0;
  for (const { page, depth } of table.pages(options)) {
    const content = contentOf(page);
    addPage(levelOf(levels, depth, isInternal(page.type)), page, content.entries);
    deletedChildren += content.deleted;
    overflowItems += content.overflow;
    const deltas = page.parts.length - 1;
    chains.set(deltas, (chains.get(deltas) ?? 0) + 1);
  }
  const sorted = [...levels.values()].sort((a, b) => a.depth - b.depth || (a.kind < b.kind ? -1 : 1));
  return {
    depth: (sorted.at(-1)?.depth ?? -1) + 1,
    levels: sorted,
    deletedChildren,
    overflowItems,
    chains: [...chains].sort(([a], [b]) => a - b).map(([deltas, pages]) => ({ deltas, pages })),
  };
}

function levelOf(levels: Map<string, LevelShape>, depth: number, internal: boolean): LevelShape {
  const kind = internal ? "internal" : "leaf";
  const key = `${depth} ${kind}`;
  const level = levels.get(key) ?? {
    depth,
    kind,
    pages: 0,
    entries: 0,
    stored: 0,
    plain: 0,
    smallestPlain: Number.POSITIVE_INFINITY,
    largestPlain: 0,
    deltas: 0,
  };
  levels.set(key, level);
  return level;
}

function addPage(level: LevelShape, { parts }: TreePage, entries: number): void {
  const plain = parts[0]?.image.length ?? 0;
  level.pages++;
  level.entries += entries;
  level.stored += parts.reduce((sum, { stored }) => sum + stored, 0);
  level.plain += plain;
  level.smallestPlain = Math.min(level.smallestPlain, plain);
  level.largestPlain = Math.max(level.largestPlain, plain);
  level.deltas += parts.length - 1;
}

interface Content {
  readonly entries: number;
  readonly deleted: number;
  readonly overflow: number;
}

function contentOf({ type, parts }: TreePage): Content {
  const part = parts[0] as PagePart;
  if (type === pageTypes.columnFixed) return { entries: part.layout.entries, deleted: 0, overflow: 0 };
  if (type === pageTypes.columnInternal) return countTags(columnChildren(part.image, part.layout));
  if (type === pageTypes.columnVariable) return countTags(columnRuns(part.image, part.layout));
  return countTags(pageRows(parts));
}

function countTags(cells: Iterable<{ readonly tag: number; readonly keyCookie?: Uint8Array }>): Content {
  let entries = 0;
  let deleted = 0;
  let overflow = 0;
  for (const { tag, keyCookie } of cells) {
    entries++;
    if (tag === cellTags.addressDeleted) deleted++;
    if (tag === cellTags.valueOverflow) overflow++;
    if (keyCookie !== undefined) overflow++;
  }
  return { entries, deleted, overflow };
}
