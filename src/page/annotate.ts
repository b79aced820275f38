/** What each byte of a block is, with what lies inside its fields: cookies, delta values, time windows. */
import { addressCookie } from "../../formats/address-cookie.js";
import type { CellWindow } from "../../formats/cell.js";
import { classicAddressCookie } from "../../formats/classic-cookie.js";
import { deltaValue } from "../../formats/delta.js";
import { type PageGeneration, page } from "../../formats/page.js";
import { addressAggregate, MAX_TIMESTAMP, MAX_TRANSACTION, valueWindow } from "../../formats/time-window.js";
import type { Span } from "../codec/annotate.js";
import { joinPath } from "../codec/error.js";
import type { Format, ReadOptions } from "../codec/format.js";
import { type DecodedPage, type DecodePageOptions, decodePage } from "./page.js";

/** Bytes and their tree. */
export interface AnnotatedBytes {
  readonly bytes: Uint8Array;
  /** Offset of the first byte: in the file, or 0 for an image that is not in the file. */
  readonly base: number;
  readonly span: Span;
}

export interface AnnotatedPage {
  readonly page: DecodedPage;
  readonly generation: PageGeneration;
  /** The block as it is stored. */
  readonly block: AnnotatedBytes;
  /** The plain image of a compressed or encrypted block. */
  readonly image?: AnnotatedBytes;
}

/** Annotates a block as far as it can be read. Issues of the payload are on the spans they are about. */
export function annotatePage(block: Uint8Array, options: DecodePageOptions = {}): AnnotatedPage {
  const decoded = decodePage(block, options);
  const generation = pageGeneration(decoded);
  const { base = 0, bitsPerRecord = decoded.records?.bitsPerRecord ?? 0 } = options;
  const params = { bitsPerRecord, anyKeyOrder: Number(options.anyKeyOrder === true) };
  const annotate = (bytes: Uint8Array, start: number, plain: number): AnnotatedBytes => {
    const span = page.annotate(bytes, { generation, base: start, params: { ...params, plain } });
    openFields(span, decoded, options);
    return { bytes, base: start, span };
  };
  const whole = { page: decoded, generation, block: annotate(block, base, 0) };
  if (!decoded.transformed || decoded.image === undefined) return whole;
  const image = annotate(decoded.image, 0, 1);
  uncheckChecksum(image.span);
  return { ...whole, image };
}

/** The generation of the `page` format: with the form of a delta. */
function pageGeneration({ headers, deltaForm }: DecodedPage): PageGeneration {
  if (headers === undefined) return "classic";
  if (headers.generation === "D0") return headers.delta ? "D0-delta" : "D0";
  return deltaForm === "P0" ? "D1-P0" : headers.generation;
}

/** The checksum in an image's header was computed over the block it was stored as. */
function uncheckChecksum(span: Span): void {
  const checksum = span.children
    .find(({ name }) => name === "block")
    ?.children.find(({ name }) => name === "checksum");
  if (checksum === undefined) return;
  checksum.checksum = "unchecked";
  checksum.description = "of the block as it is stored, see there";
  const others = checksum.issues.filter(({ code }) => code !== "checksum");
  checksum.issues.splice(0, checksum.issues.length, ...others);
}

function openFields(root: Span, { headers, deltaForm }: DecodedPage, options: DecodePageOptions): void {
  const cookies = (
    headers?.generation === "classic" ? classicAddressCookie : addressCookie
  ) as Format<unknown>;
  const { cookieGeneration } = options;
  const visit = (span: Span, kind: string): void => {
    const inner = span.symbol ?? kind;
    if (span.name === "cookie")
      graft(span, cookies, cookieGeneration === undefined ? {} : { generation: cookieGeneration });
    else if (span.name === "data" && kind.startsWith("value") && (deltaForm === "P1" || deltaForm === "P2"))
      graft(span, deltaValue as Format<unknown>, { generation: deltaForm === "P1" ? "uB" : "Bu" });
    else for (const child of span.children) visit(child, inner);
    if (span.name === "window") span.symbol = windowText(span, kind.startsWith("address"));
  };
  visit(root, "");
}

/** Puts the fields of what a byte string holds under it. */
function graft(span: Span, format: Format<unknown>, options: ReadOptions): void {
  if (!(span.value instanceof Uint8Array) || span.value.length === 0) return;
  const inner = format.annotate(span.value, { ...options, base: span.start });
  span.children.push(...inner.children.map((child) => below(child, span.path)));
  span.issues.push(...inner.issues.map((issue) => ({ ...issue, path: joinPath(span.path, issue.path) })));
  span.symbol = inner.name;
  delete span.value;
}

/** A span with its path below another one. */
const below = (span: Span, path: string): Span => ({
  ...span,
  path: joinPath(path, span.path),
  children: span.children.map((child) => below(child, path)),
  issues: span.issues.map((issue) => ({ ...issue, path: joinPath(path, issue.path) })),
});

/** What the stored differences of a window stand for. */
function windowText(span: Span, aggregate: boolean): string {
  const slots = Object.fromEntries(
    span.children.map(({ name, value }) => [name, value]),
  ) as unknown as CellWindow;
  if (typeof slots.bits !== "number") return "";
  const window = aggregate ? addressAggregate(slots) : valueWindow(slots);
  return Object.entries(window)
    .filter(([name, value]) => value !== false && (typeof value !== "bigint" || !isDefault(name, value)))
    .map(([name, value]) => (value === true ? name : `${name} ${value}`))
    .join(", ");
}

function isDefault(name: string, value: bigint): boolean {
  if (name === "stopTs" || name === "newestStopTs") return value === MAX_TIMESTAMP;
  return value === (name === "stopTxn" || name === "newestStopTxn" ? MAX_TRANSACTION : 0n);
}
