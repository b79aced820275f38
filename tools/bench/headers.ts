/**
 * Three headers and, as the peer of the codec bench, how one reads and writes them by hand with a DataView. The
 * offsets stand here as numbers because that is what makes such code fast; the bench compares every result with
 * the declared format's before it measures.
 */
import { blockHeaderTypes, classicBlockHeader, loneChecksum } from "../../formats/block-header.js";
import { pageHeader } from "../../formats/page-header.js";
import { fixedPrefix, type Infer, struct, type Type } from "../../src/codec/index.js";

export interface HandWritten<T> {
  /** `bytes` are those of the view. */
  read(view: DataView, bytes: Uint8Array, at: number): T;
  write(view: DataView, bytes: Uint8Array, at: number, value: T): void;
}
export interface HeaderCase<T = unknown> {
  readonly name: string;
  readonly type: Type<T>;
  readonly hand: HandWritten<T>;
}

type PageHeader = Infer<typeof pageHeader.type>;
const readPage = (view: DataView, at: number): PageHeader => ({
  recno: view.getBigUint64(at, true),
  writeGen: view.getBigUint64(at + 8, true),
  memSize: view.getUint32(at + 16, true),
  entries: view.getUint32(at + 20, true),
  type: view.getUint8(at + 24),
  flags: view.getUint8(at + 25),
  reserved: view.getUint8(at + 26),
  version: view.getUint8(at + 27),
});
function writePage(view: DataView, at: number, value: PageHeader): void {
  view.setBigUint64(at, value.recno, true);
  view.setBigUint64(at + 8, value.writeGen, true);
  view.setUint32(at + 16, value.memSize, true);
  view.setUint32(at + 20, value.entries, true);
  view.setUint8(at + 24, value.type);
  view.setUint8(at + 25, value.flags);
  view.setUint8(at + 26, value.reserved);
  view.setUint8(at + 27, value.version);
}
const page: HeaderCase<PageHeader> = {
  name: "page header, 28 bytes",
  type: pageHeader.type,
  hand: {
    read: (view, _, at) => readPage(view, at),
    write: (view, _, at, value) => writePage(view, at, value),
  },
};

const classicHeaders = struct({ page: pageHeader.type, block: classicBlockHeader.type });
const classic: HeaderCase<Infer<typeof classicHeaders>> = {
  name: "page and classic block header, 40 bytes",
  type: classicHeaders,
  hand: {
    read: (view, bytes, at) => ({
      page: readPage(view, at),
      block: {
        diskSize: view.getUint32(at + 28, true),
        checksum: view.getUint32(at + 32, true),
        flags: view.getUint8(at + 36),
        unused: bytes.subarray(at + 37, at + 40),
      },
    }),
    write: (view, bytes, at, { page, block }) => {
      writePage(view, at, page);
      view.setUint32(at + 28, block.diskSize, true);
      view.setUint32(at + 32, block.checksum, true);
      view.setUint8(at + 36, block.flags);
      bytes.set(block.unused, at + 37);
    },
  },
};

const disaggHeader = fixedPrefix(blockHeaderTypes.D1(loneChecksum));
const disagg: HeaderCase<Infer<typeof disaggHeader>> = {
  name: "block header of page logs, 16 bytes",
  type: disaggHeader,
  hand: {
    read: (view, bytes, at) => ({
      magic: view.getUint8(at),
      version: view.getUint8(at + 1),
      compatibleVersion: view.getUint8(at + 2),
      combinedHeaderSize: view.getUint8(at + 3),
      checksum: view.getUint32(at + 4, true),
      previousChecksum: view.getUint32(at + 8, true),
      flags: view.getUint8(at + 12),
      unused: bytes.subarray(at + 13, at + 16),
    }),
    write: (view, bytes, at, value) => {
      view.setUint8(at, value.magic as number);
      view.setUint8(at + 1, value.version as number);
      view.setUint8(at + 2, value.compatibleVersion as number);
      view.setUint8(at + 3, value.combinedHeaderSize as number);
      view.setUint32(at + 4, value.checksum as number, true);
      view.setUint32(at + 8, value.previousChecksum as number, true);
      view.setUint8(at + 12, value.flags as number);
      bytes.set(value.unused as Uint8Array, at + 13);
    },
  },
};

export const headerCases = [page, classic, disagg] as readonly HeaderCase[];
