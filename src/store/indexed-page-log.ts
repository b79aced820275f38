/** Page logs whose records lie in no order of their own: an index in memory puts them into it. */
import { collectChain } from "./chain.js";
import { IssueLog } from "./issue-log.js";
import type { RecordIndex } from "./record-index.js";
import type { CheckpointRecord, PageLog, PageLogGlobals, PageRecord, StoreIssue } from "./types.js";

export abstract class IndexedPageLog implements PageLog {
  abstract readonly kind: PageLog["kind"];
  abstract readonly path: string;
  abstract readonly generation: string;
  abstract readonly size: number;
  abstract readonly globals: PageLogGlobals;
  protected readonly log = new IssueLog();
  /** Made when records are first asked for. */
  protected abstract readonly index: RecordIndex;

  get issues(): readonly StoreIssue[] {
    return this.log.list;
  }

  *records(): IterableIterator<PageRecord> {
    for (let at = 0; at < this.index.count; at++) {
      const record = this.load(at);
      if (record !== undefined) yield record;
    }
  }

  chain(tableId: bigint, pageId: bigint, lsn: bigint, limit = 1000): PageRecord[] {
    return collectChain(this.downFrom(tableId, pageId, lsn), limit, this.log);
  }

  record(tableId: bigint, pageId: bigint, lsn: bigint): PageRecord | undefined {
    const at = this.index.lastAtOrBelow(tableId, pageId, lsn);
    return at >= 0 && this.index.lsn(at) === lsn ? this.load(at) : undefined;
  }

  abstract checkpoints(): CheckpointRecord[];
  abstract close(): void;
  /** The record at a position of the index; undefined, with an issue, when it cannot be read any more. */
  protected abstract load(at: number): PageRecord | undefined;

  private *downFrom(tableId: bigint, pageId: bigint, lsn: bigint): Generator<PageRecord> {
    const { index } = this;
    for (
      let at = index.lastAtOrBelow(tableId, pageId, lsn);
      at >= 0 && index.isPage(at, tableId, pageId);
      at--
    ) {
      const record = this.load(at);
      if (record !== undefined) yield record;
    }
  }
}
