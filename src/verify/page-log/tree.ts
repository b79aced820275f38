/**
 * The trees of a checkpoint: internal pages are opened from the root down, and every address in them is written down.
 * Leaves are not opened here: the pass over all records compares each address with the page it names.
 */
import { addressCookie } from "../../../formats/address-cookie.js";
import { AddressFields } from "../../../formats/address-fields.js";
import { cellTags } from "../../../formats/cell.js";
import { oldInternalFlags } from "../../../formats/delta.js";
import { addressAggregate, GLOBAL_AGGREGATE, type TimeAggregate } from "../../../formats/time-window.js";
import type { CellReader } from "../../page/cell-reader.js";
import type { TransformHint } from "../../page/images.js";
import { readerOf } from "../../page/rows.js";
import type { PageLog } from "../../store/types.js";
import type { SoundImages } from "../../tree/image-check.js";
import { compareKeys } from "../../tree/keys.js";
import { PageLogSource } from "../../tree/page-log/source.js";
import { PageFault } from "../../tree/problem.js";
import type { KeyRange, PagePart, ProblemCode, TreePage } from "../../tree/types.js";
import { type Child, isInternal, rowChildren } from "../../tree/walk.js";
import { readAs } from "../generation.js";
import type { FindingPlace } from "../rule.js";
import { addressFormat } from "../rules/page-log/address-cookie.js";
import { addressRecord } from "../rules/page-log/address-record.js";
import { treeKeyRange } from "../rules/tree/tree-key-range.js";
import type { Detected, Run } from "../run.js";
import { type AddressBook, type AddressHolder, type ChildKind, childKinds } from "./address-book.js";
import { keysText } from "./consequence.js";
import { imageChildren } from "./image-children.js";

const MAX_DEPTH = 64;

export interface TreeTable extends TransformHint {
  readonly tableId: bigint;
  readonly uri?: string | undefined;
  readonly collator: string;
}

/** An internal page that could not be opened, and why. */
export interface UnopenedPage {
  readonly table: TreeTable;
  readonly fault: PageFault;
  readonly range: KeyRange;
}

/** What trees have in common with each other. */
export interface TreeContext {
  readonly store: PageLog;
  readonly run: Run;
  readonly detected: Detected;
  readonly images: SoundImages;
  readonly book: AddressBook;
  /** By table, page id and LSN. */
  readonly unopened: Map<string, UnopenedPage>;
}

export const pageKey = (tableId: bigint, pageId: bigint, lsn: bigint): string =>
  `${tableId}/${pageId}/${lsn}`;

export class TreeScan {
  private readonly opened = new Set<bigint>();
  private readonly source: PageLogSource;
  private readonly fields = new AddressFields();
  /** False once a page could not be opened: what is below it was not seen. */
  whole = true;

  constructor(
    private readonly context: TreeContext,
    private readonly table: TreeTable,
    /** Number of this walk; each tree of each checkpoint has its own. */
    private readonly walk: number,
    private readonly checkpoint: string,
  ) {
    this.source = new PageLogSource(context.store, table, context.images);
  }

  /** Walks the tree; `name` is what holds the root's address. */
  scan(root: Uint8Array, place: FindingPlace, name: string): void {
    const holder = this.note(root, place, name);
    if (holder !== undefined) this.open(root, {}, holder, 0);
  }

  /** Only the root's own address; what holds it, or undefined when it is none. */
  note(root: Uint8Array, place: FindingPlace, name: string): AddressHolder | undefined {
    const holder = { ...place, checkpoint: this.checkpoint, name, walk: this.walk };
    const index = this.context.book.addHolder(holder);
    if (this.add(root, childKinds.any, holder, index, 0, 0, 0)) return holder;
    this.whole = false;
    return undefined;
  }

  private named(place: FindingPlace): FindingPlace {
    const { uri } = this.table;
    return { ...place, ...(uri === undefined ? {} : { table: uri }), checkpoint: this.checkpoint };
  }

  /** Writes an address down; false when it is none. */
  private add(
    cookie: Uint8Array,
    kind: ChildKind,
    holder: AddressHolder,
    index: number,
    from: number,
    to: number,
    times: number,
  ): boolean {
    const { fields } = this;
    const isPlain = this.context.run.forced.cookie === undefined && fields.read(cookie);
    if (!isPlain && !this.readOdd(cookie, holder)) return false;
    this.context.book.add(this.table.tableId, fields, kind, index, from, to, times);
    return true;
  }

  /** Says what is odd about an address; true when it names a page all the same. */
  private readOdd(cookie: Uint8Array, { name, walk: _, ...place }: AddressHolder): boolean {
    const { findings } = this.context.run;
    const reading = addressCookie.read(cookie, readAs(this.context.run.forced.cookie));
    findings.addIssues(addressFormat, place, reading.issues);
    if (!reading.ok) return false;
    if (this.fields.take(reading.value)) return true;
    findings.add(addressRecord, place, { message: `${name} holds an address of no page` });
    return false;
  }

  private open(cookie: Uint8Array, range: KeyRange, holder: AddressHolder, depth: number): void {
    const page = this.load(cookie, range);
    if (page === undefined || !isInternal(page.type)) return;
    const { pageId = 0n } = page.place;
    // A page that is reached twice is found by its address: here it only must not be walked twice.
    if (this.opened.has(pageId)) return;
    this.opened.add(pageId);
    if (depth >= MAX_DEPTH) {
      this.whole = false;
      const { name: _, walk: __, ...place } = holder;
      this.context.run.unchecked(place, `the tree is deeper than ${MAX_DEPTH} levels`);
      return;
    }
    this.descend(page, range, depth);
  }

  private load(cookie: Uint8Array, range: KeyRange): TreePage | undefined {
    try {
      return this.source.page(cookie);
    } catch (error) {
      if (!(error instanceof PageFault)) throw error;
      this.whole = false;
      if (!isSound.has(error.code) && this.fields.read(cookie))
        this.context.unopened.set(pageKey(this.table.tableId, this.fields.pageId, this.fields.lsn), {
          table: this.table,
          fault: error,
          range,
        });
      return undefined;
    }
  }

  private descend(page: TreePage, range: KeyRange, depth: number): void {
    const { book } = this.context;
    const holders = page.parts.map((part) => this.holderOf(page, part));
    const indexes = holders.map((holder) => book.addHolder(holder));
    const [image] = page.parts;
    const plain = page.parts.length === 1 && image !== undefined ? imageChildren(image, range) : undefined;
    const children = plain ?? rowChildren(page, range, ({ key }) => key);
    const readers = page.parts.map(({ image, layout }) => readerOf(image, layout));
    this.checkOrder(children, range, holders.at(-1) as AddressHolder);
    const keys = children.map(({ from }) => book.addKey(from));
    const last = book.addKey(range.to);
    const below: Array<readonly [Child, AddressHolder]> = [];
    children.forEach((child, at) => {
      if (child.cookie.length === 0 && child.tag === cellTags.addressDeleted) return;
      const { part = 0 } = child;
      const [holder, index] = [holders[part] as AddressHolder, indexes[part] as number];
      const times = book.addTimes(aggregateOf(child, readers[part], page.parts[part]));
      const kind = kindOf(child.tag);
      if (!this.add(child.cookie, kind, holder, index, keys[at] as number, keys[at + 1] ?? last, times))
        this.whole = false;
      else if (kind === childKinds.internal) below.push([child, holder]);
    });
    for (const [child, holder] of below) this.open(child.cookie, child, holder, depth + 1);
  }

  /** The record an address is in: the image of the page, or one of its deltas. */
  private holderOf({ place }: TreePage, { origin }: PagePart): AddressHolder {
    const { lsn = 0n } = origin;
    const { offset: _, ...page } = place;
    const own = lsn === place.lsn ? place : { ...page, lsn };
    return { ...this.named(own), name: `page ${place.pageId} at LSN ${lsn}`, walk: this.walk };
  }

  /** Separators ascend, inside the range the parent gives the page. */
  private checkOrder(children: readonly Child[], range: KeyRange, holder: AddressHolder): void {
    if (this.table.collator !== "") return;
    let before = range.from;
    for (let at = 1; at < children.length; at++) {
      const from = children[at]?.from;
      if (from === undefined) continue;
      const low = before !== undefined && compareKeys(from, before) <= 0;
      if (low || (range.to !== undefined && compareKeys(from, range.to) >= 0)) {
        const { name, walk: _, ...place } = holder;
        this.context.run.findings.add(treeKeyRange, place, {
          message: `a key between two children of ${name} is outside the range of the page`,
          consequence: `${keysText(this.table.uri, range, this.context.run.options)} may not be found`,
        });
        return;
      }
      before = from;
    }
  }
}

/** Pages that are no damage, and that nothing can be said of. */
const isSound: ReadonlySet<ProblemCode> = new Set(["page-unreadable", "page-too-new"]);

/** What the address cell of a child says of the times below it. */
function aggregateOf(
  { offset = 0 }: Child,
  cell: CellReader | undefined,
  part: PagePart | undefined,
): TimeAggregate {
  if (cell === undefined || part === undefined) return GLOBAL_AGGREGATE;
  // Entries of old deltas begin with flags, cells with a byte no flags have.
  const isEntry = part.origin.isDelta && (part.image[offset] as number) <= oldInternalFlags.delete;
  if (!cell.read(offset + (isEntry ? 1 : 0)) || !cell.read(cell.next)) return GLOBAL_AGGREGATE;
  return addressAggregate(cell.window());
}

function kindOf(tag: number): ChildKind {
  if (tag === cellTags.addressInternal) return childKinds.internal;
  return tag === cellTags.addressLeaf || tag === cellTags.addressLeafNoOverflow
    ? childKinds.leaf
    : childKinds.any;
}
