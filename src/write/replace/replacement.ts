/**
 * An image and its deltas as one equivalent full image that stands under the same page id and LSN, so that the addresses
 * parents hold stay valid (formats: page and block headers §3.4; the replacement rule of the project's design).
 */
import { addressCookie } from "../../../formats/address-cookie.js";
import { cellTags } from "../../../formats/cell.js";
import { COMPRESS_SKIP } from "../../../formats/transforms.js";
import { readBlockHeaders } from "../../page/block-headers.js";
import { type MergedRow, readerOf } from "../../page/rows.js";
import {
  type Compressor,
  compressorByName,
  detectCompressor,
  type Encryptor,
} from "../../page/transform/index.js";
import type { PageRecord } from "../../store/types.js";
import { candidateOf, type PageLogSource } from "../../tree/page-log/source.js";
import { PageFault } from "../../tree/problem.js";
import type { PagePart, TreePage } from "../../tree/types.js";
import { isInternal, isRowTree, pageRows } from "../../tree/walk.js";
import { type BlockFacts, sealBlock } from "../page/block-writer.js";
import { type BuiltPage, InternalBuilder, LeafBuilder } from "../page/page-builder.js";
import { childrenOf } from "../tree/children.js";
import { MIN_PREFIX } from "../tree/settings.js";

/** How a header says that its block is a replacement, and of what. */
export type ReplacementEncoding = "modified" | "extended";

export interface ReplacementOptions {
  readonly encoding: ReplacementEncoding;
  /** `block_compressor=` of the table; empty = found by evidence where blocks are compressed. */
  readonly compressor: string;
  /** For pages that are encrypted: a replacement is as secret as what it replaces. */
  readonly encryptor?: Encryptor | undefined;
}

const { keyShortPrefix, keyPrefix } = cellTags;
const NO_LIMIT = Number.POSITIVE_INFINITY;

/**
 * The record that replaces the newest of a chain; the records below it are not needed for it any more.
 * @param chain image and deltas, oldest first, all of one page
 * @throws PageFault when the chain is not whole and sound, or is encrypted and there is no encryptor
 */
export function replacementOf(
  chain: readonly PageRecord[],
  source: PageLogSource,
  options: ReplacementOptions,
): PageRecord {
  const newest = chain.at(-1) as PageRecord;
  const address = candidateOf(newest);
  if (address === undefined) throw fault("page-damaged", "the newest record is no sound block", newest);
  const page = source.page(address.cookie);
  const built = mergedPage(page, newest, options.encoding);
  const facts: BlockFacts = {
    ...built,
    writeGen: readBlockHeaders(newest.data).header.writeGen,
    previousChecksum: previousOf(chain),
  };
  // Of a replacement the first original checksum is kept: the address still holds it.
  const { checksum: original } = addressCookie.parse(address.cookie);
  const transforms = { compressor: compressorOf(chain, options), encryptor: encryptorOf(chain, options) };
  const { data, flags } = sealBlock(built.image, facts, options.encoding, transforms, original);
  return { ...newest, ...linksOf(chain), isDelta: false, flags, data };
}

/** An image names the page's full image before it; of a replacement of one image that stays as it is. */
function linksOf(
  chain: readonly PageRecord[],
): Pick<PageRecord, "backlinkLsn" | "baseLsn" | "backlinkCheckpointId" | "baseCheckpointId"> {
  const [base] = chain as [PageRecord];
  const alone = chain.length === 1;
  const backlinkLsn = alone ? base.backlinkLsn : base.lsn;
  if (base.checkpointId === undefined) return { backlinkLsn, baseLsn: 0n };
  const backlinkCheckpointId = (alone ? base.backlinkCheckpointId : base.checkpointId) ?? 0n;
  return { backlinkLsn, baseLsn: 0n, backlinkCheckpointId, baseCheckpointId: 0n };
}

/** What the extended header keeps beside the original checksum: the checksum of the page's record before. */
function previousOf(chain: readonly PageRecord[]): number {
  const { block } = readBlockHeaders((chain.at(-1) as PageRecord).data);
  return "previousChecksum" in block ? block.previousChecksum : 0;
}

function mergedPage(page: TreePage, newest: PageRecord, encoding: ReplacementEncoding): BuiltPage {
  const { type, parts } = page;
  if (!isRowTree(type)) throw fault("page-type", `a page of type ${type} has no replacement`, newest);
  const rows = pageRows(parts);
  if (rows.length === 0) throw fault("page-type", "its deltas leave the page empty", newest);
  if (isInternal(type)) {
    const builder = new InternalBuilder(encoding);
    for (const child of childrenOf(rows, parts)) builder.add(child.key, child, NO_LIMIT);
    return builder.build();
  }
  const minPrefix = hasPrefixes(parts[0] as PagePart) ? MIN_PREFIX : 0;
  const builder = new LeafBuilder({ headers: encoding, minPrefix });
  for (const { key, data, window } of wholeRows(rows, newest)) builder.add(key, data, window, NO_LIMIT);
  return builder.build();
}

function* wholeRows(
  rows: readonly MergedRow[],
  newest: PageRecord,
): Generator<MergedRow & { readonly key: Uint8Array }> {
  for (const row of rows) {
    const { key, tag } = row;
    if (key === undefined || tag === cellTags.valueOverflow)
      throw fault("page-type", "it has keys or values on overflow pages", newest);
    yield { ...row, key };
  }
}

function hasPrefixes({ image, layout }: PagePart): boolean {
  const reader = readerOf(image, layout);
  for (let at = layout.payload; at < reader.end && reader.read(at); at = reader.next)
    if (reader.tag === keyShortPrefix || reader.tag === keyPrefix) return true;
  return false;
}

/** The compressor of the chain's blocks; undefined when all of them are plain. */
function compressorOf(
  chain: readonly PageRecord[],
  { compressor: name }: ReplacementOptions,
): Compressor | undefined {
  const compressed = chain.find(({ data }) => readBlockHeaders(data).compressed);
  if (compressed === undefined) return undefined;
  if (name !== "") return compressorByName(name);
  const { header } = readBlockHeaders(compressed.data);
  const [found] = detectCompressor(compressed.data.subarray(COMPRESS_SKIP), header.memSize - COMPRESS_SKIP);
  return found === undefined ? undefined : compressorByName(found);
}

function encryptorOf(chain: readonly PageRecord[], { encryptor }: ReplacementOptions): Encryptor | undefined {
  if (!chain.some(({ data }) => readBlockHeaders(data).encrypted)) return undefined;
  if (encryptor !== undefined) return encryptor;
  throw fault(
    "page-unreadable",
    "the page is encrypted and no encryptor was given",
    chain.at(-1) as PageRecord,
  );
}

const fault = (
  code: PageFault["code"],
  message: string,
  { tableId, pageId, lsn, place }: PageRecord,
): PageFault => new PageFault(code, message, { path: place.file, tableId, pageId, lsn });
