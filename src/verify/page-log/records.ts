/**
 * One pass over every record of a page log: what can be told of a record, its block and its page's history, and of
 * every address that names it.
 */
import { specialTables } from "../../../formats/disagg-tables.js";
import { pageTypes } from "../../../formats/page-header.js";
import type { PageLog, PageRecord } from "../../store/types.js";
import type { SoundImages } from "../../tree/image-check.js";
import { disaggLayout, type PageVerifier } from "../page-verifier.js";
import type { Rule } from "../rule.js";
import { blockUnreadable } from "../rules/block/block-unreadable.js";
import { disaggChecksum } from "../rules/block/disagg-checksum.js";
import { disaggHeader } from "../rules/block/disagg-header.js";
import { previousChecksum } from "../rules/page-log/block-previous-checksum.js";
import { blockWriteGen } from "../rules/page-log/block-write-gen.js";
import { recordAttributes } from "../rules/page-log/record-attributes.js";
import { recordChainLength } from "../rules/page-log/record-chain-length.js";
import { recordCheckpointId } from "../rules/page-log/record-checkpoint-id.js";
import { recordDeltaLinks } from "../rules/page-log/record-delta-links.js";
import { recordDiscardLinks } from "../rules/page-log/record-discard-links.js";
import { recordImageLinks } from "../rules/page-log/record-image-links.js";
import { recordPageId } from "../rules/page-log/record-page-id.js";
import { unsupportedBlock } from "../rules/run/unsupported-version.js";
import type { Detected, Run } from "../run.js";
import type { AddressBook } from "./address-book.js";
import { AddressCheck } from "./address-check.js";
import { DisaggBlock } from "./block.js";
import { HistoryCheck } from "./history-check.js";
import type { LsnLedger } from "./lsn-ledger.js";
import { MissingRecords } from "./missing-records.js";
import { PageChain, PassedRecord, type RecordContent } from "./page-chain.js";
import { RecordSubject } from "./record.js";
import type { TableDirectory, TableInfo } from "./tables.js";
import { leafTimes, PLAIN_TIMES } from "./times.js";
import type { UnopenedPage } from "./tree.js";

const linkRules: readonly Rule<RecordSubject>[] = [
  recordAttributes,
  recordDeltaLinks,
  recordImageLinks,
  recordDiscardLinks,
  recordCheckpointId,
  recordChainLength,
];
const blockRules: readonly Rule<DisaggBlock>[] = [
  disaggChecksum,
  disaggHeader,
  unsupportedBlock,
  previousChecksum,
  blockWriteGen,
];

/** Issue of records whose bytes a page service has encrypted: there is no block to look at. */
const SEALED = "service-encrypted";

/** Records that are no blocks: turtle text and key pages, told by the checkpoints that name them. */
export interface PlainPages {
  has(tableId: bigint, pageId: bigint): boolean;
  verify(record: PageRecord): void;
  /** Whether a checkpoint names it. */
  isNamed(lsn: bigint): boolean;
}

const NO_CONTENT: RecordContent = {
  checksum: undefined,
  addressChecksum: undefined,
  writeGen: undefined,
  type: undefined,
  replacement: false,
};

export interface RecordContext {
  readonly store: PageLog;
  readonly run: Run;
  readonly detected: Detected;
  readonly tables: TableDirectory;
  readonly pages: PageVerifier;
  readonly plain: PlainPages;
  readonly ledger: LsnLedger;
  readonly book: AddressBook;
  readonly images: SoundImages;
  readonly unopened: Map<string, UnopenedPage>;
}

/** A number of records, and their bytes. */
export interface Amount {
  records: number;
  bytes: number;
}

export class RecordPass {
  private readonly subject: RecordSubject;
  private readonly block: DisaggBlock;
  private readonly chain = new PageChain();
  private readonly addresses: AddressCheck;
  private readonly history: HistoryCheck;
  private readonly missing: MissingRecords;
  private generation: string | undefined;
  private table: TableInfo | undefined;
  private tableId = -1n;
  private pageId = -1n;
  private newestLsn: bigint | undefined;
  /** Records above the newest checkpoint. */
  readonly orphans: Amount = { records: 0, bytes: 0 };
  /** Records below it that no address leads to. */
  readonly unreached: Amount = { records: 0, bytes: 0 };
  /** Bytes the addresses of a checkpoint lead to. */
  get liveBytes(): ReadonlyMap<string, number> {
    return this.addresses.liveBytes;
  }
  /** Records or their tables have what only stores of mid-2025 keep. */
  keepsCheckpointIds = false;
  /** Ids of tables that have records up to the newest checkpoint. */
  readonly met = new Set<bigint>();
  private metLast = -1n;
  /** The cells of the record were looked at: it is no text, needs no newer reader and no plug-in. */
  private walked = false;

  constructor(private readonly context: RecordContext) {
    this.subject = new RecordSubject(context.store);
    this.block = new DisaggBlock(context.run.forced.block);
    this.addresses = new AddressCheck(context, this.chain);
    this.history = new HistoryCheck(context.run, context.tables);
    this.missing = new MissingRecords(context.run.findings);
  }

  /** `newestLsn`: of the newest checkpoint's turtle page, its last record. */
  verify(newestLsn: bigint | undefined): void {
    this.newestLsn = newestLsn;
    for (const record of this.context.store.records()) this.pass(record);
    this.missing.reportBefore();
    this.addresses.passAll();
    this.leavePage();
    this.addresses.finish();
    this.history.finish();
  }

  private pass(record: PageRecord): void {
    const { run, ledger } = this.context;
    const { counts } = run.findings;
    if (this.isOrphan(record)) count(this.orphans, record.data.length);
    else this.meet(record);
    if (record.checkpointId !== undefined) this.keepsCheckpointIds = true;
    ledger.add(record.lsn);
    this.missing.reportBefore(record);
    this.addresses.passBelow(record);
    this.enter(record);
    const { error, warning } = counts;
    const hangs = this.missing.note(this.subject);
    run.findings.check(linkRules, this.subject);
    const linkErrors = counts.error - error;
    const { walks } = this.context.pages;
    const content = this.verifyContent(record);
    this.walked = this.context.pages.walks !== walks;
    const isContentSound = counts.error - error === linkErrors;
    const readable = isContentSound && !(record.isDelta && (hangs || linkErrors > 0));
    const fits = !hangs && counts.error === error && counts.warning === warning;
    this.leave(record, content, readable, fits);
    run.checked(1, record.data.length);
  }

  private isOrphan({ lsn }: PageRecord): boolean {
    return this.newestLsn !== undefined && lsn > this.newestLsn;
  }

  private enter(record: PageRecord): void {
    const { subject } = this;
    subject.record = record;
    if (record.tableId === this.tableId && record.pageId === this.pageId) return;
    this.leavePage();
    if (record.tableId !== this.tableId) this.enterTable(record);
    this.tableId = record.tableId;
    this.pageId = record.pageId;
    subject.previous = subject.image = undefined;
    subject.deltas = 0;
    this.checkPageId(record);
  }

  private enterTable({ tableId }: PageRecord): void {
    const { tables } = this.context;
    this.table = tables.get(tableId);
    this.subject.table = this.table?.uri;
  }

  private meet({ tableId }: PageRecord): void {
    if (tableId !== this.metLast) this.met.add(tableId);
    this.metLast = tableId;
  }

  private leavePage(): void {
    this.addresses.leavePage();
    this.leaveChain();
    this.chain.clear();
  }

  /** The chain is complete: what of it no address led to? */
  private leaveChain(): void {
    const { chain, unreached } = this;
    unreached.records += chain.records - chain.reached;
    unreached.bytes += chain.bytes - chain.reachedBytes;
  }

  private checkPageId(record: PageRecord): void {
    const next = this.table?.nextPageId;
    if (next === undefined || record.pageId < next || this.isOrphan(record)) return;
    this.context.run.findings.add(recordPageId, this.subject.place(), {
      message: `page ${record.pageId} has an id its tree has not given out yet`,
      expected: `below ${next}`,
      actual: record.pageId,
      consequence: "the next page may take the same id",
    });
  }

  private leave(record: PageRecord, content: RecordContent, sound: boolean, fits: boolean): void {
    const { subject, chain } = this;
    const { isDelta, discarded } = record;
    const passed = new PassedRecord(record, content, subject.table, sound, fits);
    if (!isDelta || discarded) this.leaveChain();
    chain.add(passed);
    this.noteContent(record, passed);
    subject.previous = passed;
    if (isDelta && !discarded) subject.deltas++;
    else {
      subject.image = passed;
      subject.deltas = 0;
    }
  }

  /** What addresses are compared with: only kept where one is still to come for this page. */
  private noteContent(record: PageRecord, { type, sound, isDelta, lsn }: PassedRecord): void {
    const { chain, block, table } = this;
    const { pages, plain } = this.context;
    if (record.discarded || this.isOrphan(record)) chain.skip();
    else if (plain.has(record.tableId, record.pageId) && plain.isNamed(lsn)) chain.reach();
    if (!sound || !this.walked || type !== pageTypes.rowLeaf || !this.addresses.isWanted(record)) return;
    const { first, last, count: rows, allPlain } = pages.keysOf(table !== undefined && table.collator !== "");
    chain.addKeys(first, last);
    if (!isDelta) {
      chain.imageRows = { lsn, rows };
      // The address of a replacement was made for an image and deltas.
      if (!block.replacement)
        chain.times = allPlain ? PLAIN_TIMES : leafTimes(pages.image, disaggLayout(block));
    }
    if (table?.uri === HISTORY_STORE)
      this.history.add(pages.image, disaggLayout(block), () => this.subject.place());
  }

  private verifyContent(record: PageRecord): RecordContent {
    if (record.discarded || isSealed(record)) return NO_CONTENT;
    const { block, subject, table } = this;
    const { run, plain, detected, pages } = this.context;
    if (plain.has(record.tableId, record.pageId)) {
      plain.verify(record);
      return NO_CONTENT;
    }
    if (!block.set(subject)) {
      run.findings.add(blockUnreadable, subject.place(), {
        message: `${record.data.length} bytes that are no block`,
        consequence: "the page cannot be read at this LSN",
      });
      return NO_CONTENT;
    }
    if (block.generation !== this.generation) {
      this.generation = block.generation;
      detected.generations.add(`block ${block.generation}`);
    }
    this.addresses.passNeighbour(block.previousChecksum);
    run.findings.check(blockRules, block);
    // What a damaged block says of its cells would only repeat that it is damaged.
    if (block.checksum === block.computedChecksum && !block.tooNew) {
      run.countUncovered(block.uncovered);
      pages.verifyDisagg(block, table, table !== undefined && table.collator !== "");
    }
    const { checksum, replacement, originalChecksum, writeGen, type } = block;
    const addressChecksum = replacement ? originalChecksum : checksum;
    return { checksum, addressChecksum, writeGen, type, replacement };
  }
}

const isSealed = ({ issues }: PageRecord): boolean =>
  issues.length > 0 && issues.some(({ code }) => code === SEALED);

const HISTORY_STORE = specialTables.sharedHistoryStore.uri;

const count = (amount: Amount, bytes: number): void => {
  amount.records++;
  amount.bytes += bytes;
};
