/** The core as an embedder uses it: bytes in, plain JSON out. Runs in Node and, bundled, in a browser. */
import { formatByName, pageHeader } from "../../formats/index.js";
import { fixedCodec } from "../../src/codec/fixed/index.js";
import { bytesToHex, hexToBytes } from "../../src/codec/index.js";
import { annotatePage, decodePage, pageToJson } from "../../src/page/index.js";

export interface CoreInput {
  readonly format: string;
  readonly hex: string;
}

/** What a page under a content security policy reports. */
export interface BrowserReport {
  readonly userAgent: string;
  /** Name of the error that `new Function` met; "none" when they worked. */
  readonly newFunction: string;
  readonly fixedImplementation: string;
  readonly results: readonly unknown[];
}

export const fixedImplementation = (): string => fixedCodec(pageHeader).implementation;

export function decodeAll(inputs: readonly CoreInput[]): unknown[] {
  return inputs.map(({ format, hex }) => {
    const bytes = hexToBytes(hex);
    return plain({ format, ...decode(format, bytes), ...(format === "page" ? decodeAsPage(bytes) : {}) });
  });
}

/** Value, issues, span tree and the bytes built again. */
function decode(name: string, bytes: Uint8Array): object {
  const format = formatByName(name);
  if (format === undefined) throw new Error(`no format is called ${name}`);
  const reading = format.read(bytes);
  return {
    generation: reading.generation,
    issues: reading.issues,
    value: reading.ok ? format.toJson(reading.value) : undefined,
    rebuilt: reading.ok ? bytesToHex(format.build(reading.value)) : undefined,
    spans: format.annotate(bytes),
  };
}

/** As a page: decompressed, cell by cell, with what the cells mean. */
function decodeAsPage(bytes: Uint8Array): object {
  const page = decodePage(bytes);
  return {
    header: fixedCodec(pageHeader).decode(bytes),
    page: pageToJson(page),
    annotated: page.transformed ? undefined : annotatePage(bytes).block.span,
  };
}

/** As JSON would carry it: 64-bit numbers as text, bytes as hex. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, part: unknown) =>
      typeof part === "bigint" ? String(part) : part instanceof Uint8Array ? bytesToHex(part) : part,
    ),
  );
}
