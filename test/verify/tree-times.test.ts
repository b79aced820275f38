/** Timestamps that parents tell of their children, raised above what the children hold: every checksum fits. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { addressCookie } from "../../formats/address-cookie.js";
import { windowBits } from "../../formats/cell.js";
import { pageTypes } from "../../formats/page-header.js";
import { readerOf } from "../../src/page/rows.js";
import type { PageRecord } from "../../src/store/types.js";
import { PageLogDatabase } from "../../src/tree/page-log/database.js";
import type { PagePart, TreePage } from "../../src/tree/types.js";
import { pageRows } from "../../src/tree/walk.js";
import { type Contents, editedAndSealed, findingsOf, loadContents, logOf } from "../support/log-contents.js";

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

test.run();
