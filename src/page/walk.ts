/**
 * The payload rules of the `page` format without building a value: what `pugmark verify` runs over every page. Cells
 * are read in place and keys compared where they lie.
 */
import { cellTags, MAX_CELL_TAG, SHORT_LENGTH_SHIFT, SHORT_MASK } from "../../formats/cell.js";
import { type CellContent, cellContents, copiedKinds } from "../../formats/page-content.js";
import { pageFlags, pageTypes } from "../../formats/page-header.js";
import { CellReader } from "./cell-reader.js";
import { type Defect, Defects } from "./defects.js";
import { KeyOrder } from "./key-order.js";
import { PlainRows } from "./plain-rows.js";
import { walkColumnFixed } from "./walk-column-fixed.js";
import { walkOldInternalDelta, walkOldLeafDelta } from "./walk-old-delta.js";
import { DeltaValues, RecordNumbers, ValueStarts } from "./walk-parts.js";
import {
  type AddressCell,
  type DeltaForm,
  type PageLayout,
  type PageSink,
  pageForms,
  type WalkOptions,
} from "./walk-types.js";

/** What a cell of a tag is on a page: a key, what belongs to it, or (0) nothing that may be there. */
const KEY = 1;
const ITEM = 2;

/** What an item is checked for. */
const VALUES = 0;
const RUNS = 1;
const CHILDREN = 2;
const NUMBERED_CHILDREN = 3;
const DELTA_VALUES = 4;

/** The content of a page as the loop needs it. */
interface Plan {
  readonly name: string;
  /** By tag: KEY, ITEM or 0. */
  readonly roles: Uint8Array;
  readonly items: number;
  readonly hasKeys: boolean;
  readonly itemsOptional: boolean;
}

function planOf(content: CellContent, items: number): Plan {
  const roles = new Uint8Array(MAX_CELL_TAG + 1);
  for (const kind of content.keys) roles[cellTags[kind]] = KEY;
  for (const kind of content.items) roles[cellTags[kind]] = ITEM;
  const hasKeys = content.keys.length > 0;
  return { name: content.name, roles, items, hasKeys, itemsOptional: content.itemsOptional === true };
}

const imagePlans: ReadonlyMap<number, Plan> = new Map([
  [pageTypes.rowLeaf, planOf(cellContents.rowLeaf, VALUES)],
  [pageTypes.rowInternal, planOf(cellContents.rowInternal, CHILDREN)],
  [pageTypes.columnInternal, planOf(cellContents.columnInternal, NUMBERED_CHILDREN)],
  [pageTypes.columnVariable, planOf(cellContents.columnVariable, RUNS)],
]);
const deltaLeafPlan = planOf(cellContents.deltaLeaf, DELTA_VALUES);
const deltaInternalPlan = planOf(cellContents.deltaInternal, CHILDREN);

/** By tag: 1 for values a copy may name. */
const copied = new Uint8Array(MAX_CELL_TAG + 1);
for (const kind of copiedKinds) copied[cellTags[kind]] = 1;

const KEY_SHORT_PREFIX = cellTags.keyShortPrefix;
const KEY_OVERFLOW = cellTags.keyOverflow;
const VALUE_SHORT = cellTags.valueShort;
const VALUE_COPY = cellTags.valueCopy;
const VALUE_OVERFLOW = cellTags.valueOverflow;
const CHILD_REMOVED = cellTags.addressDeletedVisibleAll;
/** No offset, no prefix. */
const NONE = -1;
/** On pages of other rows the fast way is given up after so many tries in vain. */
const TRIES = 8;

const DEFAULT_LIMIT = 16;
const NO_SINK: PageSink = {};

/** Walks pages, one after the other; one walker serves all pages. */
export class PageWalker {
  private readonly found: Defects;
  private readonly reader: CellReader;
  private readonly order: KeyOrder;
  private readonly values = new ValueStarts();
  private readonly plainRows = new PlainRows(this.values);
  private readonly numbers: RecordNumbers;
  private readonly deltaValues: DeltaValues;
  private readonly address: WalkedAddress;
  private sink: PageSink = NO_SINK;
  /** Cells of the page walked last, or entries of an old delta. */
  cells = 0;
  /** Every cell of the page walked last is of a plain row: a whole key, or a value without window. */
  allPlain = false;
  /** The form of a delta walked last; undefined for images and for deltas without changes. */
  deltaForm: DeltaForm | undefined;

  constructor(private readonly options: WalkOptions = {}) {
    this.found = new Defects(options.maxDefects ?? DEFAULT_LIMIT);
    this.reader = new CellReader(this.found);
    this.order = new KeyOrder(this.found);
    this.numbers = new RecordNumbers(this.reader);
    this.deltaValues = new DeltaValues(this.reader);
    this.address = new WalkedAddress(this.reader);
  }

  /** What is wrong with the page walked last; empty when nothing is. */
  get defects(): readonly Defect[] {
    return this.found.list;
  }

  /** Keys of the page walked last. */
  get keys(): number {
    return this.order.keys;
  }

  /** Records of the column-store leaf walked last. */
  get records(): bigint {
    return this.numbers.records;
  }

  /** The first key of the page walked last, a view until the next walk; undefined when it has none on the page itself. */
  firstKey(): Uint8Array | undefined {
    return this.order.firstKey();
  }

  /** The last key of the page walked last, a view until the next walk; undefined when it has none on the page itself. */
  lastKey(): Uint8Array | undefined {
    return this.order.lastKey();
  }

  /** Checks the payload of a plain image. True when nothing is wrong with it. */
  walk(image: Uint8Array, layout: PageLayout, sink: PageSink = NO_SINK): boolean {
    if (layout.form === pageForms.anyDelta) return this.walkAnyDelta(image, layout, sink);
    this.begin(image, layout, sink);
    if (!this.sizeFits(layout)) return false;
    if (layout.form === pageForms.image) this.walkImage(layout);
    else this.walkDelta(layout);
    return this.found.count === 0;
  }

  /** Only the whole delta tells its form, so the sink is called in a second walk. */
  private walkAnyDelta(image: Uint8Array, layout: PageLayout, sink: PageSink): boolean {
    const asCells = { ...layout, form: pageForms.delta };
    if (this.walk(image, asCells)) return sink === NO_SINK || this.walk(image, asCells, sink);
    const asEntries = { ...layout, form: pageForms.oldDelta };
    const fitting = this.walk(image, asEntries) ? asEntries : asCells;
    return this.walk(image, fitting, sink);
  }

  private begin(image: Uint8Array, layout: PageLayout, sink: PageSink): void {
    const { reader } = this;
    this.found.clear();
    this.sink = sink;
    this.cells = 0;
    this.allPlain = false;
    this.deltaForm = undefined;
    reader.image = image;
    reader.end = layout.memSize;
    reader.fastTruncate = (layout.flags & pageFlags.fastTruncate) !== 0;
    const skipFirst = layout.form === pageForms.image && layout.type === pageTypes.rowInternal;
    this.order.begin(image, this.options.anyKeyOrder !== true, skipFirst);
    this.values.clear();
    this.numbers.begin(layout.recno);
    this.deltaValues.begin();
    this.address.clear();
  }

  private sizeFits({ memSize, payload }: PageLayout): boolean {
    const { length } = this.reader.image;
    if (memSize > length) return this.found.add("truncated", length, `${memSize - length} bytes are missing`);
    return (
      memSize >= payload || this.found.add("truncated", 0, `an image of ${memSize} bytes ends in its headers`)
    );
  }

  private walkImage(layout: PageLayout): void {
    const plan = imagePlans.get(layout.type);
    if (plan !== undefined) this.walkCells(plan, layout);
    else if (layout.type === pageTypes.columnFixed) walkColumnFixed(this.reader, layout);
    else if (layout.type === pageTypes.overflow || layout.type === pageTypes.blockManager)
      this.checkDataLength(layout);
    else this.found.add("page-type", 0, `no page is of type ${layout.type}`);
    if (plan?.items === RUNS || plan?.items === NUMBERED_CHILDREN) this.checkRecords(layout);
  }

  private checkRecords({ recno }: PageLayout): void {
    if (recno === 0n) this.found.add("record-number", 0, "the page begins with record 0");
    if (this.numbers.overflow) this.found.add("record-number", 0, "records beyond 2^64 − 1");
  }

  private checkDataLength({ payload, entries, memSize }: PageLayout): void {
    if (payload + entries !== memSize)
      this.found.add("data-length", 0, `${entries} bytes of data in an image of ${memSize} bytes`);
  }

  private walkDelta(layout: PageLayout): void {
    const isLeaf = layout.type === pageTypes.rowLeaf;
    if (!isLeaf && layout.type !== pageTypes.rowInternal)
      this.found.add("page-type", 0, `no delta is of page type ${layout.type}`);
    else if (layout.form === pageForms.oldDelta) this.walkOldDelta(layout, isLeaf);
    else {
      this.walkCells(isLeaf ? deltaLeafPlan : deltaInternalPlan, layout);
      this.deltaForm = this.deltaValues.form;
    }
  }

  private walkOldDelta(layout: PageLayout, isLeaf: boolean): void {
    const { reader, order } = this;
    this.deltaForm = "P0";
    const count = isLeaf
      ? walkOldLeafDelta(reader, order, layout.payload)
      : walkOldInternalDelta(reader, order, layout.payload, this.onEntry);
    if (count === undefined) return;
    this.cells = count;
    this.checkCount(layout);
  }

  /** The child of an entry was just read, its key before. */
  private readonly onEntry = (keyTag: number, keyStart: number, keyEnd: number): void => {
    this.address.setKey(keyTag, keyStart, keyEnd);
    this.sink.child?.(this.address);
  };

  private checkCount({ entries }: PageLayout): void {
    if (this.cells !== entries)
      this.found.add("entry-count", 0, `${this.cells} on the page, ${entries} in its header`);
  }

  /** The hot loop: plain rows are taken many at a time, other short cells are read here, long ones by the reader. */
  private walkCells(plan: Plan, layout: PageLayout): void {
    const { reader, order, found, address } = this;
    const { image, end } = reader;
    const { roles, items, hasKeys } = plan;
    const { limit } = found;
    const noValues = items === VALUES && (layout.flags & pageFlags.emptyValuesAll) !== 0;
    let count = 0;
    let plain = 0;
    let key = NONE;
    let tries = items === VALUES && !noValues ? TRIES : 0;
    if (tries > 0) {
      this.plainRows.begin(image);
      if (order.isInPlace && order.takeAllPlain(this.plainRows, layout.payload, end, layout.entries)) {
        this.cells = layout.entries;
        this.allPlain = true;
        return;
      }
    }
    for (let at = layout.payload; at < end; count++) {
      if (tries > 0 && key === NONE && order.isInPlace) {
        const next = order.takePlain(this.plainRows, at, end);
        if (next === at) tries--;
        else {
          count += 2 * this.plainRows.rows;
          plain += 2 * this.plainRows.rows;
          at = next;
          if (at >= end) break;
        }
      }
      const first = image[at] as number;
      let tag = first & SHORT_MASK;
      let start = at + 1;
      let next = 0;
      let prefix = NONE;
      if (tag !== 0) {
        if (tag === KEY_SHORT_PREFIX) prefix = image[start++] as number;
        next = start + (first >> SHORT_LENGTH_SHIFT);
        if (next > end) {
          reader.truncated(start, next);
          return;
        }
      } else {
        if (!reader.readLong(at, first)) return;
        tag = reader.tag;
        start = reader.dataStart;
        next = reader.next;
        prefix = reader.prefix;
      }
      const role = roles[tag];
      if (role === KEY) {
        if (key !== NONE) this.keyAlone(key, plan, layout);
        key = at;
        if (items === CHILDREN) address.setKey(tag, start, next);
        if (tag === KEY_OVERFLOW) this.overflowKey();
        else order.add(at, prefix, start, next);
      } else if (role === ITEM) {
        if (hasKeys && key === NONE) found.add("cell-order", at, "no key in front of this cell");
        if (noValues) found.add("value-cells", at, "a value where the page says there is none");
        key = NONE;
        if (items === VALUES && tag === VALUE_SHORT) this.values.add(at);
        else this.item(items, tag, at, start, next);
      } else found.add("cell-type", at, `no such cell on a ${plan.name}`);
      if (found.count >= limit) return;
      at = next;
    }
    if (key !== NONE) this.keyAlone(key, plan, layout);
    this.cells = count;
    this.allPlain = count > 0 && plain === count;
    this.checkCount(layout);
  }

  /** A key cell without an item. */
  private keyAlone(key: number, plan: Plan, { flags }: PageLayout): void {
    if (!plan.itemsOptional) this.found.add("cell-order", key, "nothing belongs to this key");
    else if ((flags & pageFlags.emptyValuesNone) !== 0)
      this.found.add("value-cells", key, "no value where the page says there is one");
  }

  private overflowKey(): void {
    this.order.addElsewhere();
    this.sink.overflow?.(this.address);
  }

  /** An item whose cell was just read; `start` to `next` are its data. */
  private item(items: number, tag: number, at: number, start: number, next: number): void {
    if (items === CHILDREN) this.child(tag);
    else if (items === DELTA_VALUES) this.deltaValues.add(at, start, next);
    else if (items === NUMBERED_CHILDREN) {
      this.address.recno = this.numbers.addChild();
      this.child(tag);
    } else this.value(items, tag, at);
  }

  private child(tag: number): void {
    if (tag !== CHILD_REMOVED) this.sink.child?.(this.address);
  }

  private value(items: number, tag: number, at: number): void {
    const { reader, values } = this;
    if (copied[tag] === 1) values.add(at);
    else if (tag === VALUE_COPY && !values.has(at - reader.distance))
      this.found.add("copy-target", at, `no value ${reader.distance} bytes before`);
    if (tag === VALUE_OVERFLOW) this.sink.overflow?.(this.address);
    if (items === RUNS) this.numbers.addRun(tag === VALUE_SHORT ? NONE : reader.value64At);
  }
}

/** The one address cell sinks are shown. */
class WalkedAddress implements AddressCell {
  keyStart = 0;
  keyEnd = 0;
  keyOverflow = false;
  recno: bigint | undefined;

  constructor(private readonly reader: CellReader) {}

  get start(): number {
    return this.reader.start;
  }
  get tag(): number {
    return this.reader.tag;
  }
  get windowAt(): number {
    return this.reader.windowAt;
  }
  get cookieStart(): number {
    return this.reader.dataStart;
  }
  get cookieEnd(): number {
    return this.reader.next;
  }

  setKey(tag: number, start: number, end: number): void {
    this.keyOverflow = tag === KEY_OVERFLOW;
    this.keyStart = start;
    this.keyEnd = end;
  }

  clear(): void {
    this.keyStart = this.keyEnd = 0;
    this.keyOverflow = false;
    this.recno = undefined;
  }
}
