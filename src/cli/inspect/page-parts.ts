/** A block as parts: as it is stored, and its plain image when that is compressed or encrypted. */
import { type AddressCookie, addressCookie } from "../../../formats/address-cookie.js";
import { page } from "../../../formats/page.js";
import { COMPRESS_SKIP } from "../../../formats/transforms.js";
import type { Span } from "../../codec/annotate.js";
import { FormatError } from "../../codec/error.js";
import type { ReadOptions } from "../../codec/format.js";
import { hasErrors } from "../../codec/issue.js";
import {
  type AnnotatedPage,
  annotatePage,
  type BlockGeneration,
  type BlockHeaders,
  type DecodePageOptions,
  decodePage,
  pageToJson,
  readBlockHeaders,
} from "../../page/index.js";
import {
  decryptBlock,
  detectCompressor,
  detectRotnKeyIds,
  type Encryptor,
  encryptedPart,
  looksLikeRotn,
  rotnEncryptor,
} from "../../page/transform/index.js";
import type { InspectedPart } from "../../report/inspection.js";
import { type AnyFormat, checkGeneration } from "../convert.js";
import { openExtents } from "./extents.js";

export interface PageRequest {
  readonly read: ReadOptions;
  readonly compressor: string | undefined;
  readonly rotnKeyId: number | undefined;
}

/** The stored block; behind it, where the block is transformed and can be opened, the plain image. */
export function pageParts(bytes: Uint8Array, base: number, request: PageRequest): InspectedPart[] {
  const { generation: forced } = request.read;
  if (forced !== undefined && !isCookie(forced)) checkGeneration(page as AnyFormat, forced);
  const transform = transformOf(bytes, request);
  const annotated = annotatePage(bytes, { ...decodeOptions(request, base), ...transform.options });
  const { generation, block, image, page: decoded } = annotated;
  openExtents(block);
  if (image !== undefined) openExtents(image);
  noteLost(annotated, transform.problem);
  const value = decoded.headers === undefined ? {} : { value: pageToJson(decoded) };
  const stored = { title: "Stored block", format: page.name, generation, ...block, ...value };
  return image === undefined ? [stored] : [stored, imagePart(annotated, transform.by)];
}

function decodeOptions({ read }: PageRequest, base = 0): DecodePageOptions {
  const { bitsPerRecord, anyKeyOrder } = read.params ?? {};
  return {
    base,
    ...(read.generation !== undefined &&
      (isCookie(read.generation)
        ? { cookieGeneration: read.generation }
        : { generation: blockGeneration(read.generation) })),
    ...(bitsPerRecord !== undefined && { bitsPerRecord }),
    ...(anyKeyOrder !== undefined && { anyKeyOrder: anyKeyOrder !== 0 }),
  };
}

/** Whether a forced generation is that of the addresses on the page, not of its headers. */
const isCookie = (name: string): name is AddressCookie["generation"] =>
  addressCookie.generations.includes(name);

/** The generation of the headers; the `page` format names forms of deltas behind it. */
const blockGeneration = (name: string): BlockGeneration =>
  name.replace(/-(delta|P0)$/, "") as BlockGeneration;

/** What is behind the headers of the image: the headers are those of the stored block. */
function imagePart({ generation, image, page: { headers } }: AnnotatedPage, by: string): InspectedPart {
  const { bytes, span } = image as NonNullable<typeof image>;
  const payload = headers?.payload ?? 0;
  const children = span.children.filter(({ start }) => start >= payload);
  const content: Span = { ...span, name: "image", start: payload, children };
  return {
    title: `Plain image (${by})`,
    format: page.name,
    generation,
    bytes: bytes.subarray(payload),
    base: payload,
    span: content,
  };
}

/** Says on the stored bytes why there is no image of them. */
function noteLost(
  { page: { transformed, image, issues }, block }: AnnotatedPage,
  problem: string | undefined,
): void {
  if (!transformed || image !== undefined) return;
  const place = block.span.children.find(({ name }) => name === "stored") ?? block.span;
  const cause = issues.filter(({ path }) => path === "" || path === "memSize");
  place.issues.push(...cause.map((issue) => ({ ...issue, message: problem ?? issue.message })));
}

interface Transform {
  readonly options: DecodePageOptions;
  /** Who undid it: `snappy, rotn key id 13`. */
  readonly by: string;
  readonly problem?: string;
}

/** Compressor and encryptor of a block: as asked for, else by what fits. */
function transformOf(block: Uint8Array, request: PageRequest): Transform {
  const headers = headersOf(block, request);
  if (headers === undefined || !(headers.compressed || headers.encrypted)) return { options: {}, by: "" };
  if (!headers.encrypted) return compressorOf(block, headers, request);
  const [keyId, ...others] =
    request.rotnKeyId === undefined ? fittingKeyIds(block, headers, request) : [request.rotnKeyId];
  if (keyId === undefined)
    return { options: {}, by: "", problem: "encrypted, and no key id of rotn makes sense of it" };
  const encryptor = rotnEncryptor(keyId);
  const inner = headers.compressed ? innerCompressor(block, headers, encryptor, request) : undefined;
  const also = others.length === 0 ? "" : `; ${others.join(", ")} fit as well, --rotn-keyid chooses`;
  const by = [inner?.by ?? "", `rotn key id ${keyId}${also}`].filter((name) => name !== "").join(", ");
  return { options: { ...inner?.options, encryptor }, by };
}

/** The compressor of a block that is encrypted, too; what cannot be decrypted has none. */
function innerCompressor(
  block: Uint8Array,
  headers: BlockHeaders,
  encryptor: Encryptor,
  request: PageRequest,
): Transform | undefined {
  try {
    return compressorOf(decryptBlock(block, headers.payload, { encryptor }), headers, request);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function headersOf(block: Uint8Array, request: PageRequest): BlockHeaders | undefined {
  try {
    return readBlockHeaders(block, decodeOptions(request));
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function compressorOf(
  block: Uint8Array,
  { header: { memSize } }: BlockHeaders,
  { compressor }: PageRequest,
): Transform {
  const name = compressor ?? detectCompressor(block.subarray(COMPRESS_SKIP), memSize - COMPRESS_SKIP)[0];
  return name === undefined ? { options: {}, by: "" } : { options: { compressor: name }, by: name };
}

/** The key ids of rotn under which the page is sound; several where it has few letters. */
function fittingKeyIds(block: Uint8Array, headers: BlockHeaders, request: PageRequest): number[] {
  try {
    if (!looksLikeRotn(encryptedPart(block, headers.payload))) return [];
    const compressor = request.compressor === undefined ? {} : { compressor: request.compressor };
    const soundWith = (keyId: number): boolean => {
      const options = { ...decodeOptions(request), ...compressor, encryptor: rotnEncryptor(keyId) };
      return !hasErrors(decodePage(block, options).issues.filter(({ code }) => code !== "checksum"));
    };
    return detectRotnKeyIds(block, headers.payload, () => true).filter(soundWith);
  } catch (error) {
    if (error instanceof FormatError) return [];
    throw error;
  }
}

/** As `fittingKeyIds`; undefined for a block that is not encrypted. */
export function rotnKeyIdsOf(block: Uint8Array, request: PageRequest): number[] | undefined {
  const headers = headersOf(block, request);
  return headers?.encrypted === true ? fittingKeyIds(block, headers, request) : undefined;
}
