import { viewOf } from "../copy.js";
import { badStream, checkRatio, withBase, wrongLength } from "../faults.js";
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

/** A run block: 128 KiB from four bytes. */
const MAX_RATIO = MAX_BLOCK / 4;
const BLOCK_HEADER = 3;
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

/** Refuses a frame that itself promises another length, before anybody allocates for it. */
export function checkZstdLength(stream: Uint8Array, expectedLength: number): void {
  checkRatio(NAME, stream.length, expectedLength, MAX_RATIO);
  const header = readFrameHeader(stream, 0);
  if (typeof header === "number" || header.contentSize === undefined) return;
  if (header.contentSize > expectedLength) throw wrongLength(NAME, expectedLength, header.contentSize);
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
  const blockMax = Math.min(header.windowSize, MAX_BLOCK);
  tree.bits = 0;
  resetSequenceState(sequences);
  let { next: pos } = header;
  let at = origin;
  for (let last = false; !last; ) {
    if (stream.length - pos < BLOCK_HEADER) throw badStream(NAME, "a block header is cut off", pos);
    const head = stream[pos]! | (stream[pos + 1]! << 8) | (stream[pos + 2]! << 16);
    last = (head & 1) === 1;
    const kind = (head >> 1) & 3;
    const size = head >> 3;
    const body = pos + BLOCK_HEADER;
    const stored = kind === 1 ? 1 : size;
    if (kind === 3) throw badStream(NAME, "reserved block type", pos);
    if (size > blockMax) throw badStream(NAME, "a block is larger than allowed", pos);
    if (stored > stream.length - body) throw badStream(NAME, "a block is cut off", pos);
    if (kind !== 2 && size > out.length - at) throw badStream(NAME, "more output than announced", pos);
    if (kind === 0) out.set(stream.subarray(body, body + size), at);
    if (kind === 1) out.fill(stream[body]!, at, at + size);
    if (kind !== 2) at += size;
    else {
      const limit = Math.min(out.length, at + blockMax);
      at = withBase(pos, () => decodeBlock(stream, body, body + size, out, view, origin, at, limit));
    }
    pos = body + stored;
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
