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
import { treeTimes } from "../rules/tree/tree-times.js";
import type { Detected, Run } from "../run.js";
import { type AddressBook, type AddressHolder, type ChildKind, childKinds } from "./address-book.js";
import { keysText } from "./consequence.js";
import { imageChildren } from "./image-children.js";
import type { SeenAddresses } from "./seen-addresses.js";
import { TimesUnion, timesOf, uncovered } from "./times.js";

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
  /** Where trees of several checkpoints are walked. */
  readonly seen?: SeenAddresses | undefined;
}

/** An internal page as its parent has it. */
interface InternalAddress {
  readonly cookie: Uint8Array;
  readonly range: KeyRange;
  readonly holder: AddressHolder;
  /** Of a root nothing is told. */
  readonly aggregate: TimeAggregate | undefined;
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
    if (holder !== undefined) this.open({ cookie: root, range: {}, holder, aggregate: undefined }, 0);
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

  private open(address: InternalAddress, depth: number): void {
    const { cookie, range, holder } = address;
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
    this.descend(page, address, depth);
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

  private descend(page: TreePage, address: InternalAddress, depth: number): void {
    const { book, seen } = this.context;
    const { range } = address;
    const holders = page.parts.map((part) => this.holderOf(page, part));
    const indexes = holders.map((holder) => book.addHolder(holder));
    const [image] = page.parts;
    const plain = page.parts.length === 1 && image !== undefined ? imageChildren(image, range) : undefined;
    const children = plain ?? rowChildren(page, range, ({ key }) => key);
    const readers = page.parts.map(({ image, layout }) => readerOf(image, layout));
    this.checkOrder(children, range, holders.at(-1) as AddressHolder);
    const keys: number[] = [];
    const keyBefore = (at: number): number => {
      keys[at] ??= book.addKey(at < children.length ? children[at]?.from : range.to);
      return keys[at];
    };
    const below: InternalAddress[] = [];
    const times = new TimesUnion();
    children.forEach((child, at) => {
      const { part = 0, cookie, from, to } = child;
      if (cookie.length === 0 && child.tag === cellTags.addressDeleted) return;
      const [holder, index, reader] = [
        holders[part] as AddressHolder,
        indexes[part] as number,
        readers[part],
      ];
      const aggregate = aggregateOf(child, reader, page.parts[part]);
      times.add(aggregate);
      if (seen?.add(this.table.tableId, cellOf(child, reader), from, to) === false) return;
      const kind = kindOf(child.tag);
      const told = book.addTimes(aggregate);
      if (!this.add(cookie, kind, holder, index, keyBefore(at), keyBefore(at + 1), told)) this.whole = false;
      else if (kind === childKinds.internal) below.push({ cookie, range: child, holder, aggregate });
    });
    this.checkTimes(page, address, times);
    for (const child of below) this.open(child, depth + 1);
  }

  /** What the address of an internal page says of times covers what the page says of its children. */
  private checkTimes({ place }: TreePage, { aggregate, holder }: InternalAddress, held: TimesUnion): void {
    if (aggregate === undefined || held.times === undefined) return;
    const { name: _, walk: __, ...holderPlace } = holder;
    for (const wrong of uncovered(timesOf(aggregate), held.times))
      this.context.run.findings.add(treeTimes, holderPlace, {
        ...wrong,
        message: `${wrong.field} in the address of page ${place.pageId} does not cover what the page says of its children`,
        hint: `the page is at LSN ${place.lsn}`,
      });
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

/** The whole cell of a child's address, which `aggregateOf` has just read. */
const cellOf = ({ cookie }: Child, cell: CellReader | undefined): Uint8Array =>
  cell === undefined ? cookie : cell.image.subarray(cell.start, cell.next);

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
