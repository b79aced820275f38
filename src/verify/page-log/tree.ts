/** A table of a page log at one checkpoint: every page that can be reached from its root. */

import { cellTags } from "../../../formats/cell.js";
import { pageTypes } from "../../../formats/page-header.js";
import { mergeRows, type Row, rowsOf } from "../../page/rows.js";
import type { PageLog, PageRecord } from "../../store/types.js";
import { disaggLayout, type PageVerifier } from "../page-verifier.js";
import type { FindingPlace } from "../rule.js";
import { addressAgreement } from "../rules/page-log/address-agreement.js";
import { addressFormat } from "../rules/page-log/address-cookie.js";
import { addressRecord } from "../rules/page-log/address-record.js";
import { treeLoop } from "../rules/tree/tree-loop.js";
import type { Detected, Run } from "../run.js";
import { AddressSubject } from "./address.js";
import { DisaggBlock } from "./block.js";
import { placeOf } from "./checkpoint.js";
import { RecordSubject } from "./record.js";
import type { TableInfo } from "./tables.js";

const MAX_DEPTH = 64;

/** What a walk meets on its way. */
export interface TreeVisitor {
  /** Rows of a leaf, base and deltas merged; only asked for when given. */
  leaf?(rows: readonly Row[], place: FindingPlace): void;
}

export class PageLogTree {
  private readonly reached = new Set<bigint>();
  private readonly block = new DisaggBlock();
  private readonly record: RecordSubject;
  /** False once a page could not be read: what is below it was not seen. */
  whole = true;

  constructor(
    private readonly store: PageLog,
    private readonly table: Pick<TableInfo, "tableId" | "compressor" | "encryptor"> & { uri?: string },
    private readonly run: Run,
    private readonly detected: Detected,
    private readonly pages: PageVerifier,
    private readonly visitor: TreeVisitor = {},
  ) {
    this.record = new RecordSubject(store);
  }

  verify(cookie: Uint8Array, holder: FindingPlace, depth = 0): void {
    const subject = new AddressSubject(this.store, this.table.tableId, cookie, this.named(holder));
    const { findings } = this.run;
    const before = findings.counts.error;
    this.reportCookie(subject);
    findings.check([addressRecord, addressAgreement], subject);
    const { newest } = subject;
    if (findings.counts.error !== before || newest === undefined) {
      this.whole = false;
      return;
    }
    if (this.reached.has(newest.pageId)) {
      findings.add(treeLoop, subject.place(), {
        message: `page ${newest.pageId} is reached a second time`,
        actual: newest.pageId,
      });
      return;
    }
    this.reached.add(newest.pageId);
    if (depth < MAX_DEPTH) this.visit(subject.chain, depth);
    else this.run.unchecked(this.named(holder), `the tree is deeper than ${MAX_DEPTH} levels`);
  }

  private named(place: FindingPlace): FindingPlace {
    return this.table.uri === undefined ? place : { ...place, table: this.table.uri };
  }

  private reportCookie(subject: AddressSubject): void {
    const { generation, issues } = subject.reading;
    if (generation !== undefined) this.detected.generations.add(`cookie ${generation}`);
    this.run.findings.addIssues(addressFormat, subject.place(), issues);
  }

  private visit(chain: readonly PageRecord[], depth: number): void {
    const [base] = chain as [PageRecord];
    if (!this.load(base)) return;
    const internal = this.block.type === pageTypes.rowInternal;
    if (!internal && this.visitor.leaf === undefined) return;
    const rows = this.mergedRows(chain);
    if (rows === undefined) {
      this.whole = false;
      return;
    }
    const place = this.named(placeOf(chain.at(-1) as PageRecord));
    if (!internal) this.visitor.leaf?.(rows, place);
    else
      for (const { data, tag } of rows)
        if (data.length > 0 || tag !== cellTags.addressDeleted) this.verify(data, place, depth + 1);
  }

  /** Loads a record's block; false for bytes that are damaged, which the record pass reports. */
  private load(record: PageRecord): boolean {
    this.record.record = record;
    if (this.block.set(this.record) && this.block.checksum === this.block.computedChecksum) return true;
    this.whole = false;
    return false;
  }

  private mergedRows(chain: readonly PageRecord[]): Row[] | undefined {
    const parts: Row[][] = [];
    for (const record of chain) {
      const image = this.load(record) ? this.pages.disaggImage(this.block, this.table) : undefined;
      if (image === undefined) return undefined;
      parts.push([...rowsOf(image, disaggLayout(this.block))]);
    }
    return mergeRows(parts);
  }
}
