/** A decoded page as plain JSON: 64-bit integers as decimal strings, bytes as hex, the names of the API. */
import { blockHeader, classicBlockHeader, deltaHeader } from "../../formats/block-header.js";
import { pageHeader } from "../../formats/page-header.js";
import { bytesToHex } from "../codec/json.js";
import type { BlockHeaders } from "./block-headers.js";
import type { DecodedPage } from "./page.js";

type Json = Record<string, unknown>;

/** JSON of a page: headers, cells with their meaning, issues. */
export function pageToJson(page: DecodedPage): Json {
  const { headers, deltaForm, transformed, image, cells, entries, records, data, issues } = page;
  return plain({
    length: page.block.length,
    ...(headers === undefined ? {} : headersJson(headers)),
    transformed,
    imageLength: image?.length,
    deltaForm,
    cells,
    entries,
    records,
    data,
    issues,
  }) as Json;
}

function headersJson(headers: BlockHeaders): Json {
  const { generation, delta, header, block, payload, compressed, encrypted, checksum } = headers;
  const { replacement, originalChecksum } = headers;
  return {
    generation,
    delta,
    header: "recno" in header ? pageHeader.toJson(header) : deltaHeader.toJson(header),
    block: "generation" in block ? blockHeader.toJson(block) : classicBlockHeader.toJson(block),
    payload,
    compressed,
    encrypted,
    checksum,
    replacement,
    originalChecksum,
  };
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return bytesToHex(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([name, item]) => [name, plain(item)]));
}
