/** The headers of a block whatever its generation, told apart by the checksum (formats: page and block headers). */
import {
  BLOCK_HEADER,
  type BlockHeaderValue,
  blockHeader,
  blockMagics,
  CLASSIC_BLOCK,
  type ClassicBlockHeaderValue,
  classicBlockHeader,
  combinedHeaderSizes,
  DATA_CHECKSUM,
  DELTA_HEADER,
  type DeltaHeaderValue,
  deltaHeader,
  likelyBlockHeader,
  OLD_BLOCK_HEADER,
  PARTIAL_CHECKSUM_LENGTH,
  replacementOf,
} from "../../formats/block-header.js";
import { PAGE_HEADER, type PageHeaderValue, pageFlags, pageHeader } from "../../formats/page-header.js";
import { crc32cWithZeroedField } from "../codec/crc32c.js";
import type { Format, ReadOptions } from "../codec/format.js";
import { type Issue, joinPath } from "../codec/issue.js";

export type BlockGeneration = "classic" | BlockHeaderValue["generation"];

/** The checksum of a block, and what it was computed over. */
export interface BlockChecksum {
  readonly stored: number;
  readonly computed: number;
  readonly valid: boolean;
  /** Bytes from the start of the block; the field itself counts as zero. */
  readonly covered: number;
}

export interface BlockHeaders {
  readonly generation: BlockGeneration;
  readonly delta: boolean;
  /** The page header, or the delta header of an old delta. */
  readonly header: PageHeaderValue | DeltaHeaderValue;
  readonly block: ClassicBlockHeaderValue | BlockHeaderValue;
  /** Where the payload begins: combined header size. */
  readonly payload: number;
  readonly compressed: boolean;
  readonly encrypted: boolean;
  readonly checksum: BlockChecksum;
  readonly replacement: boolean;
  /** What the parent's cookie holds for a replacement; 0 otherwise. */
  readonly originalChecksum: number;
  /** What is wrong with the headers; paths begin with `header` or `block`. */
  readonly issues: readonly Issue[];
}

interface Candidate {
  readonly generation: BlockGeneration;
  /** Where the block header begins. */
  readonly at: number;
}

/** What the block may be, the likeliest first. */
function candidates(block: Uint8Array): Candidate[] {
  const classic: Candidate = { generation: "classic", at: PAGE_HEADER.size };
  const found: Candidate[] = [];
  const oldMagic = block[DELTA_HEADER.size + BLOCK_HEADER.magic];
  const oldSize = block[DELTA_HEADER.size + BLOCK_HEADER.combinedHeaderSize];
  if (oldMagic === blockMagics.delta && oldSize === combinedHeaderSizes.oldDelta)
    found.push({ generation: "D0", at: DELTA_HEADER.size });
  const magic = block[PAGE_HEADER.size + BLOCK_HEADER.magic];
  if (magic === blockMagics.base || magic === blockMagics.delta) {
    const likely = likelyBlockHeader(block, PAGE_HEADER.size);
    for (const generation of new Set([likely, "D1", "D0"] as const))
      found.push({ generation, at: PAGE_HEADER.size });
  }
  return [...found, classic];
}

const NO_CHECKSUM: BlockChecksum = { stored: 0, computed: 0, valid: false, covered: 0 };

/** The checksum of the block if its headers are as the candidate says. */
function checksumOf(block: Uint8Array, { generation, at }: Candidate): BlockChecksum {
  const classic = generation === "classic";
  const field = classic ? CLASSIC_BLOCK.checksum : at + BLOCK_HEADER.checksum;
  const flagsAt = generation === "D0" ? OLD_BLOCK_HEADER.flags : BLOCK_HEADER.flags;
  const flags = block[classic ? CLASSIC_BLOCK.flags : at + flagsAt];
  if (flags === undefined) return NO_CHECKSUM;
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  const length = classic
    ? Math.min(block.length, view.getUint32(CLASSIC_BLOCK.diskSize, true))
    : block.length;
  const covered = (flags & DATA_CHECKSUM) !== 0 ? length : Math.min(length, PARTIAL_CHECKSUM_LENGTH);
  const stored = view.getUint32(field, true);
  const computed = crc32cWithZeroedField(block, 0, covered, field);
  return { stored, computed, valid: stored === computed, covered };
}

function chosen(block: Uint8Array, generation: BlockGeneration | undefined): [Candidate, BlockChecksum] {
  const all = candidates(block).filter(
    (candidate) => generation === undefined || candidate.generation === generation,
  );
  if (all.length === 0) all.push({ generation: generation ?? "classic", at: PAGE_HEADER.size });
  let likeliest: [Candidate, BlockChecksum] | undefined;
  for (const candidate of all) {
    const checked: [Candidate, BlockChecksum] = [candidate, checksumOf(block, candidate)];
    if (checked[1].valid) return checked;
    likeliest ??= checked;
  }
  return likeliest as [Candidate, BlockChecksum];
}

/**
 * The headers of a block. Among the generations it may be of, the checksum decides; when it fits none, the look of
 * the headers. Damaged headers are returned with their issues.
 * @throws FormatError `truncated` when the block ends in its headers.
 */
export function readBlockHeaders(
  block: Uint8Array,
  options: { readonly generation?: BlockGeneration; readonly base?: number } = {},
): BlockHeaders {
  const { base = 0 } = options;
  const [candidate, checksum] = chosen(block, options.generation);
  const { generation, at } = candidate;
  const oldDelta = at === DELTA_HEADER.size;
  const issues: Issue[] = [];
  const read = <T>(format: Format<T>, name: string, start: number, more: ReadOptions = {}): T => {
    const reading = format.read(block.subarray(Math.min(start, block.length)), {
      base: base + start,
      partial: true,
      ...more,
    });
    for (const issue of reading.issues) issues.push({ ...issue, path: joinPath(name, issue.path) });
    if (!reading.ok) throw reading.error.within(name);
    return reading.value;
  };
  const header = oldDelta ? read(deltaHeader, "header", 0) : read(pageHeader, "header", 0);
  if (generation === "classic") {
    const value = read(classicBlockHeader, "block", at);
    if (block.length < value.diskSize) issues.push(missingBytes(value.diskSize, block.length, base));
    return {
      ...facts(header),
      generation,
      delta: false,
      header,
      block: value,
      payload: CLASSIC_BLOCK.payload,
      checksum,
      ...NO_REPLACEMENT,
      issues,
    };
  }
  const value = read(blockHeader, "block", at, { generation, params: { blockLength: block.length } });
  return {
    ...facts(header),
    generation,
    delta: value.magic === blockMagics.delta,
    header,
    block: value,
    payload: value.combinedHeaderSize,
    checksum,
    ...replacementOf(value),
    issues,
  };
}

const missingBytes = (expected: number, actual: number, base: number): Issue => ({
  code: "truncated",
  severity: "error",
  path: "block.diskSize",
  offset: base + CLASSIC_BLOCK.diskSize,
  message: `${expected - actual} bytes of the block are missing`,
  expected,
  actual,
});

const NO_REPLACEMENT = { replacement: false, originalChecksum: 0 };

const facts = ({ flags }: { readonly flags: number }): { compressed: boolean; encrypted: boolean } => ({
  compressed: (flags & pageFlags.compressed) !== 0,
  encrypted: (flags & pageFlags.encrypted) !== 0,
});
