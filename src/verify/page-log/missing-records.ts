/** Records that deltas of a page refer to and that are not there: each is reported once, with all that hangs on it. */
import type { PageRecord } from "../../store/types.js";
import type { FindingPlace, Findings } from "../rule.js";
import { recordDeltaLinks } from "../rules/page-log/record-delta-links.js";
import type { RecordSubject } from "./record.js";

/** A full image that is missing, and the deltas based on it. */
interface MissingImage {
  readonly lsn: bigint;
  /** Where the first of them is. */
  readonly place: FindingPlace;
  /** The newest image that is there. */
  readonly found: bigint | undefined;
  readonly from: bigint;
  to: bigint;
  deltas: number;
}

const LOST = "the page cannot be rebuilt at or above this LSN";

export class MissingRecords {
  private image: MissingImage | undefined;

  constructor(private readonly findings: Findings) {}

  /** True when a delta refers to a record that is not there. */
  note(subject: RecordSubject): boolean {
    const { record, previous, image } = subject;
    if (!record.isDelta || record.discarded || record.lacksLinks === true) return false;
    const noImage = image === undefined || record.baseLsn > image.lsn;
    if (noImage) this.noteImage(subject);
    const noPrevious = previous === undefined || record.backlinkLsn > previous.lsn;
    if (noPrevious && !(noImage && record.backlinkLsn === record.baseLsn)) this.reportPrevious(subject);
    return noImage || noPrevious;
  }

  /** Only the last delta of the chain tells how many there are. */
  private noteImage(subject: RecordSubject): void {
    const { lsn, baseLsn } = subject.record;
    if (this.image !== undefined && this.image.lsn !== baseLsn) this.report();
    this.image ??= {
      lsn: baseLsn,
      place: subject.place(),
      found: subject.image?.lsn,
      from: lsn,
      to: lsn,
      deltas: 0,
    };
    this.image.deltas++;
    this.image.to = lsn;
  }

  private reportPrevious(subject: RecordSubject): void {
    const { lsn, backlinkLsn } = subject.record;
    this.findings.add(recordDeltaLinks, subject.place(), {
      lsn: backlinkLsn,
      field: "backlinkLsn",
      message: `the record at LSN ${backlinkLsn} is missing; the delta at LSN ${lsn} follows it`,
      expected: backlinkLsn,
      actual: subject.previous?.lsn,
      consequence: LOST,
    });
  }

  /** To be called in front of a record, which may begin another chain, and behind the last one. */
  reportBefore(record?: PageRecord): void {
    if (this.image === undefined) return;
    const { pageId, tableId } = this.image.place;
    if (record?.isDelta !== true || record.pageId !== pageId || record.tableId !== tableId) this.report();
  }

  private report(): void {
    const { lsn, place, found, from, to, deltas } = this.image as MissingImage;
    const based =
      deltas > 1
        ? `${deltas} deltas, from LSN ${from} to ${to}, are based on it`
        : `the delta at LSN ${from} is based on it`;
    this.findings.add(recordDeltaLinks, place, {
      lsn,
      field: "baseLsn",
      message: `the full image at LSN ${lsn} is missing; ${based}`,
      expected: lsn,
      actual: found,
      consequence: LOST,
    });
    this.image = undefined;
  }
}
