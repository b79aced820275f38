import { badStream } from "../faults.js";
import { NAME } from "./bits.js";

/** Frame headers: RFC 8878 §3.1.1.1 and §3.1.2. */

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50; // the low four bits are free
const SKIPPABLE_HEADER = 8;
const MAX_WINDOW_LOG = 31;

export interface FrameHeader {
  /** Inflated size, where the frame tells. In bytes. */
  contentSize: number | undefined;
  /** In bytes; bounds a block's size. */
  windowSize: number;
  hasChecksum: boolean;
  /** Where the first block starts. */
  next: number;
}

/** The header at `start`, or where the next frame starts if this one is to be skipped. */
export function readFrameHeader(stream: Uint8Array, start: number): FrameHeader | number {
  if (stream.length - start < 5) throw badStream(NAME, "a frame header is cut off", start);
  const magic = unsigned(stream, start, 4);
  if (magic - (magic % 16) === SKIPPABLE_MAGIC) return skipFrame(stream, start);
  if (magic !== MAGIC) throw badStream(NAME, "no frame here", start);
  const flags = stream[start + 4]!;
  const single = (flags & 0x20) !== 0;
  const dictionarySize = [0, 1, 2, 4][flags & 3]!;
  const contentField = [single ? 1 : 0, 2, 4, 8][flags >> 6]!;
  const size = 5 + (single ? 0 : 1) + dictionarySize + contentField;
  if (size > stream.length - start) throw badStream(NAME, "a frame header is cut off", start);
  if ((flags & 0x08) !== 0) throw badStream(NAME, "a reserved frame flag is set", start + 4);
  const dictionaryAt = start + 5 + (single ? 0 : 1);
  if (unsigned(stream, dictionaryAt, dictionarySize) !== 0) {
    throw badStream(NAME, "the frame needs a dictionary", dictionaryAt);
  }
  let contentSize: number | undefined;
  if (contentField > 0) contentSize = unsigned(stream, start + size - contentField, contentField);
  if (contentField === 2) contentSize! += 256;
  const windowSize = single ? contentSize! : window(stream[start + 5]!, start + 5);
  return { contentSize, windowSize, hasChecksum: (flags & 0x04) !== 0, next: start + size };
}

function skipFrame(stream: Uint8Array, start: number): number {
  if (stream.length - start < SKIPPABLE_HEADER) throw badStream(NAME, "a frame header is cut off", start);
  const next = start + SKIPPABLE_HEADER + unsigned(stream, start + 4, 4);
  if (next > stream.length) throw badStream(NAME, "a skippable frame is cut off", start);
  return next;
}

function window(descriptor: number, at: number): number {
  const log = 10 + (descriptor >> 3);
  if (log > MAX_WINDOW_LOG) throw badStream(NAME, "the window is too large", at);
  return 2 ** log + 2 ** (log - 3) * (descriptor & 7);
}

function unsigned(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}
