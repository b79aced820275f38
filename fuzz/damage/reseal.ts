/**
 * Sealing across pages: a changed block gets a checksum that fits, and so does whatever names it, up to the root of
 * everything. Parents are found by the checksum they hold, whatever the form of their address.
 */
import {
  BLOCK_HEADER,
  CLASSIC_BLOCK,
  combinedHeaderSizes,
  DELTA_HEADER,
} from "../../formats/block-header.js";
import { PAGE_HEADER } from "../../formats/page-header.js";
import { bytesToHex, crc32c, encodeText, FormatError } from "../../src/codec/index.js";
import { writePackedUnsigned } from "../../src/codec/packed.js";
import { type BlockHeaders, readBlockHeaders } from "../../src/page/block-headers.js";

/** Something with a checksum that others name: a block, or text whose checksum is kept elsewhere. */
export interface SealedPart {
  /** Those of the sound store until they are exchanged for a changed copy. */
  bytes: Uint8Array;
  readonly kind: "block" | "text";
}

/** Makes the checksum of a block fit its bytes; the old and the new one, or undefined for what is no block. */
export function resealBlock(block: Uint8Array): { before: number; after: number } | undefined {
  const headers = headersOf(block);
  if (headers === undefined) return undefined;
  const { stored, computed } = headers.checksum;
  const at = checksumAt(headers);
  if (at + 4 > block.length) return undefined;
  new DataView(block.buffer, block.byteOffset).setUint32(at, computed, true);
  return { before: stored, after: computed };
}

function checksumAt({ generation, payload, delta }: BlockHeaders): number {
  if (generation === "classic") return CLASSIC_BLOCK.checksum;
  const isOld = generation === "D0" && delta && payload === combinedHeaderSizes.oldDelta;
  return (isOld ? DELTA_HEADER.size : PAGE_HEADER.size) + BLOCK_HEADER.checksum;
}

function headersOf(block: Uint8Array): BlockHeaders | undefined {
  try {
    return readBlockHeaders(block);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** The checksum others hold of a part. */
export function checksumOf({ bytes, kind }: SealedPart): number | undefined {
  return kind === "text" ? crc32c(bytes) : headersOf(bytes)?.checksum.stored;
}

/**
 * `part` has bytes of its own, which were changed; `before` is the checksum it had. Seals it, and what names it up to
 * `levels` above. A level of 0 seals the part alone.
 */
export function sealUpwards(
  parts: readonly SealedPart[],
  part: SealedPart,
  before: number,
  levels: number,
): void {
  const after = part.kind === "text" ? crc32c(part.bytes) : resealBlock(part.bytes)?.after;
  if (after === undefined || after === before || levels === 0) return;
  const changes = formsOf(before, after);
  for (const parent of parts) {
    if (parent === part || !holds(parent, changes)) continue;
    const own = checksumOf(parent);
    exchange(parent, changes);
    if (own !== undefined) sealUpwards(parts, parent, own, levels - 1);
  }
}

interface Form {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly text: boolean;
}

/** How addresses, headers and texts write a checksum. */
function formsOf(before: number, after: number): Form[] {
  const forms: Form[] = [];
  const add = (write: (value: number) => Uint8Array, text = false): void =>
    void forms.push({ from: write(before), to: write(after), text });
  add(packed);
  add((value) => encodeText(bytesToHex(packed(value))));
  add(littleEndian);
  add((value) => encodeText(`=${value}`), true);
  add((value) => encodeText(`=${value.toString(16)}`), true);
  add((value) => encodeText(`=0x${value.toString(16)}`), true);
  return forms;
}

function packed(value: number): Uint8Array {
  const out: number[] = [];
  writePackedUnsigned(out, BigInt(value));
  return Uint8Array.from(out);
}

function littleEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

const applies = ({ from, to, text }: Form, { kind }: SealedPart): boolean =>
  text ? kind === "text" : from.length === to.length;

const holds = (part: SealedPart, forms: readonly Form[]): boolean =>
  forms.some((form) => applies(form, part) && indexOf(part.bytes, form.from, 0) >= 0);

/** Inside blocks nothing may change its length. */
function exchange(part: SealedPart, forms: readonly Form[]): void {
  for (const form of forms) {
    const { from, to } = form;
    if (!applies(form, part)) continue;
    part.bytes = part.bytes.slice();
    for (let at = indexOf(part.bytes, from, 0); at >= 0; at = indexOf(part.bytes, from, at + to.length)) {
      if (from.length === to.length) part.bytes.set(to, at);
      else part.bytes = spliced(part.bytes, at, from.length, to);
    }
  }
}

const indexOf = (bytes: Uint8Array, what: Uint8Array, from: number): number =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(what, from);

function spliced(bytes: Uint8Array, at: number, length: number, by: Uint8Array): Uint8Array {
  const whole = new Uint8Array(bytes.length - length + by.length);
  whole.set(bytes.subarray(0, at));
  whole.set(by, at);
  whole.set(bytes.subarray(at + length), at + by.length);
  return whole;
}
