/** One pass over every record of a page log: what can be told of a record, its block and its page's history. */
import type { CheckpointRecord, PageLog, PageRecord } from "../../store/types.js";
import type { PageVerifier } from "../page-verifier.js";
import type { Rule } from "../rule.js";
import { blockUnreadable } from "../rules/block/block-unreadable.js";
import { disaggChecksum } from "../rules/block/disagg-checksum.js";
import { disaggHeader } from "../rules/block/disagg-header.js";
import { previousChecksum } from "../rules/page-log/block-previous-checksum.js";
import { recordAttributes } from "../rules/page-log/record-attributes.js";
import { recordChainLength } from "../rules/page-log/record-chain-length.js";
import { recordCheckpointId } from "../rules/page-log/record-checkpoint-id.js";
import { recordDeltaLinks } from "../rules/page-log/record-delta-links.js";
import { recordImageLinks } from "../rules/page-log/record-image-links.js";
import { unsupportedBlock } from "../rules/run/unsupported-version.js";
import type { Detected, Run } from "../run.js";
import { DisaggBlock } from "./block.js";
import type { LsnLedger } from "./lsn-ledger.js";
import { type Earlier, RecordSubject } from "./record.js";
import type { TableDirectory } from "./tables.js";

const recordRules: readonly Rule<RecordSubject>[] = [
  recordAttributes,
  recordDeltaLinks,
  recordImageLinks,
  recordCheckpointId,
  recordChainLength,
];
const blockRules: readonly Rule<DisaggBlock>[] = [
  disaggChecksum,
  disaggHeader,
  unsupportedBlock,
  previousChecksum,
];

/** Issue of records whose bytes a page service has encrypted: there is no block to look at. */
const SEALED = "service-encrypted";

/** Records that are no blocks: turtle text and key pages, told by the checkpoints that name them. */
export interface PlainPages {
  has(tableId: bigint, pageId: bigint): boolean;
  verify(record: PageRecord): void;
}

export class RecordPass {
  private readonly subject: RecordSubject;
  private readonly block: DisaggBlock;
  private tableId = -1n;
  private pageId = -1n;
  /** Records above the newest checkpoint, and their bytes. */
  orphans = 0;
  orphanBytes = 0;

  constructor(
    private readonly store: PageLog,
    private readonly run: Run,
    private readonly detected: Detected,
    private readonly tables: TableDirectory,
    private readonly pages: PageVerifier,
    private readonly plain: PlainPages,
    private readonly ledger: LsnLedger,
  ) {
    this.subject = new RecordSubject(store);
    this.block = new DisaggBlock(run.forced.block);
  }

  verify(newest: CheckpointRecord | undefined): void {
    for (const record of this.store.records()) {
      if (newest !== undefined && record.lsn > newest.lsn) {
        this.orphans++;
        this.orphanBytes += record.data.length;
      }
      this.ledger.add(record.lsn);
      this.enter(record);
      this.run.findings.check(recordRules, this.subject);
      const checksum = this.verifyContent(record);
      this.leave(record, checksum);
      this.run.checked(1, record.data.length);
    }
  }

  private enter(record: PageRecord): void {
    const { subject } = this;
    subject.record = record;
    if (record.tableId === this.tableId && record.pageId === this.pageId) return;
    if (record.tableId !== this.tableId) subject.table = this.tables.name(record.tableId);
    this.tableId = record.tableId;
    this.pageId = record.pageId;
    subject.previous = subject.image = undefined;
    subject.deltas = 0;
  }

  private leave(record: PageRecord, checksum: number | undefined): void {
    const { lsn, checkpointId, isDelta, discarded } = record;
    const earlier: Earlier = { lsn, checkpointId, isDelta, discarded, checksum };
    this.subject.previous = earlier;
    if (isDelta && !discarded) this.subject.deltas++;
    else {
      this.subject.image = earlier;
      this.subject.deltas = 0;
    }
  }

  /** The checksum in the block's header, for the records that follow. */
  private verifyContent(record: PageRecord): number | undefined {
    if (record.discarded || record.issues.some(({ code }) => code === SEALED)) return undefined;
    if (this.plain.has(record.tableId, record.pageId)) {
      this.plain.verify(record);
      return undefined;
    }
    const { block, run, subject } = this;
    if (!block.set(subject)) {
      run.findings.add(blockUnreadable, subject.place(), {
        message: `${record.data.length} bytes that are no block`,
        consequence: "the page cannot be read at this LSN",
      });
      return undefined;
    }
    this.detected.generations.add(`block ${block.generation}`);
    run.findings.check(blockRules, block);
    // What a damaged block says of its cells would only repeat that it is damaged.
    if (block.checksum === block.computedChecksum && !block.tooNew)
      this.pages.verifyDisagg(block, this.tables.get(record.tableId));
    return block.checksum;
  }
}
