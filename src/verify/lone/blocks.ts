/** Blocks without a store around them: a raw file, hex text, corruption dumps in a server log. */
import { CLASSIC_BLOCK } from "../../../formats/block-header.js";
import { looksLikeCryptPage } from "../../../formats/crypt-page.js";
import { descriptionBlock, startsLikeClassicFile } from "../../../formats/description-block.js";
import { pageFlags, pageTypes } from "../../../formats/page-header.js";
import { pageLogFlags } from "../../../formats/page-log.js";
import { openBlock } from "../../store/block.js";
import { looksLikePageLogBlock, looksLikeText } from "../../store/block-look.js";
import { openCorruptionLog } from "../../store/corruption-log.js";
import type { PageLog, PageRecord, Place } from "../../store/types.js";
import { type BlockRole, ClassicBlock } from "../classic/block.js";
import { hex32 } from "../hex.js";
import { DisaggBlock } from "../page-log/block.js";
import { verifyPlainPage } from "../page-log/plain-pages.js";
import { RecordSubject } from "../page-log/record.js";
import { PageVerifier } from "../page-verifier.js";
import type { FindingPlace } from "../rule.js";
import { blockUnreadable } from "../rules/block/block-unreadable.js";
import { classicChecksum } from "../rules/block/classic-checksum.js";
import { classicHeader } from "../rules/block/classic-header.js";
import { disaggChecksum } from "../rules/block/disagg-checksum.js";
import { disaggHeader } from "../rules/block/disagg-header.js";
import { fileDescription } from "../rules/classic/file-description.js";
import { dumpChecksum } from "../rules/lone/dump-checksum.js";
import { storeContainer } from "../rules/page-log/store-container.js";
import type { Detected, Run } from "../run.js";

export function verifyBlockFile(path: string, run: Run, detected: Detected): void {
  const verifier = new LoneBlockVerifier(run, detected);
  for (const { bytes, place } of openBlock(path).blocks) verifier.verify(bytes, place, undefined);
}

export function verifyCorruptionLog(path: string, run: Run, detected: Detected): void {
  const log = openCorruptionLog(path);
  const verifier = new LoneBlockVerifier(run, detected);
  try {
    for (const { bytes, place, line, offsetOrPageId, checksum } of log.blocks())
      verifier.verify(bytes, { ...place, line }, { pageId: offsetOrPageId, checksum });
    for (const issue of log.issues)
      run.findings.addIssues(storeContainer, placeOf(issue.place), [issue], { offsets: "file" });
  } finally {
    log.close();
  }
}

/** What a corruption dump says of its block. */
interface Announced {
  /** Byte offset in a classic file, page id in a page log. */
  readonly pageId: bigint;
  readonly checksum: number;
}

const placeOf = ({ file, offset }: Place): FindingPlace => ({
  path: file,
  ...(offset === undefined ? {} : { offset }),
});

class LoneBlockVerifier {
  private readonly pages: PageVerifier;
  private readonly disagg = new DisaggBlock();

  constructor(
    private readonly run: Run,
    private readonly detected: Detected,
  ) {
    this.pages = new PageVerifier(run, detected);
  }

  verify(bytes: Uint8Array, place: Place, announced: Announced | undefined): void {
    this.run.checked(1, bytes.length);
    if (startsLikeClassicFile(bytes)) this.verifyDescription(bytes, place);
    else if (looksLikePageLogBlock(bytes)) this.verifyDisagg(bytes, place, announced);
    else if (looksLikeCryptPage(bytes) || looksLikeText(bytes))
      verifyPlainPage(recordOf(bytes, place, 1n, 0), this.run, this.detected);
    else if (bytes.length >= CLASSIC_BLOCK.payload) this.verifyClassic(bytes, place, announced);
    else
      this.run.findings.add(blockUnreadable, placeOf(place), {
        message: `${bytes.length} bytes are too few for any block`,
        expected: `at least ${CLASSIC_BLOCK.payload}`,
        actual: bytes.length,
      });
  }

  private verifyDescription(bytes: Uint8Array, place: Place): void {
    const { issues } = descriptionBlock.read(bytes, { base: place.offset ?? 0 });
    this.run.findings.addIssues(fileDescription, placeOf(place), issues, { offsets: "file" });
  }

  private verifyDisagg(bytes: Uint8Array, place: Place, announced: Announced | undefined): void {
    const { disagg, run } = this;
    const subject = new RecordSubject(noStore);
    subject.record = recordOf(bytes, place, announced?.pageId ?? 0n, 0);
    if (!disagg.set(subject)) return;
    // The record's attributes are not known: they are taken to be what the block says.
    const flags =
      (disagg.isDelta ? pageLogFlags.delta : 0) |
      (disagg.compressed ? pageLogFlags.compressed : 0) |
      (disagg.encrypted ? pageLogFlags.encrypted : 0);
    subject.record = { ...subject.record, flags, isDelta: disagg.isDelta };
    this.detected.generations.add(`block ${disagg.generation}`);
    run.findings.check([disaggChecksum, disaggHeader], disagg);
    this.compare(announced, disagg.replacement ? disagg.originalChecksum : disagg.checksum, subject.place());
    if (disagg.checksum === disagg.computedChecksum) this.pages.verifyDisagg(disagg, undefined);
  }

  private verifyClassic(bytes: Uint8Array, place: Place, announced: Announced | undefined): void {
    const block = new ClassicBlock(place.file, undefined, 0);
    const at = place.offset ?? 0;
    block.set(bytes, at, bytes.length, 0, "leaf");
    block.set(bytes, at, bytes.length, block.checksum, roleOf(block));
    const before = this.run.findings.counts.error;
    this.detected.generations.add("block classic");
    this.run.findings.check([classicChecksum, classicHeader], block);
    this.compare(announced, block.checksum, block.place());
    const { type, flags } = block;
    const sealed = (flags & pageFlags.encrypted) !== 0;
    if (this.run.findings.counts.error === before && type !== pageTypes.blockManager && !sealed)
      this.pages.verifyClassic(block, undefined, { anyKeyOrder: false });
  }

  private compare(announced: Announced | undefined, checksum: number, place: FindingPlace): void {
    if (announced === undefined || announced.checksum === checksum) return;
    this.run.findings.add(dumpChecksum, place, {
      message: "the block in the dump is not the one its address meant",
      expected: hex32(announced.checksum),
      actual: hex32(checksum),
    });
  }
}

function roleOf({ type }: ClassicBlock): BlockRole {
  if (type === pageTypes.blockManager) return "extent list";
  if (type === pageTypes.overflow) return "overflow";
  return type === pageTypes.rowInternal || type === pageTypes.columnInternal ? "internal" : "leaf";
}

const recordOf = (data: Uint8Array, place: Place, pageId: bigint, flags: number): PageRecord => ({
  tableId: 0n,
  pageId,
  lsn: 0n,
  isDelta: false,
  discarded: false,
  flags,
  backlinkLsn: 0n,
  baseLsn: 0n,
  data,
  place,
  issues: [],
});

/** Lone blocks have no page log; the rules that are run on them do not ask for one. */
const noStore = { kind: "page-log-jsonl" } as PageLog;
