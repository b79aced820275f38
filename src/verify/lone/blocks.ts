/** Blocks without a store around them: a raw file, hex text, corruption dumps in a server log. */
import { CLASSIC_BLOCK } from "../../../formats/block-header.js";
import { keyPageStart } from "../../../formats/crypt-page.js";
import { descriptionBlock, startsLikeClassicFile } from "../../../formats/description-block.js";
import { pageFlags, pageTypes } from "../../../formats/page-header.js";
import { pageLogFlags } from "../../../formats/page-log.js";
import { openBlock } from "../../store/block.js";
import { looksLikePageLogBlock, looksLikeText } from "../../store/block-look.js";
import { type DumpedBlock, openCorruptionLog } from "../../store/corruption-log.js";
import { InputError } from "../../store/input-error.js";
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
import { unsupportedBlock } from "../rules/run/unsupported-version.js";
import type { Detected, Run } from "../run.js";
import { DumpedChains, type DumpedLink } from "./dumped-chains.js";

export function verifyBlockFile(path: string, run: Run, detected: Detected): void {
  const verifier = new LoneBlockVerifier(run, detected);
  for (const { bytes, place } of openBlock(path).blocks) verifier.verify(bytes, place, undefined);
}

export function verifyCorruptionLog(path: string, run: Run, detected: Detected): void {
  const log = openCorruptionLog(path);
  const verifier = new LoneBlockVerifier(run, detected);
  try {
    let blocks = 0;
    for (const block of log.blocks()) {
      blocks++;
      verifier.verify(block.bytes, block.place, block);
    }
    if (blocks === 0 && log.issues.length === 0)
      throw new InputError("input-unknown", path, "no corruption dump in it");
    verifier.chains.finish(log.lastLine);
    for (const issue of log.issues)
      run.findings.addIssues(storeContainer, placeOf(issue.place), [issue], { offsets: "file" });
  } finally {
    log.close();
  }
}

/** What a corruption dump says of its block. */
type Announced = Omit<DumpedBlock, "bytes" | "place">;

/** Of what a block is of, no more than is known: of blocks without a dump's line around them, nothing. */
const placeOf = ({ file, offset, line }: Place, announced?: Announced): FindingPlace => ({
  path: file,
  ...(offset === undefined ? {} : { offset }),
  ...(line === undefined ? {} : { line }),
  ...(announced?.table === undefined ? {} : { table: announced.table }),
});

/** A block of a page log without the record that held it. */
class LoneRecord extends RecordSubject {
  constructor(private readonly known: FindingPlace) {
    super(noStore);
  }

  override place(): FindingPlace {
    return this.known;
  }
}

class LoneBlockVerifier {
  private readonly pages: PageVerifier;
  readonly chains: DumpedChains;
  private readonly disagg: DisaggBlock;

  constructor(
    private readonly run: Run,
    private readonly detected: Detected,
  ) {
    this.pages = new PageVerifier(run, detected);
    this.chains = new DumpedChains(run);
    this.disagg = new DisaggBlock(run.forced.block);
  }

  verify(bytes: Uint8Array, place: Place, announced: Announced | undefined): void {
    this.run.checked(1, bytes.length);
    const { turtle, keyPage } = this.run.forced;
    if (turtle !== undefined || keyPage !== undefined) this.verifyPlain(bytes, place, announced);
    else if (startsLikeClassicFile(bytes)) this.verifyDescription(bytes, place);
    else if (keyPageStart(bytes) !== undefined || looksLikeText(bytes))
      this.verifyPlain(bytes, place, announced);
    else if (looksLikePageLogBlock(bytes)) this.verifyDisagg(bytes, place, announced);
    else if (bytes.length >= CLASSIC_BLOCK.payload) this.verifyClassic(bytes, place, announced);
    else
      this.run.findings.add(blockUnreadable, placeOf(place, announced), {
        message: `${bytes.length} bytes are too few for any block`,
        expected: `at least ${CLASSIC_BLOCK.payload}`,
        actual: bytes.length,
      });
  }

  private verifyPlain(bytes: Uint8Array, place: Place, announced: Announced | undefined): void {
    verifyPlainPage(recordOf(bytes, place), this.run, this.detected, placeOf(place, announced));
  }

  private verifyDescription(bytes: Uint8Array, place: Place): void {
    const { issues } = descriptionBlock.read(bytes, { base: place.offset ?? 0 });
    this.run.findings.addIssues(fileDescription, placeOf(place), issues, { offsets: "file" });
  }

  private verifyDisagg(bytes: Uint8Array, place: Place, announced: Announced | undefined): void {
    const { disagg, run } = this;
    const page = announced === undefined ? {} : { pageId: announced.offsetOrPageId };
    const subject = new LoneRecord({ ...placeOf(place, announced), ...page });
    subject.record = recordOf(bytes, place);
    if (!disagg.set(subject)) return;
    // The record's attributes are not known: they are taken to be what the block says.
    const flags =
      (disagg.isDelta ? pageLogFlags.delta : 0) |
      (disagg.compressed ? pageLogFlags.compressed : 0) |
      (disagg.encrypted ? pageLogFlags.encrypted : 0);
    subject.record = { ...subject.record, flags, isDelta: disagg.isDelta };
    this.detected.generations.add(`block ${disagg.generation}`);
    run.findings.check([disaggChecksum, disaggHeader, unsupportedBlock], disagg);
    this.compare(announced, disagg.replacement ? disagg.originalChecksum : disagg.checksum, subject.place());
    if (announced !== undefined) this.chains.add(linkOf(disagg, announced));
    if (disagg.checksum === disagg.computedChecksum && !disagg.tooNew)
      this.pages.verifyDisagg(disagg, undefined);
  }

  private verifyClassic(bytes: Uint8Array, place: Place, announced: Announced | undefined): void {
    const block = new LoneClassicBlock(place.file, announced?.table, placeOf(place, announced));
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

/** A block of a classic file that is not where it was: offsets are those of the input. */
class LoneClassicBlock extends ClassicBlock {
  constructor(
    path: string,
    table: string | undefined,
    private readonly known: FindingPlace,
  ) {
    super(path, table, 0);
  }

  override place(): FindingPlace {
    return this.known;
  }
}

/** A delta may have been written before or after the image under it was replaced, so both checksums may name that. */
function linkOf(block: DisaggBlock, announced: Announced): DumpedLink {
  const { table = "", objectId, offsetOrPageId, checksum, lastLine } = announced;
  return {
    page: `${table} ${objectId} ${offsetOrPageId}`,
    place: block.place(),
    isDelta: block.isDelta,
    sound: block.checksum === block.computedChecksum,
    checksums: [block.checksum, checksum, ...(block.replacement ? [block.originalChecksum] : [])],
    previousChecksum: block.previousChecksum,
    writeGen: block.writeGen,
    lastLine,
  };
}

function roleOf({ type }: ClassicBlock): BlockRole {
  if (type === pageTypes.blockManager) return "extent list";
  if (type === pageTypes.overflow) return "overflow";
  return type === pageTypes.rowInternal || type === pageTypes.columnInternal ? "internal" : "leaf";
}

/** What the rules ask of a record; ids and LSNs are never shown. */
const recordOf = (data: Uint8Array, place: Place): PageRecord => ({
  tableId: 0n,
  pageId: 0n,
  lsn: 0n,
  isDelta: false,
  discarded: false,
  flags: 0,
  backlinkLsn: 0n,
  baseLsn: 0n,
  data,
  place,
  issues: [],
});

/** Lone blocks have no page log; the rules that are run on them do not ask for one. */
const noStore = { kind: "page-log-jsonl" } as PageLog;
