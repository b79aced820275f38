import { viewOf } from "../copy.js";
import { badStream, withBase, wrongLength } from "../faults.js";
import { loadBlock, MARGIN, MAX_BLOCK, NAME } from "./bits.js";
import { frameChecksum } from "./checksum.js";
import { type FrameHeader, readFrameHeader } from "./frame.js";
import { newHuffmanTable } from "./huffman.js";
import { readLiterals } from "./literals.js";
import {
  newSequenceState,
  readSequenceCount,
  readSequenceTables,
  resetSequenceState,
  runSequences,
} from "./sequences.js";

/** A decoder for Zstandard (RFC 8878) that is bounded in time and memory whatever the bytes are. */

const BLOCK_HEADER = 3;
/** Block types; 0 is bytes as they are. */
const RUN = 1;
const COMPRESSED = 2;
const CHECKSUM_SIZE = 4;

const tree = newHuffmanTable();
const sequences = newSequenceState();

/** Inflates `stream`, one or more frames, to exactly `expectedLength` bytes behind `headroom` zero bytes. */
export function decodeZstd(stream: Uint8Array, expectedLength: number, headroom: number): Uint8Array {
  checkZstdLength(stream, expectedLength);
  const out = new Uint8Array(headroom + expectedLength);
  const view = viewOf(out);
  let at = headroom;
  for (let pos = 0; pos < stream.length; ) {
    const header = readFrameHeader(stream, pos);
    if (typeof header === "number") pos = header;
    else ({ pos, at } = decodeFrame(stream, header, out, view, at));
  }
  if (at !== out.length) throw wrongLength(NAME, expectedLength, at - headroom);
  return out;
}

/**
 * Refuses, before anybody allocates for it, a length that the frame denies or that its blocks can never add up to. The
 * engine writes one frame a block.
 */
export function checkZstdLength(stream: Uint8Array, expectedLength: number): void {
  const header = readFrameHeader(stream, 0);
  if (typeof header === "number") throw badStream(NAME, "a skippable frame in front", 0);
  if (header.contentSize !== undefined && header.contentSize !== expectedLength) {
    throw wrongLength(NAME, expectedLength, header.contentSize);
  }
  const most = mostOutput(stream, header);
  if (most < expectedLength) throw wrongLength(NAME, expectedLength, `at most ${most}`);
}

/** What the blocks of a frame inflate to at most, from their headers alone. */
function mostOutput(stream: Uint8Array, header: FrameHeader): number {
  let most = 0;
  for (let pos = header.next, last = false; !last; ) {
    const block = readBlockHeader(stream, pos, header);
    most += block.kind === COMPRESSED ? block.max : block.size;
    ({ last, next: pos } = block);
  }
  return most;
}

interface BlockHeader {
  last: boolean;
  kind: number;
  size: number;
  /** What a block of this frame inflates to at most. */
  max: number;
  /** Where the block's bytes start, and where the next block does. */
  body: number;
  next: number;
}

function readBlockHeader(stream: Uint8Array, pos: number, { windowSize }: FrameHeader): BlockHeader {
  if (stream.length - pos < BLOCK_HEADER) throw badStream(NAME, "a block header is cut off", pos);
  const head = stream[pos]! | (stream[pos + 1]! << 8) | (stream[pos + 2]! << 16);
  const kind = (head >> 1) & 3;
  const size = head >> 3;
  const max = Math.min(windowSize, MAX_BLOCK);
  const body = pos + BLOCK_HEADER;
  const next = body + (kind === RUN ? 1 : size);
  if (kind > COMPRESSED) throw badStream(NAME, "reserved block type", pos);
  if (size > max) throw badStream(NAME, "a block is larger than allowed", pos);
  if (next > stream.length) throw badStream(NAME, "a block is cut off", pos);
  return { last: (head & 1) === 1, kind, size, max, body, next };
}

interface Place {
  /** In the stream. */
  pos: number;
  /** In the output. */
  at: number;
}

function decodeFrame(
  stream: Uint8Array,
  header: FrameHeader,
  out: Uint8Array,
  view: DataView,
  origin: number,
): Place {
  tree.bits = 0;
  resetSequenceState(sequences);
  let { next: pos } = header;
  let at = origin;
  for (let last = false; !last; ) {
    const block = readBlockHeader(stream, pos, header);
    const { kind, size, body, next } = block;
    if (kind === COMPRESSED) {
      const limit = Math.min(out.length, at + block.max);
      at = withBase(pos, () => decodeBlock(stream, body, next, out, view, origin, at, limit));
    } else {
      if (size > out.length - at) throw badStream(NAME, "more output than announced", pos);
      if (kind === RUN) out.fill(stream[body]!, at, at + size);
      else out.set(stream.subarray(body, next), at);
      at += size;
    }
    ({ last } = block);
    pos = next;
  }
  if (header.contentSize !== undefined && at - origin !== header.contentSize) {
    throw badStream(NAME, "the frame inflates to another length than it says", pos);
  }
  if (!header.hasChecksum) return { pos, at };
  return { pos: checkFrameChecksum(stream, pos, frameChecksum(out, origin, at)), at };
}

function decodeBlock(
  stream: Uint8Array,
  start: number,
  stop: number,
  out: Uint8Array,
  view: DataView,
  origin: number,
  at: number,
  limit: number,
): number {
  const end = loadBlock(stream, start, stop);
  const literals = readLiterals(tree, MARGIN, end);
  const { count, next } = readSequenceCount(literals.next, end);
  if (count > 0) {
    const bits = readSequenceTables(sequences, next, end);
    return runSequences(sequences, count, bits, end, { out, view, origin, at, limit, literals });
  }
  if (next !== end) throw badStream(NAME, "bytes behind a block without sequences", 0);
  const length = literals.end - literals.from;
  if (length > limit - at) throw badStream(NAME, "more output than announced", 0);
  out.set(literals.bytes.subarray(literals.from, literals.end), at);
  return at + length;
}

function checkFrameChecksum(stream: Uint8Array, pos: number, actual: number): number {
  if (stream.length - pos < CHECKSUM_SIZE) throw badStream(NAME, "the checksum is cut off", pos);
  if (viewOf(stream).getUint32(pos, true) !== actual) throw badStream(NAME, "checksum mismatch", pos);
  return pos + CHECKSUM_SIZE;
}
