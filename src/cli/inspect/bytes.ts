/** Bytes as parts of an inspection: what they are, their tree, and what lies inside them. */
import { checkpointRecord } from "../../../formats/checkpoint-record.js";
import { config } from "../../../formats/config.js";
import { cryptPage, keyPageStart, looksLikeCryptPage } from "../../../formats/crypt-page.js";
import { DESCRIPTION_MAGIC, descriptionBlock } from "../../../formats/description-block.js";
import { specialTables } from "../../../formats/disagg-tables.js";
import { disaggTurtle } from "../../../formats/disagg-turtle.js";
import { LOG_HEADER_SIZE, logFileHeader, looksLikeLogHeader } from "../../../formats/log.js";
import { page } from "../../../formats/page.js";
import { turtleFile } from "../../../formats/turtle-file.js";
import type { ReadOptions } from "../../codec/format.js";
import { hasErrors } from "../../codec/issue.js";
import { decodeText } from "../../codec/text.js";
import type { InspectedPart } from "../../report/inspection.js";
import { looksLikeText } from "../../store/block-look.js";
import { type AnyFormat, checkGeneration } from "../convert.js";
import { pageParts } from "./page-parts.js";
import type { InspectRequest } from "./request.js";
import { hideFrom, secretsStart } from "./secrets.js";

type BytesRequest = Pick<InspectRequest, "format" | "read" | "compressor" | "rotnKeyId">;

/** The bytes in the format asked for, or the one they look like; pages with their plain image. */
export function inspectBytes(bytes: Uint8Array, base: number, request: BytesRequest): InspectedPart[] {
  // A key page is one whatever it is asked to be shown as: any other format would show the blob.
  const isKeyPage = keyPageStart(bytes) !== undefined;
  const format = isKeyPage ? (cryptPage as AnyFormat) : (request.format ?? likelyFormat(bytes));
  if (format.name === page.name) return pageParts(bytes, base, request);
  return [inspectWith(format, bytes, base, request.read)];
}

/** One part: the bytes in one format. */
export function inspectWith(
  format: AnyFormat,
  bytes: Uint8Array,
  base: number,
  read: ReadOptions,
): InspectedPart {
  if (read.generation !== undefined) checkGeneration(format, read.generation);
  const options = { ...read, base };
  const span = format.annotate(bytes, options);
  const reading = format.read(bytes, options);
  const { generation } = reading;
  const secrets =
    hasErrors(reading.issues) || read.generation !== undefined ? secretsStart(format) : undefined;
  if (secrets !== undefined)
    hideFrom(span, secrets, read.generation !== undefined || keyPageStart(bytes) !== 0);
  return {
    title: format.title,
    format: format.name,
    bytes,
    base,
    span,
    ...(generation !== undefined && { generation }),
    ...(reading.ok && secrets === undefined && { value: format.toJson(reading.value) }),
  };
}

/** Tables of a page log whose page 1 is no block: a turtle text or a key page, which may be damaged. */
export function plainPageFormat(tableId: bigint, pageId: bigint, bytes: Uint8Array): AnyFormat | undefined {
  const { turtle, keyProvider } = specialTables;
  const isOf = ({ ids, page: only }: { ids: readonly bigint[]; page: bigint }): boolean =>
    pageId === only && ids.includes(tableId);
  const text = looksLikeText(bytes);
  if (isOf(keyProvider) && !(isOf(turtle) && text)) return cryptPage as AnyFormat;
  return isOf(turtle) && !looksLikeCryptPage(bytes) ? (disaggTurtle as AnyFormat) : undefined;
}

/** Texts by how they begin. */
const TEXTS: ReadonlyArray<readonly [RegExp, AnyFormat]> = [
  [/^(Compatibility version|Live Restore|WiredTiger version string)\n/, turtleFile as AnyFormat],
  [/^(\(WiredTigerCheckpoint\.|checkpoint=|version=\d+,compatible_version=)/, disaggTurtle as AnyFormat],
  [/^(id=\d+,)?metadata_lsn=/, checkpointRecord as AnyFormat],
];

/** What bytes look like; a page when nothing else fits. */
export function likelyFormat(bytes: Uint8Array): AnyFormat {
  if (looksLikeCryptPage(bytes)) return cryptPage as AnyFormat;
  if (startsWithDescription(bytes)) return descriptionBlock as AnyFormat;
  if (looksLikeText(bytes)) {
    const text = decodeText(bytes.subarray(0, 256));
    return TEXTS.find(([pattern]) => pattern.test(text))?.[1] ?? (config as AnyFormat);
  }
  if (bytes.length >= LOG_HEADER_SIZE && looksLikeLogHeader(bytes, bytes.length))
    return logFileHeader as AnyFormat;
  return page as AnyFormat;
}

const startsWithDescription = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 &&
  new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true) === DESCRIPTION_MAGIC;
