/** A block as parts: as it is stored, and its plain image when that is compressed or encrypted. */
import {
  BLOCK_HEADER,
  blockFlags,
  CLASSIC_BLOCK,
  DELTA_HEADER,
  OLD_BLOCK_HEADER,
} from "../../../formats/block-header.js";
import { type Page, type PageGeneration, page } from "../../../formats/page.js";
import { PAGE_HEADER, pageFlags, TRANSFORMED_PAGE } from "../../../formats/page-header.js";
import { COMPRESS_SKIP } from "../../../formats/transforms.js";
import type { Span } from "../../codec/annotate.js";
import { FormatError } from "../../codec/error.js";
import type { ReadOptions } from "../../codec/format.js";
import { type Issue, issueOf } from "../../codec/issue.js";
import {
  type BlockShape,
  decryptBlock,
  detectCompressor,
  detectRotnKeyIds,
  type Encryptor,
  inflateImage,
  rotnEncryptor,
} from "../../page/transform/index.js";
import type { InspectedPart } from "../../report/inspection.js";
import { openNested } from "./nested.js";

export interface PageRequest {
  readonly read: ReadOptions;
  readonly compressor: string | undefined;
  readonly rotnKeyId: number | undefined;
}

/** The stored block; behind it, where the block is transformed and can be opened, the plain image. */
export function pageParts(bytes: Uint8Array, base: number, request: PageRequest): InspectedPart[] {
  const options = { ...request.read, base };
  const reading = page.read(bytes, options);
  const { generation = "classic" } = reading;
  const span = page.annotate(bytes, { ...options, generation });
  openNested(span, bytes, base, generation === "classic");
  const stored: InspectedPart = {
    title: "Stored block",
    format: page.name,
    generation,
    bytes,
    base,
    span,
    ...(reading.ok && { value: page.toJson(reading.value) }),
  };
  if (!reading.ok || (reading.value.header.flags & TRANSFORMED_PAGE) === 0) return [stored];
  try {
    return [stored, imagePart(bytes, reading.value, request)];
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const offset = error.offset === undefined ? {} : { offset: base + error.offset };
    (span.children.find(({ name }) => name === "stored") ?? span).issues.push({
      ...issueOf(error),
      ...offset,
    });
    return [stored];
  }
}

function imagePart(block: Uint8Array, value: Page, request: PageRequest): InspectedPart {
  const { generation } = value;
  const shape = shapeOf(value);
  const opened = shape.encrypted ? decrypted(block, shape, generation, request) : { plain: block, by: "" };
  const inflated = inflate(opened.plain, { ...shape, encrypted: false }, request.compressor);
  const image = withoutTransforms(inflated.image, generation);
  const params = request.read.params ?? {};
  const { span, payload, plain } = contentOf(image, generation, params);
  const by = [inflated.by, opened.by].filter((name) => name !== "").join(", ");
  return {
    title: `Plain image (${by})`,
    format: page.name,
    generation,
    bytes: image.subarray(payload),
    base: payload,
    span,
    ...(plain !== undefined && { value: plain }),
  };
}

function shapeOf({ generation, header, block }: Page): BlockShape {
  return {
    combinedHeaderSize:
      generation === "classic"
        ? CLASSIC_BLOCK.payload
        : (block as { combinedHeaderSize: number }).combinedHeaderSize,
    memSize: header.memSize,
    compressed: (header.flags & pageFlags.compressed) !== 0,
    encrypted: (header.flags & pageFlags.encrypted) !== 0,
  };
}

interface Inflated {
  readonly image: Uint8Array;
  /** Name of the compressor; empty when the block is not compressed. */
  readonly by: string;
}

function inflate(block: Uint8Array, shape: BlockShape, named: string | undefined): Inflated {
  if (!shape.compressed) return { image: inflateImage(block, shape), by: "" };
  const by = named ?? detectCompressor(block.subarray(COMPRESS_SKIP), shape.memSize - COMPRESS_SKIP)[0];
  return { image: inflateImage(block, shape, by === undefined ? {} : { compressor: by }), by: by ?? "" };
}

interface Decrypted {
  readonly plain: Uint8Array;
  readonly by: string;
}

/** rotn alone is built in; its key id is the first under which the page makes sense. */
function decrypted(
  block: Uint8Array,
  shape: BlockShape,
  generation: PageGeneration,
  { rotnKeyId, compressor }: PageRequest,
): Decrypted {
  const open = (encryptor: Encryptor): Uint8Array =>
    decryptBlock(block, shape.combinedHeaderSize, { encryptor });
  const isSound = (plain: Uint8Array): boolean =>
    isSoundImage(plain, { ...shape, encrypted: false }, generation, compressor);
  const keyId = rotnKeyId ?? detectRotnKeyIds(block, shape.combinedHeaderSize, isSound)[0];
  if (keyId !== undefined) return { plain: open(rotnEncryptor(keyId)), by: `rotn, key id ${keyId}` };
  throw new FormatError({
    code: "no-encryptor",
    message: "encrypted, and no key id of rotn makes sense of it",
    hint: "--rotn-keyid names one",
  });
}

function isSoundImage(
  plain: Uint8Array,
  shape: BlockShape,
  generation: PageGeneration,
  compressor: string | undefined,
): boolean {
  try {
    const image = withoutTransforms(inflate(plain, shape, compressor).image, generation);
    return page
      .validate(image, { generation })
      .every((issue) => issue.severity !== "error" || !isOfContent(issue));
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/** A copy of an image whose headers do not speak of compression and encryption any more. */
function withoutTransforms(inflated: Uint8Array, generation: PageGeneration): Uint8Array {
  const image = inflated.slice();
  const header = generation === "D0-delta" ? DELTA_HEADER : PAGE_HEADER;
  clear(image, header.at.flags, TRANSFORMED_PAGE);
  if (generation === "classic") return image;
  const { flags } = generation.startsWith("D0") ? OLD_BLOCK_HEADER : BLOCK_HEADER;
  clear(image, header.size + flags, blockFlags.compressed | blockFlags.encrypted);
  return image;
}

function clear(bytes: Uint8Array, at: number, bits: number): void {
  bytes[at] = (bytes[at] as number) & ~bits;
}

/** The block header is that of the stored block, so what it says of its bytes does not hold for the image. */
const isOfContent = ({ code, path }: Issue): boolean => code !== "checksum" && !path.startsWith("block");

interface Content {
  readonly span: Span;
  /** Offset of the content in the image. */
  readonly payload: number;
  readonly plain: Record<string, unknown> | undefined;
}

/** The tree behind the headers. */
function contentOf(
  image: Uint8Array,
  generation: PageGeneration,
  params: Readonly<Record<string, number>>,
): Content {
  const root = page.annotate(image, { generation, params });
  openNested(root, image, 0, generation === "classic");
  const [header, block, ...children] = root.children;
  const payload = Math.ceil(block?.end ?? header?.end ?? 0);
  const issues = [...root.issues, ...(header === undefined ? [] : issuesWithin(header))].filter(isOfContent);
  const reading = page.read(image, { generation, params });
  const {
    header: _h,
    block: _b,
    ...plain
  } = reading.ok ? (page.toJson(reading.value) as Record<string, unknown>) : {};
  return {
    span: { ...root, name: "image", start: payload, children, issues },
    payload,
    plain: reading.ok ? plain : undefined,
  };
}

const issuesWithin = (span: Span): Issue[] => [...span.issues, ...span.children.flatMap(issuesWithin)];
