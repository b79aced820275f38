/** An LMDB environment written in one go, databases with their keys in order: what a page log of a bench is kept in. */
import { closeSync, openSync, writeSync } from "node:fs";
import {
  LMDB_MAGIC,
  LMDB_NO_PAGE,
  LMDB_OVERFLOW_COUNT,
  LMDB_PAGE_HEADER,
  LMDB_POINTER,
  LMDB_VERSION,
  lmdbBranchNode,
  lmdbDatabase,
  lmdbDatabaseFlags,
  lmdbLeafNode,
  lmdbMeta,
  lmdbNodeFlags,
  lmdbOffsets,
  lmdbPageFlags,
} from "../../formats/lmdb.js";

const PAGE = 4096;
const META_PAGES = 2;
/** Longer values go to pages of their own. In bytes. */
const MAX_INLINE = 1024;
const CHUNK = 4 * 1024 * 1024;

type DatabaseRecord = ReturnType<typeof lmdbDatabase.parse>;

export interface LmdbContents {
  readonly name: string;
  readonly integerKeys?: boolean;
  /** In the order of their keys. */
  readonly entries: Iterable<readonly [key: Uint8Array, value: Uint8Array]>;
}

/** Writes databases, which must be in the order of their names. */
export function writeLmdb(path: string, databases: readonly LmdbContents[]): void {
  const pages = new PageFile(path);
  try {
    const records = databases.map((database) => [database.name, writeDatabase(pages, database)] as const);
    const main = new TreeWriter(pages, 0);
    for (const [name, record] of records) {
      const data = { kind: "database", ...record } as const;
      main.add(Buffer.from(name), leafNode(Buffer.from(name), lmdbDatabase.build(record), data));
    }
    pages.finish(main.finish());
  } finally {
    pages.close();
  }
}

function writeDatabase(pages: PageFile, { entries, integerKeys }: LmdbContents): DatabaseRecord {
  const tree = new TreeWriter(pages, integerKeys === true ? lmdbDatabaseFlags.integerKey : 0);
  for (const [key, value] of entries) tree.put(key, value);
  return tree.finish();
}

const inline = (bytes: Uint8Array): LeafData => ({ kind: "inline", bytes });

type LeafData = ReturnType<typeof lmdbLeafNode.parse>["data"];

function leafNode(key: Uint8Array, { length }: { length: number }, data: LeafData): Uint8Array {
  const flags =
    data.kind === "overflow"
      ? lmdbNodeFlags.bigData
      : data.kind === "database"
        ? lmdbNodeFlags.subDatabase
        : 0;
  return lmdbLeafNode.build({
    sizeLow: length & 0xffff,
    sizeHigh: length >>> 16,
    flags,
    keySize: key.length,
    key,
    data,
  });
}

/** Nodes of one level that wait to become a page. */
class Level {
  nodes: Uint8Array[] = [];
  firstKey: Uint8Array | undefined;
  private used = LMDB_PAGE_HEADER;

  fits(node: Uint8Array): boolean {
    return this.used + LMDB_POINTER + even(node.length) <= PAGE;
  }

  add(key: Uint8Array, node: Uint8Array): void {
    this.firstKey ??= key;
    this.nodes.push(node);
    this.used += LMDB_POINTER + even(node.length);
  }

  clear(): void {
    this.nodes = [];
    this.firstKey = undefined;
    this.used = LMDB_PAGE_HEADER;
  }
}

const even = (length: number): number => length + (length & 1);

class TreeWriter {
  private readonly levels: Level[] = [new Level()];
  private readonly counts = { branchPages: 0n, leafPages: 0n, overflowPages: 0n, entries: 0n };

  constructor(
    private readonly pages: PageFile,
    private readonly flags: number,
  ) {}

  put(key: Uint8Array, value: Uint8Array): void {
    this.add(key, leafNode(key, value, value.length <= MAX_INLINE ? inline(value) : this.elsewhere(value)));
  }

  private elsewhere(value: Uint8Array): LeafData {
    const { page, count } = this.pages.addValue(value);
    this.counts.overflowPages += BigInt(count);
    return { kind: "overflow", page: BigInt(page) };
  }

  add(key: Uint8Array, node: Uint8Array): void {
    this.counts.entries++;
    this.addTo(0, key, node);
  }

  private addTo(depth: number, key: Uint8Array, node: Uint8Array): void {
    this.levels[depth] ??= new Level();
    const level = this.levels[depth] as Level;
    if (!level.fits(node)) this.close(depth);
    level.add(key, node);
  }

  /** Writes the page of a level and puts its address a level higher. */
  private close(depth: number): number {
    const level = this.levels[depth] as Level;
    const isLeaf = depth === 0;
    const page = this.pages.addNodes(isLeaf ? lmdbPageFlags.leaf : lmdbPageFlags.branch, level.nodes);
    this.counts[isLeaf ? "leafPages" : "branchPages"]++;
    const key = level.firstKey as Uint8Array;
    level.clear();
    this.addTo(depth + 1, key, branchNode(page, this.levels[depth + 1]?.nodes.length ? key : NO_KEY));
    return page;
  }

  finish(): DatabaseRecord {
    const { counts, flags } = this;
    let root = LMDB_NO_PAGE;
    let depth = 0;
    if (counts.entries > 0n)
      for (let at = 0; at < this.levels.length; at++) {
        const level = this.levels[at] as Level;
        depth = at + 1;
        // The top level has the address of one page: the root.
        if (at > 0 && at === this.levels.length - 1 && level.nodes.length === 1) {
          depth = at;
          break;
        }
        root = BigInt(this.close(at));
      }
    return { pad: 0, flags, depth, ...counts, root };
  }
}

const NO_KEY = new Uint8Array();
const branchNode = (page: number, key: Uint8Array): Uint8Array =>
  lmdbBranchNode.build({
    pageLow: page & 0xffff,
    pageMiddle: page >>> 16,
    pageHigh: 0,
    keySize: key.length,
    key,
  });

/** The file, page after page, written in large pieces. */
class PageFile {
  private readonly descriptor: number;
  private chunk = Buffer.alloc(CHUNK);
  private filled = 0;
  private next = META_PAGES;

  constructor(path: string) {
    this.descriptor = openSync(path, "wx");
    this.filled = META_PAGES * PAGE;
  }

  addValue(value: Uint8Array): { page: number; count: number } {
    const count = Math.ceil((LMDB_PAGE_HEADER + value.length) / PAGE);
    const { bytes, page } = this.take(count, lmdbPageFlags.overflow);
    bytes.writeUInt32LE(count, LMDB_OVERFLOW_COUNT);
    bytes.set(value, LMDB_PAGE_HEADER);
    return { page, count };
  }

  addNodes(flags: number, nodes: readonly Uint8Array[]): number {
    const { bytes, page } = this.take(1, flags);
    let upper = PAGE;
    nodes.forEach((node, i) => {
      upper -= even(node.length);
      bytes.set(node, upper);
      bytes.writeUInt16LE(upper, LMDB_PAGE_HEADER + LMDB_POINTER * i);
    });
    bytes.writeUInt16LE(LMDB_PAGE_HEADER + LMDB_POINTER * nodes.length, lmdbOffsets.header.lower);
    bytes.writeUInt16LE(upper, lmdbOffsets.header.upper);
    return page;
  }

  private take(count: number, flags: number): { bytes: Buffer; page: number } {
    if (this.filled + count * PAGE > this.chunk.length) this.flush(count * PAGE);
    const bytes = this.chunk.subarray(this.filled, this.filled + count * PAGE);
    const page = this.next;
    bytes.writeBigUInt64LE(BigInt(page), lmdbOffsets.header.pageNumber);
    bytes.writeUInt16LE(flags, lmdbOffsets.header.flags);
    this.filled += bytes.length;
    this.next += count;
    return { bytes, page };
  }

  private flush(least: number): void {
    writeSync(this.descriptor, this.chunk, 0, this.filled);
    this.chunk = Buffer.alloc(Math.max(CHUNK, least));
    this.filled = 0;
  }

  /** Both meta pages: the second has the transaction that wrote all this. */
  finish(main: DatabaseRecord): void {
    this.flush(0);
    const size = this.next * PAGE;
    const freeList = { ...EMPTY, pad: PAGE };
    for (const [page, record] of [EMPTY, main].entries()) {
      const meta = lmdbMeta.build({
        pageNumber: BigInt(page),
        pad: 0,
        flags: lmdbPageFlags.meta,
        unused: 0,
        magic: LMDB_MAGIC,
        version: LMDB_VERSION,
        fixedAddress: 0n,
        mapSize: BigInt(size),
        freeList,
        main: record,
        lastPage: BigInt(page === 0 ? 1 : this.next - 1),
        transaction: BigInt(page),
      });
      writeSync(this.descriptor, meta, 0, meta.length, page * PAGE);
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

const EMPTY: DatabaseRecord = {
  pad: 0,
  flags: 0,
  depth: 0,
  branchPages: 0n,
  leafPages: 0n,
  overflowPages: 0n,
  entries: 0n,
  root: LMDB_NO_PAGE,
};
