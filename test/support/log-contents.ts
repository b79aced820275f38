/** Page logs of the corpus in memory, with changes made to them, and what the verifier says of the result. */
import { BLOCK_HEADER, blockMagics, combinedHeaderSizes, DELTA_HEADER } from "../../formats/block-header.js";
import { PAGE_HEADER } from "../../formats/page-header.js";
import { crc32cWithZeroedField } from "../../src/codec/crc32c.js";
import { bytesToHex, writePackedUnsigned } from "../../src/codec/index.js";
import { collectChain, copyRecord } from "../../src/store/chain.js";
import { IssueLog } from "../../src/store/issue-log.js";
import { openPageLog } from "../../src/store/open.js";
import type { CheckpointRecord, PageLog, PageRecord, StoreIssue } from "../../src/store/types.js";
import type { Finding, VerifyOptions } from "../../src/verify/index.js";
import { verifyPageLog } from "../../src/verify/page-log/verify.js";
import { Detected, Run } from "../../src/verify/run.js";
import { corpusPath } from "./corpus.js";

export interface Contents {
  readonly kind: PageLog["kind"];
  readonly globals: PageLog["globals"];
  readonly records: readonly PageRecord[];
  readonly checkpoints: readonly CheckpointRecord[];
  readonly issues?: readonly StoreIssue[];
}

/** A store of `corpus/palm`, copied. */
export function loadContents(store: string): Contents {
  const log = openPageLog(corpusPath("palm", store));
  const { kind, globals } = log;
  const contents = {
    kind,
    globals,
    records: Array.from(log.records(), copyRecord),
    checkpoints: log.checkpoints(),
  };
  log.close();
  return contents;
}

const compareIds = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
const byKey = (a: PageRecord, b: PageRecord): number =>
  compareIds(a.tableId, b.tableId) || compareIds(a.pageId, b.pageId) || compareIds(a.lsn, b.lsn);

export function logOf({ kind, globals, records, checkpoints, issues = [] }: Contents): PageLog {
  const sorted = [...records].sort(byKey);
  const pages = new Map<string, PageRecord[]>();
  for (const record of sorted) {
    const key = `${record.tableId}/${record.pageId}`;
    pages.set(key, [...(pages.get(key) ?? []), record]);
  }
  const ofPage = (tableId: bigint, pageId: bigint): PageRecord[] => pages.get(`${tableId}/${pageId}`) ?? [];
  return {
    kind,
    path: "memory",
    generation: "memory",
    size: 0,
    globals,
    issues,
    records: () => sorted.values(),
    chain: (tableId, pageId, lsn, limit = 1000) =>
      collectChain(
        ofPage(tableId, pageId)
          .filter((record) => record.lsn <= lsn)
          .reverse(),
        limit,
        new IssueLog(),
      ),
    record: (tableId, pageId, lsn) => ofPage(tableId, pageId).find((record) => record.lsn === lsn),
    checkpoints: () => [...checkpoints],
    close() {},
  };
}

export function findingsOf(contents: Contents, options: VerifyOptions = {}): Finding[] {
  const run = new Run(options, 0);
  verifyPageLog(logOf(contents), run, new Detected("memory", contents.kind));
  return [...run.report().findings];
}

export const errorsOf = (contents: Contents, options: VerifyOptions = {}): Finding[] =>
  findingsOf(contents, options).filter(({ severity }) => severity === "error");

/** The same with other records; those a function leaves out are removed. */
export const mapRecords = (
  contents: Contents,
  change: (record: PageRecord) => PageRecord | undefined,
): Contents => ({ ...contents, records: contents.records.flatMap((record) => change(record) ?? []) });

export function find({ records }: Contents, tableId: number, pageId: number, lsn: number): PageRecord {
  const found = records.find(
    (record) =>
      record.tableId === BigInt(tableId) && record.pageId === BigInt(pageId) && record.lsn === BigInt(lsn),
  );
  if (found === undefined) throw new Error(`no record ${tableId}/${pageId}/${lsn}`);
  return found;
}

/** Where the block header of a block is; undefined for text. */
function headerAt(block: Uint8Array): number | undefined {
  const isMagic = (byte: number | undefined): boolean =>
    byte === blockMagics.base || byte === blockMagics.delta;
  if (
    block[DELTA_HEADER.size] === blockMagics.delta &&
    block[DELTA_HEADER.size + BLOCK_HEADER.combinedHeaderSize] === combinedHeaderSizes.oldDelta
  )
    return DELTA_HEADER.size;
  return isMagic(block[PAGE_HEADER.size]) ? PAGE_HEADER.size : undefined;
}

const u32 = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
const setU32 = (bytes: Uint8Array, at: number, value: number): void =>
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value, true);

function seal(block: Uint8Array, at: number): { before: number; after: number } {
  const before = u32(block, at + BLOCK_HEADER.checksum);
  const after = crc32cWithZeroedField(block, 0, block.length, at + BLOCK_HEADER.checksum);
  setU32(block, at + BLOCK_HEADER.checksum, after);
  return { before, after };
}

/** One record with other bytes; its own checksum is made to fit. */
export function edited(contents: Contents, record: PageRecord, edit: (data: Uint8Array) => void): Contents {
  const data = record.data.slice();
  edit(data);
  const at = headerAt(data);
  if (at !== undefined) seal(data, at);
  return mapRecords(contents, (other) => (other === record ? { ...record, data } : other));
}

/**
 * As `edited`, and everything that held the old checksum holds the new one: later records of the page, parents up to
 * the root, metadata rows, the turtle page.
 */
export function editedAndSealed(
  contents: Contents,
  record: PageRecord,
  edit: (data: Uint8Array) => void,
): Contents {
  const records = contents.records.map(copyRecord);
  const target = records[contents.records.indexOf(record)] as PageRecord;
  edit(target.data);
  const changed = [target];
  for (let next = changed.pop(); next !== undefined; next = changed.pop()) {
    const at = headerAt(next.data);
    if (at === undefined) continue;
    const { before, after } = seal(next.data, at);
    if (before !== after)
      for (const other of records) if (replaceChecksum(other, before, after)) changed.push(other);
  }
  return { ...contents, records };
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

function packed(value: number): Uint8Array {
  const out: number[] = [];
  writePackedUnsigned(out, BigInt(value));
  return Uint8Array.from(out);
}

function replaceChecksum({ data }: PageRecord, before: number, after: number): boolean {
  let found = false;
  const at = headerAt(data);
  if (at !== undefined && u32(data, at + BLOCK_HEADER.previousChecksum) === before) {
    setU32(data, at + BLOCK_HEADER.previousChecksum, after);
    found = true;
  }
  const [was, is] = [packed(before), packed(after)];
  if (was.length !== is.length) throw new Error("checksums of different packed lengths: take another edit");
  for (const [from, to] of [
    [was, is],
    [ascii(bytesToHex(was)), ascii(bytesToHex(is))],
  ] as const)
    for (const place of occurrences(data, from)) {
      data.set(to, place);
      found = true;
    }
  return found;
}

/** Where bytes occur. */
export function occurrences(data: Uint8Array, wanted: Uint8Array): number[] {
  const places: number[] = [];
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.length);
  for (let at = buffer.indexOf(wanted); at !== -1; at = buffer.indexOf(wanted, at + 1)) places.push(at);
  return places;
}

/** Replaces text by text of the same length, wherever it stands. */
export function replaceText(data: Uint8Array, from: string, to: string): void {
  const places = occurrences(data, ascii(from));
  if (places.length === 0 || from.length !== to.length)
    throw new Error(`${from} cannot be replaced by ${to}`);
  for (const at of places) data.set(ascii(to), at);
}
