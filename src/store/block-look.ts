/** What bytes are, by their look: evidence for detection, no judgement on their soundness. */
import {
  BLOCK_HEADER,
  blockMagics,
  CLASSIC_BLOCK,
  classicBlockFlags,
  combinedHeaderSizes,
  DELTA_HEADER,
  PARTIAL_CHECKSUM_LENGTH,
} from "../../formats/block-header.js";
import { looksLikeCryptPage } from "../../formats/crypt-page.js";
import { MAX_PAGE_TYPE, PAGE_HEADER } from "../../formats/page-header.js";
import { crc32cWithZeroedField } from "../codec/index.js";

/** The block header where an image or delta of a page log has it; also that of a D0 delta. */
export function looksLikePageLogBlock(bytes: Uint8Array): boolean {
  const magic = bytes[PAGE_HEADER.size + BLOCK_HEADER.magic];
  const size = bytes[PAGE_HEADER.size + BLOCK_HEADER.combinedHeaderSize] ?? 0;
  const { base, delta } = blockMagics;
  if (
    (magic === base || magic === delta) &&
    size >= combinedHeaderSizes.base &&
    size <= combinedHeaderSizes.max
  )
    return true;
  return (
    bytes[DELTA_HEADER.size + BLOCK_HEADER.magic] === delta &&
    bytes[DELTA_HEADER.size + BLOCK_HEADER.combinedHeaderSize] === combinedHeaderSizes.oldDelta
  );
}

/** A block, a key provider's page, or the text of a turtle page: what the engine puts into a page log. */
export const looksLikeStoredPage = (bytes: Uint8Array): boolean =>
  looksLikePageLogBlock(bytes) || looksLikeCryptPage(bytes) || looksLikeText(bytes);

/** Nothing but printable ASCII, tabs and line ends. */
export const looksLikeText = (bytes: Uint8Array): boolean =>
  bytes.length > 0 &&
  bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d);

/** Bytes of the sound classic block at the start of `bytes`, 0 when there is none. */
export function soundClassicBlock(bytes: Uint8Array): number {
  if (bytes.length < PARTIAL_CHECKSUM_LENGTH) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const type = bytes[PAGE_HEADER.at.type] as number;
  const size = view.getUint32(CLASSIC_BLOCK.diskSize, true);
  if (type === 0 || type > MAX_PAGE_TYPE || size < PARTIAL_CHECKSUM_LENGTH || size > bytes.length) return 0;
  const whole = ((bytes[CLASSIC_BLOCK.flags] as number) & classicBlockFlags.dataChecksum) !== 0;
  const checksum = crc32cWithZeroedField(
    bytes,
    0,
    whole ? size : PARTIAL_CHECKSUM_LENGTH,
    CLASSIC_BLOCK.checksum,
  );
  return checksum === view.getUint32(CLASSIC_BLOCK.checksum, true) ? size : 0;
}
