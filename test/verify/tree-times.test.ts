/** Timestamps that parents tell of their children, raised above what the children hold: every checksum fits. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { addressCookie } from "../../formats/address-cookie.js";
import { cellTags, windowBits } from "../../formats/cell.js";
import { blockOf, classicAddressCookie, DEFAULT_ALLOCATION_SIZE } from "../../formats/classic-cookie.js";
import { pageTypes } from "../../formats/page-header.js";
import { readerOf } from "../../src/page/rows.js";
import { pageForms } from "../../src/page/walk-types.js";
import type { PageRecord } from "../../src/store/types.js";
import { openDatabase } from "../../src/tree/index.js";
import { PageLogDatabase } from "../../src/tree/page-log/database.js";
import type { PagePart, TreePage } from "../../src/tree/types.js";
import { pageRows } from "../../src/tree/walk.js";
import { AddressList } from "../../src/verify/classic/address-list.js";
import { pushTold, type ToldPage, uncoveredTimes } from "../../src/verify/classic/told-times.js";
import { type Finding, verify } from "../../src/verify/index.js";
import { corpusPath } from "../support/corpus.js";
import { inTemporaryFolderAsync } from "../support/directories.js";
import { type Contents, editedAndSealed, findingsOf, loadContents, logOf } from "../support/log-contents.js";
import { resealed } from "../support/reseal.js";

const test = suite("timestamps told by parents");

interface ToldChild {
  readonly parent: PageRecord;
  /** Where the oldest start is in the parent's record: a packed integer. */
  readonly startAt: number;
  readonly deltas: number;
  readonly type: number;
}

/** Children of the newest checkpoint whose parents tell of an oldest start, page logs that are neither compressed nor encrypted. */
function toldChildren(contents: Contents): ToldChild[] {
  const database = new PageLogDatabase(logOf(contents), "memory", {});
  const told: ToldChild[] = [];
  for (const { uri, id } of database.tables()) {
    const pages = [...database.table(uri).pages()].map(({ page }) => page);
    const byLsn = new Map(pages.map((page) => [page.place.lsn, page]));
    for (const page of pages.filter(({ type }) => type === pageTypes.rowInternal))
      for (const { data, part, offset } of pageRows(page.parts)) {
        const child = byLsn.get((addressCookie.parse(data) as { lsn: bigint }).lsn);
        const { image, layout, origin } = page.parts[part] as PagePart;
        if (child === undefined || origin.isDelta) continue;
        const startAt = startOf(image, layout, offset);
        const parent = contents.records.find(({ tableId, lsn }) => tableId === id && lsn === origin.lsn);
        if (startAt === undefined || parent === undefined) continue;
        told.push({ parent, startAt, deltas: child.parts.length - 1, type: child.type });
      }
  }
  return told;
}

/** The window of the address behind the key at `offset`: its first number is the oldest start, where there is one. */
function startOf(image: Uint8Array, layout: PagePart["layout"], offset: number): number | undefined {
  const cell = readerOf(image, layout);
  if (!cell.read(offset) || !cell.read(cell.next) || cell.windowAt === -1) return undefined;
  const hasStart = ((image[cell.windowAt] as number) & windowBits.startTs) !== 0;
  // Of one byte, and not the last of these.
  const first = image[cell.windowAt + 1] as number;
  return hasStart && first >= 0x81 && first < 0xbf ? cell.windowAt + 1 : undefined;
}

const isLeaf = ({ type }: Pick<TreePage, "type">): boolean => type === pageTypes.rowLeaf;
const kinds: ReadonlyArray<readonly [string, string, (child: ToldChild) => boolean]> = [
  ["a leaf that is one image", "e_ts", (child) => isLeaf(child) && child.deltas === 0],
  ["a leaf with deltas", "e_ts", (child) => isLeaf(child) && child.deltas > 0],
  ["an internal page", "trees", (child) => !isLeaf(child)],
];

for (const [what, store, wanted] of kinds)
  test(`${what} holds older values than its parent says`, () => {
    const contents = loadContents(store);
    const children = toldChildren(contents).filter(wanted);
    assert.ok(children.length > 0);
    const { parent, startAt } = children[0] as ToldChild;
    const raised = editedAndSealed(contents, parent, (data) => {
      data[startAt] = 0xbf;
    });
    const found = findingsOf(raised).filter(({ code }) => code === "tree-times");
    assert.equal(
      found.map(({ field, severity, lsn, pageId }) => [field, severity, lsn, pageId]),
      [["oldestStartTs", "warning", parent.lsn, parent.pageId]],
    );
  });

interface ToldBlock {
  readonly file: string;
  readonly parent: number;
  readonly child: TreePage;
  /** Where the window is in the parent's image, which is stored plain. */
  readonly windowAt: number;
}

const HOME = corpusPath("classic-12.0", "ts_hs");

/** Children in a file whose parents tell of times; classic pages stand in their blocks as they are. */
function toldBlocks(table: string): ToldBlock[] {
  const database = openDatabase(HOME);
  try {
    const pages = [...database.table(table).pages()].map(({ page }) => page);
    const byOffset = new Map(pages.map((page) => [page.place.offset, page]));
    return pages.flatMap(({ type, parts, place }): ToldBlock[] => {
      if (type !== pageTypes.rowInternal && type !== pageTypes.columnInternal) return [];
      const { image, layout } = parts[0] as PagePart;
      const cell = readerOf(image, layout);
      const told: ToldBlock[] = [];
      for (let at = layout.payload; at < cell.end && cell.read(at); at = cell.next) {
        const child =
          isAddress(cell.tag) && byOffset.get(offsetOf(image.subarray(cell.dataStart, cell.next)));
        if (child && (image[cell.windowAt] as number) > 0)
          told.push({ file: `${table}.wt`, parent: place.offset as number, child, windowAt: cell.windowAt });
      }
      return told;
    });
  } finally {
    database.close();
  }
}

const isAddress = (tag: number): boolean =>
  tag === cellTags.addressLeaf || tag === cellTags.addressLeafNoOverflow || tag === cellTags.addressInternal;
const offsetOf = (cookie: Uint8Array): number | undefined =>
  blockOf(classicAddressCookie.parse(cookie), DEFAULT_ALLOCATION_SIZE)?.offset;

/** What the verifier says of the times in a file one of whose parents was changed; its checksum is kept. */
async function timesFound(
  { file, parent }: ToldBlock,
  edit: (block: Uint8Array) => void,
): Promise<Finding[]> {
  return inTemporaryFolderAsync(async (folder) => {
    cpSync(HOME, folder, { recursive: true });
    const bytes = new Uint8Array(readFileSync(join(HOME, file)));
    resealed(bytes, parent, edit);
    writeFileSync(join(folder, file), bytes);
    const { findings } = await verify([folder], { threads: 1 });
    return findings.filter(({ severity }) => severity !== "info");
  });
}

for (const [what, table, type] of [
  ["a row leaf", "t_row", pageTypes.rowLeaf],
  ["a column leaf", "t_colvar", pageTypes.columnVariable],
] as const)
  test(`classic: ${what} holds older values than its parent says`, async () => {
    const told = toldBlocks(table)[0] as ToldBlock;
    const { child, windowAt } = told;
    assert.is(child.type, type);
    const found = await timesFound(told, (block) => {
      assert.ok(((block[windowAt] as number) & windowBits.startTs) !== 0);
      block[windowAt + 1] = 0xbf;
    });
    assert.equal(
      found.map(({ code, field, severity, offset }) => [code, field, severity, offset]),
      [["tree-times", "oldestStartTs", "warning", child.place.offset]],
    );
  });

/** A window as an address cell has it, behind the byte that says of which run its parent is. */
const told = (ofNewestRun: boolean, bits: number, ...numbers: number[]): Uint8Array =>
  Uint8Array.of(ofNewestRun ? 1 : 0, bits, ...numbers.map((number) => 0x80 + number));

const { startTs, startTxn, stopTs, stopTxn, prepare } = windowBits;
const HEADERS = 40;

/** A leaf of one row whose value has a window. */
function leafOf(bits: number, ...numbers: number[]): Pick<ToldPage, "image" | "layout"> {
  const key = [0x05, 0x61];
  const value = [0x8c, bits, ...numbers.map((number) => 0x80 + number), 0x80, 0x81, 0x62];
  const image = Uint8Array.of(...new Uint8Array(HEADERS), ...key, ...value);
  const { length: memSize } = image;
  const layout = { type: pageTypes.rowLeaf, flags: 0, entries: 2, memSize, payload: HEADERS, recno: 0n };
  return { image, layout: { ...layout, form: pageForms.image } };
}

const fieldsOf = (
  page: Pick<ToldPage, "image" | "layout">,
  of: Uint8Array | undefined,
  newest = true,
): string[] =>
  uncoveredTimes({
    ...page,
    told: of,
    allPlain: false,
    ofNewestRun: newest,
    found: new AddressList(),
    first: 0,
  }).map(({ field }) => field);

test("classic: each field, and transactions only where both pages are of the newest run", () => {
  const leaf = leafOf(startTs | startTxn, 10, 20);
  const durable = windowBits.durableStart;
  const [right, olderTxn] = [
    told(true, startTs | startTxn | durable, 10, 20, 0),
    told(true, startTs | durable, 10, 0),
  ];
  assert.equal(fieldsOf(leaf, right), []);
  assert.equal(fieldsOf(leaf, told(true, startTs | startTxn | durable, 11, 20, 0)), ["oldestStartTs"]);
  assert.equal(fieldsOf(leaf, told(true, startTs | startTxn, 10, 20)), ["newestStartDurableTs"]);
  assert.equal(fieldsOf(leaf, olderTxn), ["newestTxn"]);
  assert.equal(fieldsOf(leaf, olderTxn, false), [], "the leaf is of an earlier run");
  assert.equal(fieldsOf(leaf, told(false, startTs | durable, 10, 0)), [], "its parent is");
  // A leaf without a stop below an address that says that all were deleted at 30, by transaction 25.
  const stopped = told(true, startTs | startTxn | durable | stopTs | stopTxn, 10, 20, 0, 20, 5);
  assert.equal(fieldsOf(leaf, stopped), ["newestStopTs", "newestStopTxn"]);
  assert.equal(fieldsOf(leafOf(startTs | startTxn | prepare, 10, 20), right), ["prepare"]);
  assert.equal(fieldsOf(leaf, undefined), ["newestStartDurableTs"], "an address that says nothing");
});

test("classic: an internal page whose address does not cover its children", () => {
  const image = Uint8Array.of(...new Uint8Array(HEADERS), startTs | startTxn, 0x8a, 0x94, 0);
  const found = new AddressList();
  for (let child = 0; child < 2; child++) found.push(4096, 4096, 0, 0, 0);
  found.times[1] = pushTold(found.separators, image, HEADERS, true);
  const layout = { ...leafOf(0).layout, type: pageTypes.rowInternal };
  const page = { image, layout, allPlain: false, ofNewestRun: true, found };
  const fields = (first: number, ...numbers: number[]): string[] =>
    uncoveredTimes({ ...page, first, told: told(true, startTs | startTxn, ...numbers) }).map(
      ({ field }) => field,
    );
  assert.equal(fields(1, 10, 20), []);
  assert.equal(fields(1, 11, 19), ["oldestStartTs", "newestTxn"]);
  assert.equal(fields(0, 10, 20), ["oldestStartTs"], "its first child has times that everybody sees");
});

test.run();
