/** Pages of the tree that is edited, with what their records mean for the next ones. */
import { addressCookie } from "../../../formats/address-cookie.js";
import { cellTags } from "../../../formats/cell.js";
import { FormatError } from "../../codec/error.js";
import { readBlockHeaders } from "../../page/block-headers.js";
import type { MergedRow } from "../../page/rows.js";
import type { PageLog, PageRecord } from "../../store/types.js";
import type { WritablePageLog } from "../../store/writable.js";
import { SoundImages } from "../../tree/image-check.js";
import { PageLogSource } from "../../tree/page-log/source.js";
import { PageFault, placeText } from "../../tree/problem.js";
import type { PagePart, TreePage } from "../../tree/types.js";
import { isInternal, isRowTree, pageRows } from "../../tree/walk.js";
import type { PageChain } from "./page-writer.js";
import type { TreeSettings } from "./settings.js";
import { TreeWriteError } from "./write-error.js";

const MAX_LSN = (1n << 64n) - 1n;

export interface OpenPage {
  readonly internal: boolean;
  readonly rows: readonly MergedRow[];
  readonly parts: readonly PagePart[];
  readonly chain: PageChain;
}

export class PageReader {
  private readonly log: LatestChains;
  private readonly source: PageLogSource;

  constructor(
    log: WritablePageLog,
    private readonly settings: TreeSettings,
  ) {
    const { tableId, compressor, transforms } = settings;
    this.log = new LatestChains(log);
    const { encryptor } = transforms;
    const table = { tableId, compressor, encryptor: "", collator: "" };
    this.source = new PageLogSource(this.log, table, new SoundImages({ encryptor }));
  }

  /** @throws TreeWriteError `tree-damaged`, `tree-unsupported` */
  open(cookie: Uint8Array): OpenPage {
    const page = this.page(cookie);
    if (!isRowTree(page.type))
      throw new TreeWriteError("tree-unsupported", `${placeText(page.place)}: only row stores are written`);
    const rows = pageRows(page.parts);
    for (const { key, tag } of rows)
      if (key === undefined || tag === cellTags.valueOverflow)
        throw new TreeWriteError(
          "tree-unsupported",
          `${placeText(page.place)}: it has keys or values on overflow pages`,
        );
    return { internal: isInternal(page.type), rows, parts: page.parts, chain: this.chainOf(cookie, page) };
  }

  private page(cookie: Uint8Array): TreePage {
    try {
      return this.source.page(cookie);
    } catch (error) {
      if (!(error instanceof PageFault)) throw error;
      throw new TreeWriteError("tree-damaged", `${placeText(error.place)}: ${error.message}`);
    }
  }

  private chainOf(cookie: Uint8Array, { parts }: TreePage): PageChain {
    const { pageId, checksum, size } = addressCookie.parse(cookie);
    const image = (parts[0] as PagePart).origin.lsn as bigint;
    const newest = (parts.at(-1) as PagePart).origin.lsn as bigint;
    const saysAll = this.settings.generation.cookie === "D'";
    const own = {
      pageId,
      deltas: parts.length - 1,
      // A replacement counts for what it replaced, which is the size its address has.
      bytes: saysAll ? size : parts.reduce((sum, { stored }) => sum + stored, 0),
    };
    const latest = this.log.chain(this.settings.tableId, pageId, MAX_LSN);
    const last = latest.at(-1) as PageRecord;
    const base = latest[0] as PageRecord;
    const links = {
      ...own,
      imageLsn: base.lsn,
      imageCheckpointId: base.checkpointId,
      newestLsn: last.lsn,
      newestCheckpointId: last.checkpointId,
    };
    // A replacement goes on under the checksum it replaces, which is the address's.
    if (last.lsn === newest && base.lsn === image) return { ...links, checksum, onTop: "nothing" };
    if (last.discarded) return { ...links, checksum: 0, onTop: "discard" };
    return { ...links, checksum: checksumOf(last), onTop: "records" };
  }
}

/** What a record that follows has to name; 0 where the record is no block. */
function checksumOf({ data }: PageRecord): number {
  try {
    const { checksum, replacement, originalChecksum } = readBlockHeaders(data);
    return replacement ? originalChecksum : checksum.stored;
  } catch (error) {
    if (error instanceof FormatError) return 0;
    throw error;
  }
}

/** A page log that keeps the newest chain it was asked for: a page is asked for twice, as named and as it is now. */
class LatestChains implements PageLog {
  private kept: { tableId: bigint; pageId: bigint; chain: PageRecord[] } | undefined;

  constructor(private readonly log: PageLog) {}

  get kind(): PageLog["kind"] {
    return this.log.kind;
  }
  get path(): string {
    return this.log.path;
  }
  get generation(): string {
    return this.log.generation;
  }
  get size(): number {
    return this.log.size;
  }
  get globals(): PageLog["globals"] {
    return this.log.globals;
  }
  get issues(): PageLog["issues"] {
    return this.log.issues;
  }

  chain(tableId: bigint, pageId: bigint, lsn: bigint): PageRecord[] {
    const { kept } = this;
    if (lsn === MAX_LSN && kept?.tableId === tableId && kept.pageId === pageId) return kept.chain;
    const chain = this.log.chain(tableId, pageId, MAX_LSN);
    this.kept = { tableId, pageId, chain };
    return chain.at(-1)?.lsn === lsn || lsn === MAX_LSN ? chain : this.log.chain(tableId, pageId, lsn);
  }

  records(): IterableIterator<PageRecord> {
    return this.log.records();
  }
  record(tableId: bigint, pageId: bigint, lsn: bigint): PageRecord | undefined {
    return this.log.record(tableId, pageId, lsn);
  }
  checkpoints(): ReturnType<PageLog["checkpoints"]> {
    return this.log.checkpoints();
  }
  close(): void {
    this.log.close();
  }
}
