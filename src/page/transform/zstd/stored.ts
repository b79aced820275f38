import { MAX_BLOCK } from "./bits.js";

const BLOCK_HEADER = 3;

/** A valid frame of raw blocks: what the built-in code can write. Only libzstd makes it smaller. */
export function encodeZstdStored(plain: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(plain.length / MAX_BLOCK));
  const header = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0); // one segment, u32 content size
  new DataView(header.buffer).setUint32(5, plain.length, true);
  const out = new Uint8Array(header.length + blocks * BLOCK_HEADER + plain.length);
  out.set(header);
  let op = header.length;
  for (let i = 0; i < blocks; i++) {
    const part = plain.subarray(i * MAX_BLOCK, (i + 1) * MAX_BLOCK);
    const word = (part.length << 3) | (i === blocks - 1 ? 1 : 0);
    out.set([word & 255, (word >> 8) & 255, word >> 16], op);
    out.set(part, op + BLOCK_HEADER);
    op += BLOCK_HEADER + part.length;
  }
  return out;
}
