/**
 * What must hold on a page beyond its grammar (formats: cells and deltas §4 to §6). `src/page/walk.ts` checks the same
 * without building values; a test holds the two together.
 */
import {
  FormatError,
  hasErrors,
  PACKED_ZERO,
  packedLength,
  type Rule,
  type RuleContext,
  readPackedUnsigned,
  type Violation,
} from "../src/codec/index.js";
import { blockFlags, blockMagics, CLASSIC_BLOCK } from "./block-header.js";
import type { Cell } from "./cell.js";
import { deltaValue, type OldInternalEntry, type OldLeafEntry, oldEntryWindow } from "./delta.js";
import {
  type CellContent,
  type CellParts,
  cellContents,
  cellLength,
  contentOf,
  copiedKinds,
} from "./page-content.js";
import { pageFlags, pageTypes } from "./page-header.js";
import { type TimeWindow, wrappingSlot } from "./time-window.js";

/** A page or delta of any generation, as its rules see it. A header may lack what building derives. */
export interface PageParts {
  readonly header: {
    readonly recno?: bigint;
    readonly memSize?: number;
    readonly entries?: number;
    readonly type: number;
    readonly flags: number;
  };
  readonly block: {
    /** Classic files. */
    readonly diskSize?: number;
    readonly magic?: number;
    readonly combinedHeaderSize?: number;
    readonly flags: number;
  };
  readonly stored?: Uint8Array;
  readonly overflow?: Uint8Array;
  readonly extents?: Uint8Array;
  readonly bitmap?: Uint8Array;
  readonly windowArea?: { readonly count: number; readonly cells: readonly Cell[] };
  readonly cells?: readonly Cell[];
  readonly leafEntries?: readonly OldLeafEntry[];
  readonly internalEntries?: readonly OldInternalEntry[];
  readonly tail?: number | Uint8Array;
}
type PageRule = Omit<Rule, "check"> & {
  readonly check: (page: PageParts, context: RuleContext) => Violation | undefined;
};

const isDelta = ({ block }: PageParts): boolean => block.magic === blockMagics.delta;

const removedChild: CellContent = { ...cellContents.oldDeltaInternal, itemsOptional: true };

/** A list of cells with what it should be. */
interface CellList {
  readonly path: string;
  readonly cells: readonly Cell[];
  readonly content: CellContent;
}

function cellLists(page: PageParts): CellList[] {
  const { header, cells, windowArea, internalEntries } = page;
  const content = contentOf(header.type, isDelta(page));
  if (cells !== undefined && content !== undefined) return [{ path: "cells", cells, content }];
  if (windowArea !== undefined)
    return [{ path: "windowArea.cells", cells: windowArea.cells, content: cellContents.columnFixedWindows }];
  return (internalEntries ?? []).map(({ key, address }, index) => ({
    path: `internalEntries[${index}]`,
    cells: address === undefined ? [key] : [key, address],
    content: address === undefined ? removedChild : cellContents.oldDeltaInternal,
  }));
}

/** The first violation among the cells of a page. */
function firstIn(
  page: PageParts,
  check: (list: CellList) => ({ index: number } & Violation) | undefined,
): Violation | undefined {
  for (const list of cellLists(page)) {
    const found = check(list);
    if (found === undefined) continue;
    const { index, ...violation } = found;
    return { ...violation, path: list.path.endsWith("]") ? list.path : `${list.path}[${index}]` };
  }
  return undefined;
}

const cellKind: PageRule = {
  code: "cell-type",
  doc: "every cell is of a type this page may hold",
  check: (page) =>
    firstIn(page, ({ cells, content }) => {
      const allowed = [...content.keys, ...content.items];
      const index = cells.findIndex(({ kind }) => !allowed.includes(kind));
      const message = `no such cell on a ${content.name}`;
      return index === -1 ? undefined : { index, message, actual: cells[index]?.kind };
    }),
};

const cellOrder: PageRule = {
  code: "cell-order",
  doc: "keys and what belongs to them alternate",
  check: (page) =>
    firstIn(page, ({ cells, content }) => {
      if (content.keys.length === 0) return undefined;
      for (let index = 0; index <= cells.length; index++) {
        const key = index < cells.length && content.keys.includes((cells[index] as Cell).kind);
        const afterKey = index > 0 && content.keys.includes((cells[index - 1] as Cell).kind);
        if (!key && !afterKey && index < cells.length)
          return { index, message: "no key in front of this cell" };
        if (afterKey && (key || index === cells.length) && content.itemsOptional !== true)
          return { index: index - 1, message: "nothing belongs to this key" };
      }
      return undefined;
    }),
};

const valueCells: PageRule = {
  code: "value-cells",
  doc: "a page with flag emptyValuesAll has no value cells, one with emptyValuesNone has one for each key",
  check: (page) =>
    firstIn(page, ({ cells, content }) => {
      if (content !== cellContents.rowLeaf) return undefined;
      const values = cells.findIndex(({ kind }) => content.items.includes(kind));
      if ((page.header.flags & pageFlags.emptyValuesAll) !== 0 && values !== -1)
        return { index: values, message: "a value where the page says there is none" };
      if ((page.header.flags & pageFlags.emptyValuesNone) === 0) return undefined;
      const isKey = (cell: Cell | undefined): boolean =>
        cell === undefined || content.keys.includes(cell.kind);
      const bare = cells.findIndex((cell, index) => isKey(cell) && isKey(cells[index + 1]));
      return bare === -1 ? undefined : { index: bare, message: "no value where the page says there is one" };
    }),
};

/** The keys of a list of cells, rebuilt in full; undefined where a key is elsewhere or cannot be rebuilt. */
function* fullKeys({
  cells,
  content,
}: CellList): Generator<{ index: number; key?: Uint8Array; prefix?: number }> {
  let previous: Uint8Array | undefined;
  for (const [index, cell] of cells.entries()) {
    if (!content.keys.includes(cell.kind)) continue;
    const { data, prefix = 0 }: CellParts = cell;
    if (data === undefined) {
      // An overflow key: prefixes go on from the key before it.
      yield { index };
      continue;
    }
    const bad = prefix > (previous?.length ?? 0) || ("prefix" in cell && previous === undefined && index > 0);
    if (bad) previous = undefined;
    else previous = prefix === 0 ? data : joined((previous as Uint8Array).subarray(0, prefix), data);
    yield { index, ...(previous === undefined ? {} : { key: previous }), ...(bad ? { prefix } : {}) };
  }
}

function joined(head: Uint8Array, rest: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + rest.length);
  whole.set(head);
  whole.set(rest, head.length);
  return whole;
}

/** Unsigned byte order, shorter first: below 0, 0 or above 0. */
export function compareKeys(left: Uint8Array, right: Uint8Array): number {
  const common = Math.min(left.length, right.length);
  for (let i = 0; i < common; i++) {
    const difference = (left[i] as number) - (right[i] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

const keyPrefix: PageRule = {
  code: "key-prefix",
  doc: "a key shares no more bytes with the key before it than that one has; overflow keys do not count: prefixes go on behind them",
  check: (page) =>
    firstIn(page, (list) => {
      for (const { index, prefix } of fullKeys(list))
        if (prefix !== undefined) return { index, actual: prefix };
      return undefined;
    }),
};

const keyOrder: PageRule = {
  code: "key-order",
  doc: "keys ascend by unsigned bytes; the first key of an internal page does not count. Not with `params.anyKeyOrder=1`",
  check: (page, { params }) => {
    if (params.anyKeyOrder) return undefined;
    const { leafEntries, internalEntries } = page;
    if (leafEntries !== undefined)
      return entryOrder(
        "leafEntries",
        leafEntries.map(({ key }) => key),
      );
    if (internalEntries !== undefined)
      return entryOrder(
        "internalEntries",
        internalEntries.map(({ key }) => (key as CellParts).data),
      );
    return firstIn(page, (list) => {
      let previous: Uint8Array | undefined;
      let count = 0;
      for (const { index, key } of fullKeys(list)) {
        const counts = list.content !== cellContents.rowInternal || count > 1;
        if (counts && previous !== undefined && key !== undefined && compareKeys(previous, key) >= 0)
          return { index, message: "not above the key before it" };
        previous = key;
        count++;
      }
      return undefined;
    });
  },
};

function entryOrder(path: string, keys: ReadonlyArray<Uint8Array | undefined>): Violation | undefined {
  const index = keys.findIndex((key, at) => {
    const previous = keys[at - 1];
    return key !== undefined && previous !== undefined && compareKeys(previous, key) >= 0;
  });
  return index === -1 ? undefined : { path: `${path}[${index}]`, message: "not above the key before it" };
}

const copyTarget: PageRule = {
  code: "copy-target",
  doc: "a copy names an earlier value of the page that is not a copy itself",
  check: (page) =>
    firstIn(page, ({ cells }) => {
      const values = new Set<number>();
      let at = 0;
      for (const [index, cell] of cells.entries()) {
        if (cell.kind === "valueCopy" && !values.has(at - Number(cell.distance)))
          return { index, actual: cell.distance };
        if (copiedKinds.includes(cell.kind)) values.add(at);
        at += cellLength(cell);
      }
      return undefined;
    }),
};

const windowOrder: PageRule = {
  code: "window-order",
  doc: "no window ends before it begins, and nothing is durable before it is committed",
  check: (page) => {
    const entry = (page.leafEntries ?? []).findIndex((old) => !isOrdered(oldEntryWindow(old)));
    if (entry !== -1) return { path: `leafEntries[${entry}]` };
    return firstIn(page, ({ cells }) => {
      for (const [index, cell] of cells.entries()) {
        const { window, cookie }: CellParts = cell;
        const of = cookie !== undefined && !cell.kind.startsWith("value") ? "address" : "value";
        const slot = window === undefined ? undefined : wrappingSlot(window, of);
        if (slot !== undefined) return { index, message: `${slot} goes beyond 2^64` };
      }
      return undefined;
    });
  },
};

function isOrdered({
  startTs,
  startTxn,
  durableStartTs,
  stopTs,
  stopTxn,
  durableStopTs,
}: TimeWindow): boolean {
  if (startTs > stopTs || startTxn > stopTxn) return false;
  return (
    (durableStartTs === 0n || startTs <= durableStartTs) && (durableStopTs === 0n || stopTs <= durableStopTs)
  );
}

const LAST_RECNO = (1n << 64n) - 1n;

const recordNumbers: PageRule = {
  code: "record-number",
  doc: "records are numbered from the header's on: children ascend from it, run lengths are at least 1",
  check: ({ header: { type, recno = 0n, entries = 0 }, cells, windowArea }) => {
    if (type === pageTypes.columnInternal) return childNumbers(cells, recno);
    if (type === pageTypes.columnVariable) return runLengths(cells, recno);
    if (type !== pageTypes.columnFixed) return undefined;
    if (recno === 0n) return { path: "header.recno", expected: "not 0", actual: recno };
    return windowNumbers(windowArea?.cells ?? [], entries);
  },
};

function childNumbers(cells: readonly Cell[] = [], recno: bigint): Violation | undefined {
  if (recno === 0n) return { path: "header.recno", expected: "not 0", actual: recno };
  let least = recno;
  for (const [index, cell] of cells.entries()) {
    const { value64: actual }: CellParts = cell;
    const fits = actual !== undefined && (index === 0 ? actual === recno : actual >= least);
    if (!fits)
      return { path: `cells[${index}]`, expected: index === 0 ? recno : `at least ${least}`, actual };
    least = actual + 1n;
  }
  return undefined;
}

function runLengths(cells: readonly Cell[] = [], recno: bigint): Violation | undefined {
  if (recno === 0n) return { path: "header.recno", expected: "not 0", actual: recno };
  let left = LAST_RECNO - recno + 1n;
  for (const [index, cell] of cells.entries()) {
    const { value64: actual = 1n }: CellParts = cell;
    if (actual === 0n || actual > left) return { path: `cells[${index}]`, expected: `1 to ${left}`, actual };
    left -= actual;
  }
  return undefined;
}

/** The window area names its records by their distance from the page's first one. */
function windowNumbers(cells: readonly Cell[], entries: number): Violation | undefined {
  let least = 0n;
  for (let index = 0; index < cells.length; index += 2) {
    const actual = packedAlone((cells[index] as CellParts).data);
    if (actual === undefined || actual < least || actual >= BigInt(entries))
      return { path: `windowArea.cells[${index}]`, expected: `${least} to ${entries - 1}`, actual };
    least = actual + 1n;
  }
  return undefined;
}

/** The packed integer the bytes are, if they are exactly one. */
function packedAlone(data: Uint8Array = new Uint8Array()): bigint | undefined {
  if (packedLength(data[0] ?? 0) !== data.length) return undefined;
  try {
    return readPackedUnsigned(data, 0, data.length);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

const windowArea: PageRule = {
  code: "window-area",
  doc: "the window area holds as many windows as it says, as empty values",
  check: ({ windowArea: area }) => {
    if (area === undefined) return undefined;
    if (area.cells.length !== 2 * area.count)
      return { path: "windowArea.count", expected: area.cells.length / 2, actual: area.count };
    const index = area.cells.findIndex((cell) => cell.kind === "value" && cell.data.length !== 0);
    return index === -1 ? undefined : { path: `windowArea.cells[${index}]`, message: "a value with data" };
  },
};

const deltaValues: PageRule = {
  code: "delta-value",
  doc: "the values of a leaf delta are all of form uB or all of form Bu",
  check: (page) => {
    if (contentOf(page.header.type, isDelta(page)) !== cellContents.deltaLeaf) return undefined;
    const values = (page.cells ?? []).map((cell, index) => ({ index, data: valueData(cell) }));
    const stored = values.filter(({ data }) => data !== undefined) as Array<{
      index: number;
      data: Uint8Array;
    }>;
    const generation = deltaForm(stored.map(({ data }) => data));
    const odd = stored.find(({ data }) => !isSound(data, generation));
    return odd === undefined
      ? undefined
      : { path: `cells[${odd.index}]`, message: `not of form ${generation}` };
  },
};

const valueData = (cell: Cell): Uint8Array | undefined =>
  cell.kind === "value" || cell.kind === "valueShort" ? cell.data : undefined;

function isSound(payload: Uint8Array, generation: string): boolean {
  const reading = deltaValue.read(payload, { generation });
  return reading.ok && !hasErrors(reading.issues);
}

/** The form of a delta's values: the first one tells. */
export function deltaForm(payloads: readonly Uint8Array[]): "uB" | "Bu" {
  const first = payloads[0]?.[0] ?? 0;
  return first >= PACKED_ZERO ? "uB" : "Bu";
}

const entryCount: PageRule = {
  code: "entry-count",
  doc: "the header counts the cells, or the entries of an old delta",
  check: ({ header: { entries: actual }, cells, leafEntries, internalEntries }) => {
    const expected = (cells ?? leafEntries ?? internalEntries)?.length;
    if (expected === undefined || actual === undefined || expected === actual) return undefined;
    return { path: "header.entries", expected, actual };
  },
};

const PAYLOAD_TYPES: readonly number[] = [pageTypes.overflow, pageTypes.blockManager];

const dataLength: PageRule = {
  code: "data-length",
  doc: "an overflow page or extent list ends at mem_size, and no records go beyond it",
  check: ({ header: { type, memSize: actual }, overflow, extents, bitmap, block }) => {
    const data = PAYLOAD_TYPES.includes(type) ? (overflow ?? extents) : bitmap;
    if (data === undefined || actual === undefined) return undefined;
    const { combinedHeaderSize = CLASSIC_BLOCK.payload } = block;
    const expected = combinedHeaderSize + data.length;
    // Behind records there may be windows.
    const fits = data === bitmap ? expected <= actual : expected === actual;
    return fits ? undefined : { path: "header.memSize", expected, actual };
  },
};

const blockMagic = (expected: "base" | "delta" | undefined): PageRule => ({
  code: "block-magic",
  doc: expected === undefined ? "a delta is of a row-store page" : `the block is a ${expected}`,
  check: (page) => {
    const { magic: actual } = page.block;
    if (expected !== undefined && actual !== blockMagics[expected])
      return { path: "block.magic", expected: blockMagics[expected], actual };
    const { type } = page.header;
    if (!isDelta(page) || type === pageTypes.rowInternal || type === pageTypes.rowLeaf) return undefined;
    return {
      path: "header.type",
      expected: `${pageTypes.rowInternal} or ${pageTypes.rowLeaf}`,
      actual: type,
    };
  },
});

const transformFlags: PageRule = {
  code: "transform-flags",
  doc: "page header and block header agree on compression and encryption",
  check: ({ header, block }) => {
    const compressed = (header.flags & pageFlags.compressed) !== 0;
    const encrypted = (header.flags & pageFlags.encrypted) !== 0;
    const agree =
      compressed === ((block.flags & blockFlags.compressed) !== 0) &&
      encrypted === ((block.flags & blockFlags.encrypted) !== 0);
    return agree
      ? undefined
      : { path: "block.flags", expected: `compressed ${compressed}, encrypted ${encrypted}` };
  },
};

const noTail: PageRule = {
  code: "trailing-bytes",
  doc: "a block of a page log ends with its image",
  check: ({ tail }) => {
    const actual = typeof tail === "number" ? tail : tail?.length;
    return actual === undefined || actual === 0 ? undefined : { path: "tail", expected: 0, actual };
  },
};

const zeroTail: PageRule = {
  code: "tail-not-zero",
  doc: "the bytes behind the image, up to the end of the block, are zero",
  severity: "warning",
  check: ({ tail, header }) =>
    tail instanceof Uint8Array && header.type !== pageTypes.blockManager ? { path: "tail" } : undefined,
};

const contentRules = [
  entryCount,
  dataLength,
  cellKind,
  cellOrder,
  valueCells,
  keyPrefix,
  keyOrder,
  copyTarget,
  windowOrder,
  recordNumbers,
  windowArea,
  deltaValues,
];

const wholeBlock: PageRule = {
  code: "truncated",
  doc: "as many bytes as the block has on disk, its padding included",
  check: ({ header, block, stored, tail }, { params }) => {
    const { diskSize } = block;
    const content = stored === undefined ? header.memSize : CLASSIC_BLOCK.payload + stored.length;
    if (diskSize === undefined || content === undefined || params.plain) return undefined;
    const actual = content + (tail instanceof Uint8Array ? tail.length : (tail ?? 0));
    if (actual >= diskSize) return undefined;
    const message = `${diskSize - actual} bytes of the block are missing`;
    return { path: "block.diskSize", message, expected: diskSize, actual };
  },
};

/** Rules of a block of a classic file. */
export const classicRules = [...contentRules, zeroTail, wholeBlock];
/** Rules of a block of a page log; some generations hold images only, some deltas only. */
export const pageLogRules = (magic?: "base" | "delta"): PageRule[] => [
  blockMagic(magic),
  transformFlags,
  ...contentRules,
  noTail,
];
