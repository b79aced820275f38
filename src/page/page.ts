/** A block as a value: headers, plain image, cells with what they mean, and everything that is wrong with it. */
import { type AddressCookie, addressCookie } from "../../formats/address-cookie.js";
import type { Cell } from "../../formats/cell.js";
import { type ClassicAddressCookie, classicAddressCookie } from "../../formats/classic-cookie.js";
import type { OldInternalEntry, OldLeafEntry } from "../../formats/delta.js";
import { pageTypes } from "../../formats/page-header.js";
import type { TimeAggregate, TimeWindow } from "../../formats/time-window.js";
import { FormatError } from "../codec/error.js";
import type { Reading } from "../codec/format.js";
import { defined, type Issue, issueOf } from "../codec/issue.js";
import { type BlockGeneration, type BlockHeaders, readBlockHeaders } from "./block-headers.js";
import { decodeCells, decodeEntries } from "./decode-cells.js";
import { decodeRecords } from "./decode-records.js";
import type { Defect } from "./defects.js";
import { type ImageOptions, inflateImage } from "./transform/index.js";
import { PageWalker } from "./walk.js";
import { type DeltaForm, type PageLayout, pageForms } from "./walk-types.js";

export interface DecodePageOptions extends ImageOptions {
  /** Forces the generation of the headers. */
  readonly generation?: BlockGeneration;
  /** Where the block begins in its file: added to the offsets of issues. */
  readonly base?: number;
  /** Bits of a record of a fixed-length column page; detected when absent. */
  readonly bitsPerRecord?: number;
  /** Keys are in an order of the table's own collator. */
  readonly anyKeyOrder?: boolean;
  /** Forces the generation of address cookies in page logs. */
  readonly cookieGeneration?: AddressCookie["generation"];
  /** Issues of the payload listed (default 100). */
  readonly maxIssues?: number;
}

export type PageAddress = AddressCookie | ({ generation: "classic" } & ClassicAddressCookie);

/** A cell with what it means. */
export interface DecodedCell {
  readonly index: number;
  /** From the start of the image. */
  readonly offset: number;
  /** Bytes of the cell. */
  readonly length: number;
  /** As it is stored. */
  readonly cell: Cell;
  /** The whole key; absent where it lies on an overflow page or cannot be rebuilt. */
  readonly key?: Uint8Array;
  /** The value: of a copy the original's, in a delta without what is packed around it. */
  readonly value?: Uint8Array;
  /** In a leaf delta: the key is removed. */
  readonly removed?: boolean;
  /** Values: when they can be seen. */
  readonly window?: TimeWindow;
  /** Children: what their windows have in common. */
  readonly aggregate?: TimeAggregate;
  /** Column stores: number of the first record of the cell, or of the child. */
  readonly recno?: bigint;
  /** Children and overflow items: where their block is; absent when the cookie cannot be read. */
  readonly address?: PageAddress;
}

/** One entry of a delta of form P0. */
export interface DecodedEntry {
  readonly index: number;
  /** From the start of the image. */
  readonly offset: number;
  readonly length: number;
  readonly entry: OldLeafEntry | OldInternalEntry;
  readonly key?: Uint8Array;
  readonly removed: boolean;
  readonly value?: Uint8Array;
  readonly window?: TimeWindow;
  readonly aggregate?: TimeAggregate;
  readonly address?: PageAddress;
}

/** The records of a fixed-length column page. */
export interface DecodedRecords {
  readonly bitsPerRecord: number;
  /** Every number of bits that fits the page, the one used first. */
  readonly fits: readonly number[];
  readonly values: Uint8Array;
  /** Windows by record, counted from the page's first one. */
  readonly windows: ReadonlyArray<{
    readonly record: number;
    readonly offset: number;
    readonly window: TimeWindow;
  }>;
}

export interface DecodedPage {
  readonly block: Uint8Array;
  /** Absent when the block ends in its headers. */
  readonly headers?: BlockHeaders;
  /** The plain image; absent when it cannot be had. Without a transformation a view of the block. */
  readonly image?: Uint8Array;
  /** The block is compressed or encrypted: offsets in the image are not offsets in the block. */
  readonly transformed: boolean;
  readonly deltaForm?: DeltaForm;
  readonly cells: readonly DecodedCell[];
  readonly entries: readonly DecodedEntry[];
  readonly records?: DecodedRecords;
  /** Overflow pages: the key or value. Extent lists: the list (format `extent-list`). */
  readonly data?: Uint8Array;
  readonly issues: readonly Issue[];
}

const DEFAULT_MAX_ISSUES = 100;

/** Decodes a block as far as it can be: what is wrong is in `issues`, and nothing is thrown for any bytes. */
export function decodePage(block: Uint8Array, options: DecodePageOptions = {}): DecodedPage {
  const { base = 0 } = options;
  const issues: Issue[] = [];
  const page = { block, transformed: false, cells: [], entries: [], issues };
  const headers = attempt(issues, () => readBlockHeaders(block, options));
  if (headers === undefined) return page;
  issues.push(...headers.issues, ...checksumIssue(headers, base));
  const transformed = headers.compressed || headers.encrypted;
  const image = transformed ? attempt(issues, () => plainImage(block, headers, options), base) : block;
  if (image === undefined) return { ...page, headers, transformed };
  const opened = { ...page, headers, transformed, image };
  const parts = content(opened, pageLayout(headers, options.bitsPerRecord), options);
  return { ...opened, ...parts, issues: [...issues, ...(parts.issues ?? [])] };
}

/** The result, or undefined after noting why there is none, at `offset` where the error names no byte. */
function attempt<T>(issues: Issue[], work: () => T, offset?: number): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    error.offset ??= offset;
    issues.push(issueOf(error));
    return undefined;
  }
}

function checksumIssue({ checksum, generation }: BlockHeaders, base: number): Issue[] {
  const { stored: actual, computed: expected, valid, covered } = checksum;
  if (valid) return [];
  const message = `checksum is ${hex32(actual)}, the first ${covered} bytes give ${hex32(expected)}`;
  return [
    {
      code: "checksum",
      severity: "error",
      path: "block.checksum",
      offset: base,
      message,
      expected,
      actual,
      generation,
    },
  ];
}

const hex32 = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

/**
 * The plain image of a block.
 * @throws FormatError as `inflateImage` does.
 */
export function plainImage(block: Uint8Array, headers: BlockHeaders, options: ImageOptions = {}): Uint8Array {
  const { compressed, encrypted, payload, header } = headers;
  return inflateImage(
    block,
    { combinedHeaderSize: payload, memSize: header.memSize, compressed, encrypted },
    options,
  );
}

/** What the headers tell a walker. */
export function pageLayout(headers: BlockHeaders, bitsPerRecord?: number): PageLayout {
  const { header, payload, delta } = headers;
  const { type, flags, entries, memSize } = header;
  const recno = "recno" in header ? header.recno : 0n;
  const deltaForm = "recno" in header ? pageForms.anyDelta : pageForms.oldDelta;
  const form = delta ? deltaForm : pageForms.image;
  return defined({ type, flags, entries, memSize, payload, recno, form, bitsPerRecord }) as PageLayout;
}

type Opened = Pick<DecodedPage, "block" | "transformed"> & {
  readonly headers: BlockHeaders;
  readonly image: Uint8Array;
};

/** The payload, and what a walk finds wrong with it. */
function content(page: Opened, layout: PageLayout, options: DecodePageOptions): Partial<DecodedPage> {
  const { image, headers } = page;
  const walker = new PageWalker({
    maxDefects: options.maxIssues ?? DEFAULT_MAX_ISSUES,
    anyKeyOrder: options.anyKeyOrder === true,
  });
  walker.walk(image, layout);
  const { deltaForm } = walker;
  const readAddress = addressReader(headers.generation, options.cookieGeneration);
  const issues: Issue[] = [];
  const issue = (found: Issue, path: string, offset: number): void => {
    issues.push({ ...found, path, offset: placed(offset, page, options) });
  };
  const cells = { image, layout, deltaForm, readAddress, issue };
  const parts = {
    ...(deltaForm === undefined ? {} : { deltaForm }),
    ...(deltaForm === "P0" ? { entries: decodeEntries(cells) } : { cells: decodeCells(cells) }),
    ...(layout.form === pageForms.image ? wholeData(image, layout) : {}),
  };
  for (const defect of walker.defects) issues.push(issueIn(defect, parts, page, options));
  return { ...parts, issues };
}

/** An offset of the image in the file: that of the block where the image is not in the file as it is. */
const placed = (offset: number, { transformed }: Opened, { base = 0 }: DecodePageOptions): number =>
  transformed ? base : base + offset;

/** What pages without cells hold. */
function wholeData(image: Uint8Array, layout: PageLayout): Pick<DecodedPage, "data" | "records"> {
  const { type, payload, entries } = layout;
  if (type === pageTypes.columnFixed) return defined({ records: decodeRecords(image, layout) });
  const isData = type === pageTypes.overflow || type === pageTypes.blockManager;
  return isData ? { data: image.subarray(payload, payload + entries) } : {};
}

/** The address a cookie stands for, undefined when it cannot be read, with what is wrong with it. */
export type AddressReader = (cookie: Uint8Array) => {
  readonly address?: PageAddress;
  readonly issues: readonly Issue[];
};

function addressReader(
  generation: BlockGeneration,
  cookieGeneration: AddressCookie["generation"] | undefined,
): AddressReader {
  if (generation !== "classic") {
    const options = cookieGeneration === undefined ? {} : { generation: cookieGeneration };
    return (cookie) => readingOf(addressCookie.read(cookie, options), (value) => value);
  }
  return (cookie) =>
    readingOf(classicAddressCookie.read(cookie), (value) => ({ generation: "classic", ...value }));
}

function readingOf<T>(reading: Reading<T>, addressOf: (value: T) => PageAddress): ReturnType<AddressReader> {
  return reading.ok
    ? { address: addressOf(reading.value), issues: reading.issues }
    : { issues: reading.issues };
}

/** A walker's defect as an issue, with the path of the cell it is in. */
function issueIn(
  { code, offset, detail }: Defect,
  { cells = [], entries = [] }: { cells?: readonly DecodedCell[]; entries?: readonly DecodedEntry[] },
  page: Opened,
  options: DecodePageOptions,
): Issue {
  const holds = (part: { offset: number; length: number }): boolean =>
    part.offset <= offset && offset < part.offset + part.length;
  const cell = cells.find(holds);
  const entry = entries.find(holds);
  const path =
    cell !== undefined ? `cells[${cell.index}]` : entry !== undefined ? `entries[${entry.index}]` : "";
  const message = page.transformed ? `${detail} (at ${offset} of the plain image)` : detail;
  return { code, severity: "error", path, offset: placed(offset, page, options), message };
}
