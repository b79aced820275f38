import { viewOf } from "../copy.js";
import { badStream } from "../faults.js";
import { block, MARGIN, MAX_BLOCK, NAME } from "./bits.js";
import { decodeHuffman, type HuffmanTable, readHuffmanTable } from "./huffman.js";

/** The literals section of a compressed block: RFC 8878 §3.1.1.3.1. */

const decoded = new Uint8Array(MAX_BLOCK + MARGIN);
const blockView = viewOf(block);
const decodedView = viewOf(decoded);
const MIN_FOR_FOUR_STREAMS = 6;

export interface Literals {
  bytes: Uint8Array;
  view: DataView;
  from: number;
  end: number;
  /** Where the sequences section starts in the block. */
  next: number;
}

interface LiteralsHeader {
  kind: number;
  /** How many literals there are. */
  length: number;
  /** Bytes of tree and streams together. */
  packed: number;
  streams: number;
  next: number;
}

/** Reads the literals of the block in `block[start, end)`; they stay valid until the next block. */
export function readLiterals(tree: HuffmanTable, start: number, end: number): Literals {
  const header = readHeader(start, end);
  const { kind, length, next } = header;
  if (length > MAX_BLOCK) throw badStream(NAME, "more literals than a block can hold", 0);
  if (kind === 0) {
    if (length > end - next) throw badStream(NAME, "literals are cut off", 0);
    return { bytes: block, view: blockView, from: next, end: next + length, next: next + length };
  }
  if (kind === 1) {
    if (next >= end) throw badStream(NAME, "literals are cut off", 0);
    decoded.fill(block[next]!, 0, length);
    return { bytes: decoded, view: decodedView, from: 0, end: length, next: next + 1 };
  }
  decodePacked(tree, header, end);
  return { bytes: decoded, view: decodedView, from: 0, end: length, next: next + header.packed };
}

function readHeader(start: number, end: number): LiteralsHeader {
  if (start >= end) throw badStream(NAME, "a block has no literals section", 0);
  const head = block[start]!;
  const kind = head & 3;
  const format = (head >> 2) & 3;
  const size = kind < 2 ? [1, 2, 1, 3][format]! : [3, 3, 4, 5][format]!;
  if (size > end - start) throw badStream(NAME, "the literals header is cut off", 0);
  let low = 0;
  for (let i = 0; i < size && i < 4; i++) low += block[start + i]! * 2 ** (8 * i);
  if (kind < 2) {
    const length = Math.floor(low / (size === 1 ? 8 : 16));
    return { kind, length, packed: 0, streams: 1, next: start + size };
  }
  const bits = [10, 10, 14, 18][format]!;
  const all = Math.floor(low / 16) + (size === 5 ? block[start + 4]! * 2 ** 28 : 0);
  const length = all % 2 ** bits;
  const packed = Math.floor(all / 2 ** bits) % 2 ** bits;
  return { kind, length, packed, streams: format === 0 ? 1 : 4, next: start + size };
}

function decodePacked(tree: HuffmanTable, header: LiteralsHeader, end: number): void {
  const stop = header.next + header.packed;
  if (stop > end) throw badStream(NAME, "literals are cut off", 0);
  let at = header.next;
  if (header.kind === 2) at = readHuffmanTable(tree, at, stop);
  else if (tree.bits === 0) throw badStream(NAME, "repeats a tree before the first", 0);
  if (header.streams === 1) {
    decodeHuffman(tree, at, stop, decoded, 0, header.length);
    return;
  }
  if (header.length < MIN_FOR_FOUR_STREAMS) throw badStream(NAME, "too few literals for four streams", 0);
  decodeFour(tree, at, stop, header.length);
}

/** Four streams of equal output, the last one shorter; three u16 tell where the next begins. */
function decodeFour(tree: HuffmanTable, start: number, end: number, length: number): void {
  if (end - start < 6) throw badStream(NAME, "the stream sizes are cut off", 0);
  const quarter = (length + 3) >> 2;
  let at = start + 6;
  for (let i = 0; i < 4; i++) {
    const size = i < 3 ? block[start + 2 * i]! | (block[start + 2 * i + 1]! << 8) : end - at;
    if (size > end - at) throw badStream(NAME, "a literals stream is cut off", 0);
    const from = i * quarter;
    const to = i < 3 ? from + quarter : length;
    if (from > to || to > length) throw badStream(NAME, "too few literals for four streams", 0);
    decodeHuffman(tree, at, at + size, decoded, from, to);
    at += size;
  }
}
