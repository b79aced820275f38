/** What reading trees gives: databases, tables, rows, and what is wrong with them. */
import type { TimeWindow } from "../../formats/time-window.js";
import type { TransformOptions } from "../page/images.js";
import type { PageLayout } from "../page/walk-types.js";
import type { InputKind } from "../store/types.js";
import type { PageVersion } from "./page-history.js";

/** Row stores: the key's bytes; column stores: the record number. */
export type TreeKey = Uint8Array | bigint;

/** Keys from the first on, up to but without the second; undefined = the tree's beginning or end. */
export interface KeyRange {
  readonly from?: TreeKey | undefined;
  readonly to?: TreeKey | undefined;
}

/** Where a page is: a block of a file, or a record of a page log. */
export interface PagePlace {
  readonly path: string;
  /** Byte offset in the file. */
  readonly offset?: number;
  readonly tableId?: bigint;
  readonly pageId?: bigint;
  readonly lsn?: bigint;
}

export const problemCodes = [
  /** Bytes that are no address, or one that leads out of the file. */
  "address",
  /** The record or block an address names is not there. */
  "page-missing",
  /** A checksum, a link or the content of a page says that it is not what was written. */
  "page-damaged",
  /** Nothing is known to be wrong, but it takes a compressor or encryptor that is not there. */
  "page-unreadable",
  /** Sound, and of a generation too new: no damage. */
  "page-too-new",
  /** A page of another kind than its place in the tree asks for. */
  "page-type",
  "tree-loop",
  "tree-depth",
  /** Keys outside the range the parent gives the page. */
  "key-range",
  /** A key or value on an overflow page that cannot be read. */
  "overflow",
  /** Older versions that cannot be read. */
  "history",
  /** Metadata, turtle page or turtle file: what leads to the tables. */
  "metadata",
  /** The block at the beginning of a file. */
  "description",
] as const;
export type ProblemCode = (typeof problemCodes)[number];

/** Damage met on the way. */
export interface TreeProblem {
  readonly code: ProblemCode;
  readonly message: string;
  /** `file:t.wt`; empty where no table is known. */
  readonly table: string;
  readonly place: PagePlace;
  /** The keys that cannot be read because of it; absent when none are lost. */
  readonly lost?: KeyRange;
  /** Leaves of that range that were found all the same, though nothing leads to them. */
  readonly rescued?: number;
}
export type ReportProblem = (problem: TreeProblem) => void;

/** Where the bytes of a row are from. */
export interface PartOrigin {
  readonly isDelta: boolean;
  /** Page logs. */
  readonly pageId?: bigint;
  readonly lsn?: bigint;
  /** Classic files: offset of the block. */
  readonly blockOffset?: number;
}

/** A version of a row. */
export interface TreeRow {
  readonly key: TreeKey;
  /** Fixed-length column stores: one byte. */
  readonly value: Uint8Array;
  /** When it was visible; undefined = to everybody, always. */
  readonly window: TimeWindow | undefined;
  readonly origin: PartOrigin;
  /** Where its first cell begins in the plain image of its origin; −1 for records without a cell. */
  readonly offset: number;
}

/** One image of a page, or a delta. */
export interface PagePart {
  /** Plain bytes, headers included. */
  readonly image: Uint8Array;
  readonly layout: PageLayout;
  readonly origin: PartOrigin;
  /** Bytes as stored. */
  readonly stored: number;
}

/** A page that was found sound. */
export interface TreePage {
  /** As in the header. */
  readonly type: number;
  /** The image, then its deltas, oldest first. */
  readonly parts: readonly PagePart[];
  readonly place: PagePlace;
  /** The same for the same page. */
  readonly identity: string;
}

/** A leaf, and the keys its parents say it may have. */
export interface TreeLeaf {
  readonly page: TreePage;
  readonly range: KeyRange;
  /** 0 = it is the root. */
  readonly depth: number;
}

/**
 * Where the pages of one tree come from. Images, and what is cut out of them, are never written again: keys and values
 * of earlier pages stay as they were.
 */
export interface PageSource {
  /** @throws PageFault when the page cannot be had. */
  page(cookie: Uint8Array): TreePage;
  /**
   * The key or value on an overflow page.
   * @throws PageFault
   */
  overflow(cookie: Uint8Array): Uint8Array;
  /** Pages that may be leaves of the tree, whether or not anything leads to them; looks at the whole store. */
  candidates?(): Iterable<LeafCandidate>;
}

export interface LeafCandidate {
  readonly cookie: Uint8Array;
  /** The higher, the later it was written. */
  readonly written: bigint;
}

export interface DatabaseOptions extends TransformOptions {
  /** Forces the input kind instead of detecting it. */
  readonly kind?: InputKind;
  /** Forces the allocation size of classic files, bytes. */
  readonly allocationSize?: number;
}

/** A state of the whole database (page logs), or of one table (classic files). */
export interface CheckpointInfo {
  readonly name: string;
  /** Page logs: of the completion record. */
  readonly lsn?: bigint;
  /** Page logs: the checkpoint id, or where there are none the position, from 1. Classic files: the order. */
  readonly number: bigint;
  readonly timestamp?: bigint;
}

/** What a table takes in its store, all checkpoints together. */
export interface TableSize {
  /** Of the file, or of all its records. */
  readonly bytes: number;
  /** Page logs. */
  readonly pages?: number;
  readonly records?: number;
}

export interface TableInfo {
  /** `file:t.wt`, `file:t.wt_stable` */
  readonly uri: string;
  /** The name applications use, where there is one: `table:t`, `layered:t`, `index:t:i`. */
  readonly name: string;
  /** btree id; table id in a page log. */
  readonly id: bigint | undefined;
  readonly keyFormat: string;
  readonly valueFormat: string;
  /** Empty = none. */
  readonly compressor: string;
  readonly encryptor: string;
  readonly collator: string;
  /** Undefined where there is no file. */
  readonly size?: TableSize | undefined;
  /** Oldest first. */
  readonly checkpoints: readonly CheckpointInfo[];
}

export interface RowOptions {
  /** Rows as they were at this timestamp; without it the rows the checkpoint shows. */
  readonly timestamp?: bigint | undefined;
  /** Told of damage, in the order of keys; without it the first damage is thrown as a `TreeError`. */
  readonly onProblem?: ReportProblem;
  /** Looks at every page for leaves below damaged internal pages. */
  readonly rescue?: boolean;
}

/** One pass over a table: leaf by leaf, so that a caller may take the rows of a leaf in its own way. */
export interface TableReader {
  leaves(): IterableIterator<TreeLeaf>;
  /** What of a leaf is to be seen. */
  rows(leaf: TreeLeaf): Iterable<TreeRow>;
  /** Rows are simply the values without a stop, keys in the engine's own order. */
  readonly isPlain: boolean;
  /** Reports what is still to be reported; to be called behind the last leaf. */
  finish(): void;
}

export interface Table {
  readonly info: TableInfo;
  readonly checkpoint: CheckpointInfo | undefined;
  /** The rows in the order of the tree, read page by page. */
  rows(options?: RowOptions): IterableIterator<TreeRow>;
  reader(options?: RowOptions): TableReader;
  /** Every page that can be reached, with its depth, 0 = the root. */
  pages(options?: RowOptions): IterableIterator<{ page: TreePage; depth: number }>;
}

export interface Database {
  readonly kind: InputKind;
  /** As the caller named it. */
  readonly path: string;
  /** What stood in the way of finding tables, so far. */
  readonly problems: readonly TreeProblem[];
  /** Page logs: complete checkpoints, oldest first. Classic: those of the metadata file. */
  checkpoints(): readonly CheckpointInfo[];
  /**
   * The tables at a checkpoint (default: the newest), by URI.
   * @throws TreeError `no-checkpoint`
   */
  tables(checkpoint?: string): readonly TableInfo[];
  /**
   * `t`, `table:t`, `file:t.wt`, `layered:t`, `file:t.wt_stable`, …
   * @throws TreeError `no-table`, `no-checkpoint`
   */
  table(name: string, checkpoint?: string): Table;
  /**
   * Page logs: every record of a page, oldest first, also those of no checkpoint. `table` may be an id of the log;
   * of the turtle's and the key provider's pages only the records' attributes are given.
   * @throws TreeError `no-table`, `no-checkpoint`
   */
  pageHistory?(table: string, pageId: bigint, checkpoint?: string): IterableIterator<PageVersion>;
  close(): void;
}
