/** A page log with some of its chains replaced by images: every other record as it was. */

import type { TransformOptions } from "../../page/images.js";
import { encryptorByName, rotnEncryptor } from "../../page/transform/index.js";
import type { PageLogContents } from "../../store/memory-page-log.js";
import type { PageLog, PageRecord } from "../../store/types.js";
import { SoundImages } from "../../tree/image-check.js";
import { PageLogSource } from "../../tree/page-log/source.js";
import { PageFault } from "../../tree/problem.js";
import { type ReplacementEncoding, type ReplacementOptions, replacementOf } from "./replacement.js";

/** What the metadata says of a table. */
export interface ReplaceTable {
  readonly compressor: string;
  readonly encryptor: string;
}

/** Which chains are replaced. */
export type ReplaceSelection =
  /** The chain of one page whose newest record is of this LSN; without one, the page's newest. */
  | { readonly tableId: bigint; readonly pageId: bigint; readonly lsn?: bigint | undefined }
  /** Every chain with at least so many deltas. */
  | { readonly minDeltas: number };

export interface ReplaceOptions extends TransformOptions {
  readonly encoding: ReplacementEncoding;
  readonly selection: ReplaceSelection;
  /** By table id. */
  readonly tables: ReadonlyMap<bigint, ReplaceTable>;
  /** Told of each chain that was replaced. */
  readonly onReplaced?: (replaced: ReplacedChain) => void;
  /** Told of each chain that was to be replaced and could not be. */
  readonly onFault?: (fault: PageFault) => void;
}

export interface ReplacedChain {
  readonly tableId: bigint;
  readonly pageId: bigint;
  readonly lsn: bigint;
  /** Records a reader took before; now it takes one. */
  readonly records: number;
  /** Bytes of these records, and of the image. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

const MAX_LSN = (1n << 64n) - 1n;
const NO_TABLE: ReplaceTable = { compressor: "", encryptor: "" };

/**
 * The contents of `log` with the selected chains replaced. Older records of the chains stay, for older checkpoints
 * lead to them. Records above the newest checkpoint are left as they are.
 */
export function replacePages(log: PageLog, options: ReplaceOptions): PageLogContents {
  const replacing = new Replacing(log, options);
  return {
    records: () => replacing.records(),
    checkpoints: () => log.checkpoints(),
    globals: log.globals,
  };
}

class Replacing {
  private readonly images: SoundImages;
  /** Everything above it belongs to no checkpoint. */
  private readonly limit: bigint;
  private readonly sources = new Map<bigint, PageLogSource>();

  constructor(
    private readonly log: PageLog,
    private readonly options: ReplaceOptions,
  ) {
    this.images = new SoundImages(options);
    this.limit = log.checkpoints().at(-1)?.lsn ?? MAX_LSN;
  }

  *records(): Generator<PageRecord> {
    let chain: PageRecord[] = [];
    let page: PageRecord | undefined;
    let shift: Shift | undefined;
    for (const record of this.log.records()) {
      const isNew = page?.pageId !== record.pageId || page.tableId !== record.tableId;
      const endsChain = isNew || !record.isDelta || record.discarded || record.lsn > this.limit;
      if (endsChain) {
        const replaced = this.replaced(chain, isNew ? undefined : record);
        yield* replaced ?? chain;
        if (replaced !== undefined) shift = shiftOf(chain);
        chain = [];
      }
      if (isNew) shift = undefined;
      page = record;
      const own = shifted({ ...record, data: record.data.slice() }, shift);
      if (!record.isDelta) shift = undefined;
      if (record.discarded || record.lsn > this.limit) yield own;
      else chain.push(own);
    }
    yield* this.replaced(chain, undefined) ?? chain;
  }

  /** The chain with its newest record replaced; undefined when it stays as it is. `next`: the page's next record. */
  private replaced(chain: readonly PageRecord[], next: PageRecord | undefined): PageRecord[] | undefined {
    const newest = chain.at(-1);
    if (newest === undefined || chain[0]?.isDelta === true || !this.isSelected(chain, next)) return undefined;
    const { onReplaced, onFault } = this.options;
    try {
      const replacement = replacementOf(
        chain,
        this.sourceOf(newest.tableId),
        this.replacementOptions(newest),
      );
      onReplaced?.({
        tableId: newest.tableId,
        pageId: newest.pageId,
        lsn: newest.lsn,
        records: chain.length,
        bytesBefore: chain.reduce((sum, { data }) => sum + data.length, 0),
        bytesAfter: replacement.data.length,
      });
      return [...chain.slice(0, -1), replacement];
    } catch (error) {
      if (!(error instanceof PageFault)) throw error;
      onFault?.(error);
      return undefined;
    }
  }

  private isSelected(chain: readonly PageRecord[], next: PageRecord | undefined): boolean {
    const { selection } = this.options;
    const { tableId, pageId, lsn } = chain.at(-1) as PageRecord;
    if ("minDeltas" in selection) return chain.length > selection.minDeltas;
    if (tableId !== selection.tableId || pageId !== selection.pageId) return false;
    if (selection.lsn !== undefined) return selection.lsn === lsn;
    return next === undefined || next.lsn > this.limit;
  }

  private sourceOf(tableId: bigint): PageLogSource {
    const known = this.sources.get(tableId);
    if (known !== undefined) return known;
    const table = { tableId, collator: "", ...(this.options.tables.get(tableId) ?? NO_TABLE) };
    const source = new PageLogSource(this.log, table, this.images);
    this.sources.set(tableId, source);
    return source;
  }

  private replacementOptions({ tableId }: PageRecord): ReplacementOptions {
    const { encoding, tables, rotnKeyId, compressor, encryptor: own } = this.options;
    const table = tables.get(tableId) ?? NO_TABLE;
    const named = table.encryptor === "" ? undefined : encryptorByName(table.encryptor);
    const encryptor = named ?? own ?? (rotnKeyId === undefined ? undefined : rotnEncryptor(rotnKeyId));
    return { encoding, compressor: compressor ?? table.compressor, encryptor };
  }
}

/** The page's newest full image was the one, and is now the other. */
interface Shift {
  readonly from: bigint;
  readonly to: bigint;
  readonly checkpointId: bigint | undefined;
}

function shiftOf(chain: readonly PageRecord[]): Shift | undefined {
  const [base, newest] = [chain[0] as PageRecord, chain.at(-1) as PageRecord];
  return base.lsn === newest.lsn
    ? undefined
    : { from: base.lsn, to: newest.lsn, checkpointId: newest.checkpointId };
}

/** The next image, or the discard of the page, names the page's newest full image. */
function shifted(record: PageRecord, shift: Shift | undefined): PageRecord {
  if (shift === undefined) return record;
  const { from, to, checkpointId } = shift;
  const backlink =
    record.backlinkLsn === from
      ? { backlinkLsn: to, ...(checkpointId === undefined ? {} : { backlinkCheckpointId: checkpointId }) }
      : {};
  const base =
    record.baseLsn === from
      ? { baseLsn: to, ...(checkpointId === undefined ? {} : { baseCheckpointId: checkpointId }) }
      : {};
  return { ...record, ...backlink, ...base };
}
