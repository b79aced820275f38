/** Compares every address with the page it names, while the records of the pages pass by. */
import { pageTypes } from "../../../formats/page-header.js";
import { MAX_TIMESTAMP } from "../../../formats/time-window.js";
import type { PageRecord } from "../../store/types.js";
import { compareKeys } from "../../tree/keys.js";
import type { KeyRange } from "../../tree/types.js";
import type { Detail, FindingPlace } from "../rule.js";
import { addressAgreement } from "../rules/page-log/address-agreement.js";
import { addressRecord } from "../rules/page-log/address-record.js";
import { treeKeyRange } from "../rules/tree/tree-key-range.js";
import { treeKeysLost } from "../rules/tree/tree-keys-lost.js";
import { treeLoop } from "../rules/tree/tree-loop.js";
import { treePageType } from "../rules/tree/tree-page-type.js";
import { treeTimes } from "../rules/tree/tree-times.js";
import { AddressSubject } from "./address.js";
import { type AddressBook, type AddressHolder, childKinds } from "./address-book.js";
import { keysText, rowsText } from "./consequence.js";
import { mergedTimes } from "./merged-times.js";
import type { PageChain, PassedRecord } from "./page-chain.js";
import type { RecordContext } from "./records.js";
import { type PageTimes, type Uncovered, uncovered } from "./times.js";
import { pageKey } from "./tree.js";

/** An address that differs from its page: the record behind the page tells which of them is damaged. */
interface Disagreement {
  readonly details: readonly Detail[];
  readonly page: PassedRecord;
  readonly holder: AddressHolder;
  /** The page is sound, fits the records before it and has the keys it should have. */
  readonly fits: boolean;
}

export class AddressCheck {
  /** Bytes that the addresses of each checkpoint lead to. */
  readonly liveBytes = new Map<string, number>();
  private readonly book: AddressBook;
  private readonly subject = new AddressSubject();
  private next = 0;
  private tableId = -1n;
  private pageId = -1n;
  /** Walks that have reached the page of the last address. */
  private readonly walks = new Map<number, string>();
  private walkedTable = -1n;
  private walkedPage = -1n;
  private disagreements: Disagreement[] = [];
  /** Addresses of leaves with deltas, by their places in the book: their times wait until all records have passed. */
  private readonly merged: number[] = [];
  /** What the address being compared says that its page does not. */
  private details: Detail[] = [];
  private readonly differs = (detail: Detail): void => {
    this.details.push(detail);
  };

  constructor(
    private readonly context: RecordContext,
    private readonly chain: PageChain,
  ) {
    this.book = context.book;
  }

  /** Every address of an earlier page, or of this page and an earlier LSN. */
  passBelow({ tableId, pageId, lsn }: PageRecord): void {
    const { book } = this;
    while (this.next < book.count && this.isBelow(tableId, pageId, lsn)) this.check(this.next++);
    this.tableId = tableId;
    this.pageId = pageId;
  }

  private isBelow(tableId: bigint, pageId: bigint, lsn: bigint): boolean {
    const { book, next } = this;
    const table = book.tableId(next);
    if (table !== tableId) return table < tableId;
    const page = book.pageId(next);
    return page === pageId ? book.lsn(next) < lsn : page < pageId;
  }

  /** To be called behind the last record. */
  passAll(): void {
    while (this.next < this.book.count) this.check(this.next++);
  }

  /** Whether an address of this page is still to come. */
  isWanted({ tableId, pageId }: PageRecord): boolean {
    const { book, next } = this;
    return next < book.count && book.pageId(next) === pageId && book.tableId(next) === tableId;
  }

  /** The page has a further record, which names the checksum of the one before. */
  passNeighbour(previousChecksum: number): void {
    if (this.disagreements.length > 0)
      this.settle(({ checksum }) => previousChecksum === 0 || previousChecksum === checksum);
  }

  leavePage(): void {
    if (this.disagreements.length > 0) this.settle(() => true);
  }

  private check(position: number): void {
    const { subject, chain } = this;
    const { run } = this.context;
    this.book.load(position, subject);
    const isHere = subject.tableId === this.tableId && subject.fields.pageId === this.pageId;
    subject.chain = isHere ? chain : undefined;
    this.checkReached();
    const before = run.findings.counts.error;
    run.findings.check(recordRules, subject);
    const { named } = subject;
    if (run.findings.counts.error !== before || named === undefined) {
      this.reportLost(named === undefined ? "the record of this LSN is missing" : whyNone(named));
      return;
    }
    chain.reach();
    this.countLive();
    const range = this.book.range(subject);
    const isInside = this.checkRange(named, range);
    const isMeant = this.compare(named, isInside);
    this.checkType(named);
    if (chain.damaged !== undefined) {
      const what = chain.damaged === chain.newest ? "its record" : `its record at LSN ${chain.damaged.lsn}`;
      this.reportLost(`${what} is damaged or does not fit the one before`, chain.damaged.place);
    } else if (!isMeant) this.reportLost("it is not the page its address means");
    else this.checkTimes();
  }

  private checkReached(): void {
    const { tableId, fields, holder } = this.subject;
    if (fields.pageId !== this.walkedPage || tableId !== this.walkedTable) this.walks.clear();
    this.walkedPage = fields.pageId;
    this.walkedTable = tableId;
    const other = this.walks.get(holder.walk);
    if (other === undefined) {
      this.walks.set(holder.walk, holder.name);
      return;
    }
    this.context.run.findings.add(treeLoop, this.subject.place(), {
      message: `page ${fields.pageId} is reached a second time: from ${other} and from ${holder.name}`,
      actual: fields.pageId,
      consequence: "rows appear twice, or other rows are out of reach",
    });
  }

  private countLive(): void {
    const { holder, fields } = this.subject;
    const { liveBytes, chain } = this;
    const { checkpoint = "" } = holder;
    // A replacement counts for what it replaced: neither the address nor the checkpoint's record was changed for it.
    const bytes = chain.image?.replacement === true ? fields.size : chain.bytes;
    liveBytes.set(checkpoint, (liveBytes.get(checkpoint) ?? 0) + bytes);
  }

  /** True when address and page agree. */
  private compare(page: PassedRecord, isInside: boolean): boolean {
    const { subject } = this;
    addressAgreement.check(subject, this.differs);
    this.noteGeneration(page);
    if (this.details.length === 0) return true;
    const { details } = this;
    this.details = [];
    const fits = page.fits && isInside && this.chain.damaged === undefined;
    this.disagreements.push({ details, page, holder: subject.holder, fits });
    return false;
  }

  private noteGeneration(page: PassedRecord): void {
    const { fields, chain } = this.subject;
    const { generations } = this.context.detected;
    if (!fields.versioned) generations.add(fields.hasLsn ? "cookie B" : "cookie A");
    else if (fields.isDelta ? fields.base === chain?.image?.lsn : fields.base === 0n)
      generations.add("cookie C");
    else
      generations.add(fields.size !== page.size && fields.size === chain?.bytes ? "cookie D'" : "cookie D");
  }

  /** Says of each disagreement which side is damaged. */
  private settle(fitsNext: (page: PassedRecord) => boolean): void {
    const { findings } = this.context.run;
    for (const { details, page, holder, fits } of this.disagreements) {
      const isAddress = fits && fitsNext(page);
      const hint = isAddress
        ? `the page is sound and fits the records around it: its address in ${holder.name} is the damaged one`
        : `the page does not fit what is around it: its address in ${holder.name} may be right`;
      const place = isAddress ? placeOf(holder) : page.place;
      for (const detail of details) findings.add(addressAgreement, place, { ...detail, hint });
    }
    this.disagreements = [];
  }

  private checkType(page: PassedRecord): void {
    const { type } = page;
    const { kind, holder, fields } = this.subject;
    if (kind === childKinds.any || type === undefined) return;
    const wanted = kind === childKinds.internal ? pageTypes.rowInternal : pageTypes.rowLeaf;
    // A page of another type altogether is reported with its header.
    if (type === wanted || (type !== pageTypes.rowInternal && type !== pageTypes.rowLeaf)) return;
    const names = { [pageTypes.rowInternal]: "an internal page", [pageTypes.rowLeaf]: "a leaf" };
    this.context.run.findings.add(treePageType, placeOf(holder), {
      message: `${holder.name} holds page ${fields.pageId} as ${names[wanted]}, and it is ${names[type]}`,
      expected: wanted,
      actual: type,
      hint: `the page is at LSN ${page.lsn}`,
      consequence: "readers fail here, or take rows for addresses",
    });
  }

  /** True when the page's keys are those its parent says it may have. */
  private checkRange(page: PassedRecord, { from, to }: KeyRange): boolean {
    const { subject, chain } = this;
    const table = this.context.tables.get(subject.tableId);
    const { lowest, highest } = chain;
    if (table?.collator !== "" || chain.damaged !== undefined) return true;
    const below = lowest !== undefined && from !== undefined && compareKeys(lowest, from) < 0;
    const above = highest !== undefined && to !== undefined && compareKeys(highest, to) >= 0;
    if (!below && !above) return true;
    this.context.run.findings.add(treeKeyRange, page.place, {
      message: `page ${subject.fields.pageId} has keys ${below ? "below" : "above"} the range ${subject.holder.name} gives it`,
      consequence: "these rows are not found by their keys, and others of the range are missing",
    });
    return false;
  }

  private checkTimes(): void {
    const { subject, chain, book } = this;
    const told = book.timesBelow(subject);
    if (told === undefined || chain.newest?.type !== pageTypes.rowLeaf) return;
    if (chain.newest.isDelta) {
      if (told.oldestStart !== 0n || told.newestStop !== MAX_TIMESTAMP) this.merged.push(subject.at);
    } else if (chain.times !== undefined) this.reportTimes(uncovered(told, chain.times));
  }

  private reportTimes(wrong: readonly Uncovered[]): void {
    const { pageId, lsn } = this.subject.fields;
    for (const detail of wrong)
      this.context.run.findings.add(treeTimes, this.subject.place(), {
        ...detail,
        message: `${detail.field} in the address of page ${pageId} does not cover the page's values`,
        hint: `the page is at LSN ${lsn}`,
      });
  }

  /**
   * Leaves with deltas, whose rows only all of their records tell. The engine does not keep durable timestamps in the
   * aggregate when it writes a delta, so only starts and stops are compared.
   */
  private checkMergedTimes(): void {
    const { subject, book, merged } = this;
    for (const at of merged) {
      book.loadAt(at, subject);
      const told = book.timesBelow(subject) as PageTimes;
      const held = mergedTimes(subject, this.context);
      if (held === undefined) continue;
      const { newestDurableStart, newestDurableStop } = told;
      this.reportTimes(uncovered(told, { ...held, newestDurableStart, newestDurableStop }));
    }
  }

  /** What it means for the rows that a page cannot be read. */
  private reportLost(why: string, at?: FindingPlace): void {
    const { subject, context } = this;
    const { tableId, fields, holder, kind, chain } = subject;
    const lsn = fields.hasLsn ? fields.lsn : (chain?.newest?.lsn ?? 0n);
    context.unopened.delete(pageKey(tableId, fields.pageId, lsn));
    const { path, checkpoint } = holder;
    const table = context.tables.name(tableId);
    const page = { path, tableId, pageId: fields.pageId, lsn };
    const keys = keysText(table, this.book.range(subject), context.run.options);
    const isInternal = kind === childKinds.internal || chain?.newest?.type === pageTypes.rowInternal;
    context.run.findings.add(
      treeKeysLost,
      {
        ...(at ?? page),
        ...(table === undefined ? {} : { table }),
        ...(checkpoint === undefined ? {} : { checkpoint }),
      },
      {
        message: `page ${fields.pageId} cannot be read at LSN ${lsn}: ${why}`,
        consequence: `${keys} cannot be read; ${rowsText(chain, isInternal)}`,
      },
    );
  }

  /** Pages that could not be opened although no address of them was found wrong. */
  finish(): void {
    this.checkMergedTimes();
    const { unopened, run } = this.context;
    for (const { table, fault, range } of unopened.values())
      run.findings.add(
        treeKeysLost,
        { ...fault.place, ...(table.uri === undefined ? {} : { table: table.uri }) },
        {
          message: `an internal page cannot be read: ${fault.message}`,
          consequence: `${keysText(table.uri, range, run.options)} cannot be read; ${rowsText(undefined, true)}`,
        },
      );
  }
}

const recordRules = [addressRecord];

const whyNone = ({ discarded }: PassedRecord): string =>
  discarded ? "it was freed" : "its full image is missing";

function placeOf({ name: _, walk: __, ...place }: AddressHolder): FindingPlace {
  return place;
}
