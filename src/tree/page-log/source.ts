/** Pages of one table of a page log: the chain an address names, found whole and sound. */
import { addressCookie } from "../../../formats/address-cookie.js";
import { AddressFields } from "../../../formats/address-fields.js";
import { FormatError } from "../../codec/error.js";
import { type BlockHeaders, readBlockHeaders } from "../../page/block-headers.js";
import type { TransformHint } from "../../page/images.js";
import { pageLayout } from "../../page/page.js";
import type { PageLog, PageRecord } from "../../store/types.js";
import type { SoundImages } from "../image-check.js";
import { newerVersion } from "../newer.js";
import { PageFault } from "../problem.js";
import type { LeafCandidate, PagePart, PagePlace, PageSource, TreePage } from "../types.js";
import { isInternal } from "../walk.js";

const MAX_LSN = (1n << 64n) - 1n;

export interface PageLogTable extends TransformHint {
  readonly tableId: bigint;
  readonly collator: string;
  /** Of the checkpoint that is read. */
  readonly lsn?: bigint | undefined;
}

/** What an address says of the page it names. */
interface Address {
  readonly pageId: bigint;
  /** Before LSNs were in addresses the newest record of the page was meant. */
  readonly lsn: bigint | undefined;
  readonly checksum: number;
}

export class PageLogSource implements PageSource {
  private readonly fields = new AddressFields();

  constructor(
    private readonly store: PageLog,
    private readonly table: PageLogTable,
    private readonly images: SoundImages,
  ) {}

  page(cookie: Uint8Array): TreePage {
    const address = this.address(cookie);
    const chain = this.chain(address);
    const headers = chain.map((record) => this.headersOf(record));
    this.checkLinks(chain, headers);
    this.checkAddress(address, chain, headers);
    const parts = chain.map((record, index) => this.part(record, headers[index] as BlockHeaders));
    const [first] = parts as [PagePart];
    const place = this.placeOf(chain.at(-1) as PageRecord);
    return { type: first.layout.type, parts, place, identity: String(address.pageId) };
  }

  /**
   * One record by itself.
   * @throws PageFault
   */
  partOf(record: PageRecord): PagePart {
    return this.part(record, this.headersOf(record));
  }

  /** The newest state of every page of the table at the checkpoint. */
  *candidates(): Generator<LeafCandidate> {
    const { tableId, lsn: limit = MAX_LSN } = this.table;
    let newest: LeafCandidate | undefined;
    let page: bigint | undefined;
    for (const record of this.store.records()) {
      if (record.tableId > tableId) break;
      if (record.tableId !== tableId || record.lsn > limit) continue;
      if (page !== record.pageId && newest !== undefined) yield newest;
      page = record.pageId;
      newest = record.discarded ? undefined : candidateOf(record);
    }
    if (newest !== undefined) yield newest;
  }

  overflow(cookie: Uint8Array): Uint8Array {
    const { parts } = this.page(cookie);
    const { image, layout } = parts[0] as PagePart;
    return image.subarray(layout.payload, layout.payload + layout.entries);
  }

  private address(cookie: Uint8Array): Address {
    const { fields } = this;
    if (fields.read(cookie)) {
      const { pageId, hasLsn, lsn, checksum } = fields;
      return { pageId, lsn: hasLsn ? lsn : undefined, checksum };
    }
    const reading = addressCookie.read(cookie);
    if (reading.ok) {
      const { pageId, checksum } = reading.value;
      return { pageId, lsn: "lsn" in reading.value ? reading.value.lsn : undefined, checksum };
    }
    const place = { path: this.store.path, tableId: this.table.tableId };
    const newer = newerVersion(reading.issues);
    if (newer !== undefined) throw new PageFault("page-too-new", `the page's address is ${newer}`, place);
    throw new PageFault("address", `no address: ${reading.error.message}`, place);
  }

  private chain({ pageId, lsn }: Address): PageRecord[] {
    const { tableId } = this.table;
    const chain = this.store.chain(tableId, pageId, lsn ?? MAX_LSN);
    const newest = chain.at(-1);
    const place: PagePlace = {
      path: this.store.path,
      tableId,
      pageId,
      ...(lsn === undefined ? {} : { lsn }),
    };
    if (newest === undefined) throw new PageFault("page-missing", this.whyNone(pageId, lsn), place);
    if (lsn !== undefined && newest.lsn !== lsn) {
      const message = `the record is missing; the newest before it is of LSN ${newest.lsn}`;
      throw new PageFault("page-missing", message, place);
    }
    if (newest.discarded) throw new PageFault("page-missing", "the page was freed", place);
    if (chain[0]?.isDelta === true) throw new PageFault("page-missing", "the chain has no full image", place);
    return chain;
  }

  private whyNone(pageId: bigint, lsn: bigint | undefined): string {
    const named = lsn === undefined ? undefined : this.store.record(this.table.tableId, pageId, lsn);
    return named === undefined
      ? "there is no record of the page"
      : `the full image is missing (LSN ${named.baseLsn})`;
  }

  private placeOf({ tableId, pageId, lsn, place }: PageRecord): PagePlace {
    const { file: path, offset } = place;
    return { path, ...(offset === undefined ? {} : { offset }), tableId, pageId, lsn };
  }

  private headersOf(record: PageRecord): BlockHeaders {
    const place = this.placeOf(record);
    const [sealed] = record.issues.filter(({ severity }) => severity === "error");
    if (sealed !== undefined && record.data.length === 0)
      throw new PageFault("page-unreadable", sealed.message, place);
    try {
      const headers = readBlockHeaders(record.data);
      if (!headers.checksum.valid)
        throw new PageFault("page-damaged", "the checksum does not fit the bytes", place);
      const newer = newerVersion(headers.issues);
      if (newer !== undefined) throw new PageFault("page-too-new", `the page is ${newer}`, place);
      return headers;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw new PageFault("page-damaged", `no block: ${error.message}`, place);
    }
  }

  /** Nothing but the links shows that a delta in the middle is missing. */
  private checkLinks(chain: readonly PageRecord[], headers: readonly BlockHeaders[]): void {
    for (let i = 1; i < chain.length; i++) {
      const record = chain[i] as PageRecord;
      const [before, base] = [chain[i - 1] as PageRecord, chain[0] as PageRecord];
      const fault = (message: string): PageFault =>
        new PageFault("page-missing", message, this.placeOf(record));
      if (record.backlinkLsn !== 0n && record.backlinkLsn !== before.lsn)
        throw fault(`the record before it, of LSN ${record.backlinkLsn}, is missing`);
      if (record.baseLsn !== 0n && record.baseLsn !== base.lsn)
        throw fault(`its full image, of LSN ${record.baseLsn}, is missing`);
      if (!followsChecksum(headers[i] as BlockHeaders, headers[i - 1] as BlockHeaders))
        throw fault(`it does not follow the record of LSN ${before.lsn}: one between them is missing`);
    }
  }

  private checkAddress(
    address: Address,
    chain: readonly PageRecord[],
    headers: readonly BlockHeaders[],
  ): void {
    const newest = headers.at(-1) as BlockHeaders;
    const checksum = newest.replacement ? newest.originalChecksum : newest.checksum.stored;
    if (address.checksum !== checksum)
      throw new PageFault(
        "page-damaged",
        "the page is not the one its address means: another checksum",
        this.placeOf(chain.at(-1) as PageRecord),
      );
    if (headers[0]?.delta === true)
      throw new PageFault(
        "page-damaged",
        "a delta in place of the full image",
        this.placeOf(chain[0] as PageRecord),
      );
  }

  private part(record: PageRecord, headers: BlockHeaders): PagePart {
    const place = this.placeOf(record);
    const { payload, header, compressed, encrypted } = headers;
    const shape = { combinedHeaderSize: payload, memSize: header.memSize, compressed, encrypted };
    const image = this.images.open(record.data, shape, this.table, place);
    const layout = pageLayout(headers);
    this.images.check(image, layout, this.table.collator !== "", place);
    const { pageId, lsn, isDelta, data } = record;
    return { image, layout, origin: { isDelta, pageId, lsn }, stored: data.length };
  }
}

/**
 * A delta names the checksum of the record before it. A replacement is known under the original one; where its header
 * has both, under its own as well (page and block headers §3.4).
 */
function followsChecksum({ block }: BlockHeaders, before: BlockHeaders): boolean {
  const previous = "previousChecksum" in block ? block.previousChecksum : undefined;
  if (previous === undefined || (before.replacement && previous === before.originalChecksum)) return true;
  return previous === before.checksum.stored && before.generation !== "modified";
}

/** An address of the record as a parent would hold it; undefined for what is no sound block. */
export function candidateOf(record: PageRecord): LeafCandidate | undefined {
  const headers = headersIn(record.data);
  if (headers?.checksum.valid !== true) return undefined;
  return { cookie: cookieOf(record, headers), written: record.lsn };
}

/** As `candidateOf`, whether or not the checksum fits. */
export function addressOf(record: PageRecord, which: "internal" | "any"): Uint8Array | undefined {
  const headers = headersIn(record.data);
  if (headers === undefined || (which === "internal" && !isInternal(headers.header.type))) return undefined;
  return cookieOf(record, headers);
}

function cookieOf(
  { pageId, lsn, checkpointId = 0n, data }: PageRecord,
  { replacement, originalChecksum, checksum }: BlockHeaders,
): Uint8Array {
  return addressCookie.build({
    generation: "B",
    pageId,
    lsn,
    checkpointId,
    reconciliationId: 0,
    size: data.length,
    checksum: replacement ? originalChecksum : checksum.stored,
  });
}

function headersIn(data: Uint8Array): BlockHeaders | undefined {
  try {
    return readBlockHeaders(data);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
