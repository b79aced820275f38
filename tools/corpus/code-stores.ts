/**
 * Makes corpus/codes: two damaged stores that show the codes of findings which no short input of a fuzz target does
 * (`npx tsx tools/corpus/code-stores.ts`). test/fuzz/codes.test.ts says which, and that they do.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addressCookie } from "../../formats/address-cookie.js";
import { windowBits } from "../../formats/cell.js";
import { specialTables } from "../../formats/disagg-tables.js";
import { pageTypes } from "../../formats/page-header.js";
import { crc32c } from "../../src/codec/index.js";
import { readerOf } from "../../src/page/rows.js";
import { exportPageLog } from "../../src/store/jsonl-writer.js";
import type { CheckpointRecord, PageRecord } from "../../src/store/types.js";
import { PageLogDatabase } from "../../src/tree/page-log/database.js";
import type { PagePart, TreePage } from "../../src/tree/types.js";
import { pageRows } from "../../src/tree/walk.js";
import { corpusPath } from "../../test/support/corpus.js";
import {
  type Contents,
  editedAndSealed,
  loadContents,
  logOf,
  mapRecords,
  occurrences,
} from "../../test/support/log-contents.js";

const target = corpusPath("codes");
const history = specialTables.sharedHistoryStore.uri;
const metadata = specialTables.sharedMetadata.uri;
const TABLE = "file:t1.wt_stable";
/** Pages kept of each table but the metadata: enough for what is damaged. */
const PAGES = 2;
/** One more than readers take. */
const DELTAS = 33;
/** Bytes kept of a log file: a few records. */
const LOG_BYTES = 16 * 1024;

const ascii = (value: string): Uint8Array => new TextEncoder().encode(value);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const nameOf = ({ tableId, pageId, lsn }: PageRecord): string => `${tableId}/${pageId}/${lsn}`;

/** Records that are kept: of what the newest checkpoint leads to, the metadata and a few pages of two tables. */
function wantedRecords(contents: Contents): Set<string> {
  const turtle = contents.records.filter(({ tableId }) => tableId === 1n).at(-1) as PageRecord;
  const database = new PageLogDatabase(logOf(contents), "memory", {});
  const wanted = new Set([nameOf(turtle)]);
  for (const { uri, id } of database
    .tables()
    .filter((table) => [metadata, history, TABLE].includes(table.uri))) {
    const pages = [...database.table(uri).pages()].map(({ page }) => page);
    for (const { parts } of uri === metadata ? pages : wantedPages(pages))
      for (const { origin } of parts) wanted.add(`${id}/${origin.pageId}/${origin.lsn}`);
  }
  return wanted;
}

/** The root and its first children of one image. */
function wantedPages(pages: readonly TreePage[]): TreePage[] {
  const isRoot = ({ type }: TreePage): boolean => type === pageTypes.rowInternal;
  const leaves = pages.filter((page) => !isRoot(page) && page.parts.length === 1);
  return [...pages.filter(isRoot), ...leaves.slice(0, PAGES)];
}

interface Live {
  readonly page: TreePage;
  readonly record: PageRecord;
}

/** Pages of a table whose records are kept. */
function livePages(contents: Contents, uri: string, wanted: ReadonlySet<string>): Live[] {
  const database = new PageLogDatabase(logOf(contents), "memory", {});
  const { id } = database.table(uri).info;
  const records = new Map(contents.records.map((record) => [nameOf(record), record]));
  return [...database.table(uri).pages()].flatMap(({ page }) => {
    const name = `${id}/${page.place.pageId}/${page.place.lsn}`;
    const record = records.get(name);
    return record === undefined || !wanted.has(name) ? [] : [{ page, record }];
  });
}

/** A key of the history store names another table. */
const foreignKey = ({ page, record: { data } }: Live): number | undefined =>
  page.type === pageTypes.rowLeaf
    ? occurrences(data, pageRows(page.parts)[0]?.key as Uint8Array)[0]
    : undefined;

/** A version has a stop of one byte, which is not the lowest. */
function stopOfVersion({ page, record: { data } }: Live): number | undefined {
  if (page.type !== pageTypes.rowLeaf) return undefined;
  const values = pageRows(page.parts).map((row) => row.data.slice());
  const value = values.find(([first]) => (first as number) > 0x80 && (first as number) < 0xc0);
  return value === undefined ? undefined : occurrences(data, value)[0];
}

/** Where a parent tells of the oldest start on a child that is kept: a number of one byte. */
const toldStart =
  (wanted: ReadonlySet<string>) =>
  ({ page, record: { tableId } }: Live): number | undefined => {
    if (page.type !== pageTypes.rowInternal) return undefined;
    for (const { data, part, offset } of pageRows(page.parts)) {
      const { pageId, lsn } = addressCookie.parse(data) as { pageId: bigint; lsn: bigint };
      if (!wanted.has(`${tableId}/${pageId}/${lsn}`)) continue;
      const { image, layout } = page.parts[part] as PagePart;
      const cell = readerOf(image, layout);
      if (!cell.read(offset) || !cell.read(cell.next) || cell.windowAt === -1) continue;
      const first = image[cell.windowAt + 1] as number;
      const hasStart = ((image[cell.windowAt] as number) & windowBits.startTs) !== 0;
      if (hasStart && first >= 0x81 && first < 0xbf) return cell.windowAt + 1;
    }
    return undefined;
  };

/** In the row of a table in the metadata. */
const inRow =
  (uri: string, wanted: string, shift: number) =>
  ({ page, record: { data } }: Live): number | undefined => {
    if (page.type !== pageTypes.rowLeaf) return undefined;
    const row = pageRows(page.parts).find(({ key }) => key !== undefined && text(key).startsWith(uri))?.data;
    if (row === undefined) return undefined;
    const [start, place] = [occurrences(data, row)[0], occurrences(row, ascii(wanted))[0]];
    return start === undefined || place === undefined ? undefined : start + place + shift;
  };

/** The newest turtle page as the newest format, with a number below those of its tables. */
function withTurtle(contents: Contents): Contents {
  const turtle = contents.records.find(({ tableId }) => tableId === 1n) as PageRecord;
  const [checkpoint, time] = text(turtle.data).split("\n") as [string, string];
  const data = ascii(
    `version=2,compatible_version=1,\ncheckpoint=${checkpoint},\n${time},\nlargest_file_id=1`,
  );
  const [newest] = contents.checkpoints as [CheckpointRecord];
  const cookie = `metadata_lsn=${turtle.lsn},metadata_checksum=${crc32c(data).toString(16)}`;
  return {
    ...mapRecords(contents, (record) => (record === turtle ? { ...record, data } : record)),
    checkpoints: [{ ...newest, metadata: ascii(cookie) }],
  };
}

/** Deltas upon deltas of a page, behind everything else. */
function withDeltas(contents: Contents, delta: PageRecord, image: bigint): Contents {
  const end = contents.records.reduce((highest, { lsn }) => (lsn > highest ? lsn : highest), 0n);
  const deltas = Array.from({ length: DELTAS }, (_, i): PageRecord => {
    const lsn = end + 1n + BigInt(i);
    return { ...delta, lsn, backlinkLsn: i === 0 ? image : lsn - 1n, baseLsn: image };
  });
  return { ...contents, records: [...contents.records, ...deltas] };
}

function damagedLog(): Contents {
  const whole = loadContents("e_ts");
  const wanted = wantedRecords(whole);
  let log = whole;
  const edit = (uri: string, find: (live: Live) => number | undefined, to: number): void => {
    const found = livePages(log, uri, wanted).find((live) => find(live) !== undefined);
    if (found === undefined) throw new Error(`nothing to change in ${uri}`);
    log = editedAndSealed(log, found.record, (data) => {
      data[find(found) as number] = to;
    });
  };
  edit(TABLE, toldStart(wanted), 0xbf);
  edit(history, foreignKey, 0x81);
  edit(history, stopOfVersion, 0x80);
  edit(metadata, inRow("file:t2", "checkpoint=(", 2), "a".charCodeAt(0));
  edit(metadata, inRow("file:ovfl.wt_stable", "id=65,", 4), "4".charCodeAt(0));
  const isOfPages = ({ isDelta, tableId }: PageRecord): boolean => isDelta && tableId === 41n;
  const delta = shortest(whole.records.filter(isOfPages));
  const page = log.records.findLast(
    ({ tableId, pageId, isDelta }) => tableId === 41n && pageId === delta.pageId && !isDelta,
  ) as PageRecord;
  const other = shortest(whole.records.filter(({ tableId, isDelta }) => tableId === 49n && !isDelta));
  const kept = new Set([...wanted, nameOf(page), nameOf(other)]);
  log = {
    ...log,
    checkpoints: log.checkpoints.slice(-1),
    records: log.records.filter((record) => kept.has(nameOf(record))),
    globals: { ...log.globals, lsnCounter: 100n },
  };
  return withDeltas(withTurtle(log), delta, page.lsn);
}

const shortest = (records: readonly PageRecord[]): PageRecord =>
  records.reduce((least, record) => (record.data.length < least.data.length ? record : least));

/** A home of which only the metadata is left, a log file of which one is missing in front, and a damaged record in it. */
function damageHome(home: string): void {
  const from = corpusPath("classic-12.0", "logged");
  mkdirSync(home, { recursive: true });
  for (const name of ["WiredTiger.turtle", "WiredTiger.wt", "WiredTiger.lock"])
    cpSync(join(from, name), join(home, name));
  const config = readFileSync(join(from, "WiredTiger.basecfg"), "latin1");
  writeFileSync(join(home, "WiredTiger.basecfg"), config.replace("version=(", "versxon=("));
  const log = new Uint8Array(readFileSync(join(from, "WiredTigerLog.0000000001")).subarray(0, LOG_BYTES));
  for (const number of [1, 3]) {
    if (number === 3) log[300] = 0x55;
    writeFileSync(join(home, `WiredTigerLog.000000000${number}`), log);
  }
}

rmSync(target, { recursive: true, force: true });
damageHome(join(target, "home"));
const log = damagedLog();
exportPageLog(
  { records: () => log.records, checkpoints: () => [...log.checkpoints], globals: log.globals },
  join(target, "page-log"),
);
