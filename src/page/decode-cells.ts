/** Cells and entries of a plain image as values, as far as they can be read. */
import { type Cell, cell } from "../../formats/cell.js";
import {
  deltaInternalEntry,
  deltaLeafEntry,
  deltaValue,
  deltaValueFlags,
  oldDeltaFlags,
  oldEntryWindow,
  oldInternalFlags,
} from "../../formats/delta.js";
import { type CellParts, contentOf } from "../../formats/page-content.js";
import { pageFlags, pageTypes } from "../../formats/page-header.js";
import { addressAggregate, valueWindow } from "../../formats/time-window.js";
import { joinPath } from "../codec/error.js";
import { defined, type Issue } from "../codec/issue.js";
import type { AddressReader, DecodedCell, DecodedEntry, PageAddress } from "./page.js";
import { type DeltaForm, type PageLayout, pageForms } from "./walk-types.js";

/** What is needed to make sense of the payload of an image. */
export interface CellContext {
  readonly image: Uint8Array;
  readonly layout: PageLayout;
  readonly deltaForm: DeltaForm | undefined;
  readonly readAddress: AddressReader;
  /** Receives what is wrong with cookies: `offset` is from the start of the image. */
  readonly issue: (issue: Issue, path: string, offset: number) => void;
}

/** Every cell up to the first one that cannot be read; none on pages without cells. */
export function decodeCells(context: CellContext): DecodedCell[] {
  const { image, layout } = context;
  if (contentOf(layout.type, layout.form !== pageForms.image) === undefined) return [];
  const decoder = new CellDecoder(context);
  const end = Math.min(layout.memSize, image.length);
  const params = { fastTruncate: layout.flags & pageFlags.fastTruncate };
  const cells: DecodedCell[] = [];
  for (let offset = layout.payload; offset < end; ) {
    const reading = cell.read(image.subarray(offset, end), { partial: true, params });
    if (!reading.ok) break;
    cells.push(decoder.next(offset, reading.length, reading.value));
    offset += reading.length;
  }
  return cells;
}

/** Keeps what later cells refer to: the previous key, earlier values, the record number. */
class CellDecoder {
  private index = 0;
  private key: Uint8Array | undefined;
  private recno: bigint;
  private readonly values = new Map<number, Uint8Array>();
  private readonly columns: boolean;
  private readonly deltaGeneration: string | undefined;

  constructor(private readonly context: CellContext) {
    const { layout, deltaForm } = context;
    this.recno = layout.recno;
    this.columns = layout.type === pageTypes.columnVariable;
    this.deltaGeneration = deltaForm === "P1" ? "uB" : deltaForm === "P2" ? "Bu" : undefined;
  }

  next(offset: number, length: number, stored: Cell): DecodedCell {
    const parts: CellParts = stored;
    const meaning = stored.kind.startsWith("key") ? this.keyOf(parts) : this.itemOf(offset, stored, parts);
    const index = this.index++;
    return {
      index,
      offset,
      length,
      cell: stored,
      ...meaning,
      ...this.addressOf(index, offset + length, parts),
    };
  }

  private keyOf({ data, prefix = 0 }: CellParts): Partial<DecodedCell> {
    // An overflow key: prefixes go on from the key before it.
    if (data === undefined) return {};
    const previous = this.key;
    const rebuilt = prefix <= (previous?.length ?? 0);
    this.key = rebuilt ? join(previous?.subarray(0, prefix), data) : undefined;
    return defined({ key: this.key });
  }

  private itemOf(offset: number, stored: Cell, parts: CellParts): Partial<DecodedCell> {
    if (stored.kind.startsWith("address"))
      return defined({ aggregate: addressAggregate(parts.window), recno: parts.value64 });
    const data = stored.kind === "valueCopy" ? this.values.get(offset - Number(stored.distance)) : parts.data;
    if (data !== undefined) this.values.set(offset, data);
    return { ...this.valueOf(data), window: valueWindow(parts.window), ...this.recordsOf(parts) };
  }

  private valueOf(data: Uint8Array | undefined): Partial<DecodedCell> {
    if (data === undefined) return {};
    if (this.deltaGeneration === undefined) return { value: data };
    const reading = deltaValue.read(data, { generation: this.deltaGeneration });
    if (!reading.ok) return {};
    const { flags, value } = reading.value;
    return { value, removed: (flags & deltaValueFlags.delete) !== 0 };
  }

  private recordsOf({ value64 = 1n }: CellParts): Partial<DecodedCell> {
    if (!this.columns) return {};
    const recno = this.recno;
    this.recno += value64;
    return { recno };
  }

  private addressOf(index: number, end: number, { cookie }: CellParts): Partial<DecodedCell> {
    return cookie === undefined
      ? {}
      : defined({ address: addressIn(this.context, cookie, `cells[${index}]`, end) });
  }
}

/** The address a cookie stands for; what is wrong with it is reported. The cookie ends at `end`. */
function addressIn(
  context: CellContext,
  cookie: Uint8Array,
  holder: string,
  end: number,
): PageAddress | undefined {
  const { address, issues } = context.readAddress(cookie);
  for (const issue of issues)
    context.issue(issue, joinPath(`${holder}.cookie`, issue.path), end - cookie.length + (issue.offset ?? 0));
  return address;
}

function join(head: Uint8Array | undefined, rest: Uint8Array): Uint8Array {
  if (head === undefined || head.length === 0) return rest;
  const whole = new Uint8Array(head.length + rest.length);
  whole.set(head);
  whole.set(rest, head.length);
  return whole;
}

/** Every entry of a P0 delta up to the first one that cannot be read. */
export function decodeEntries(context: CellContext): DecodedEntry[] {
  const { image, layout } = context;
  const end = Math.min(layout.memSize, image.length);
  const decode = layout.type === pageTypes.rowLeaf ? leafEntry : internalEntry;
  const entries: DecodedEntry[] = [];
  for (let offset = layout.payload; offset < end; ) {
    const index = entries.length;
    const decoded = decode(image.subarray(offset, end), context, `entries[${index}]`, offset);
    if (decoded === undefined) break;
    entries.push({ index, offset, ...decoded });
    offset += decoded.length;
  }
  return entries;
}

type EntryMeaning = Omit<DecodedEntry, "index" | "offset">;

function leafEntry(bytes: Uint8Array): EntryMeaning | undefined {
  const reading = deltaLeafEntry.read(bytes, { partial: true });
  if (!reading.ok) return undefined;
  const { value: entry, length } = reading;
  const removed = (entry.flags & oldDeltaFlags.delete) !== 0;
  const { key, value } = entry;
  return defined({ length, entry, key, value, removed, window: removed ? undefined : oldEntryWindow(entry) });
}

function internalEntry(
  bytes: Uint8Array,
  context: CellContext,
  path: string,
  offset: number,
): EntryMeaning | undefined {
  const reading = deltaInternalEntry.read(bytes, { partial: true });
  if (!reading.ok) return undefined;
  const { value: entry, length } = reading;
  const child: CellParts | undefined = entry.address;
  return defined({
    length,
    entry,
    key: (entry.key as CellParts).data,
    removed: (entry.flags & oldInternalFlags.delete) !== 0,
    aggregate: child === undefined ? undefined : addressAggregate(child.window),
    address: child?.cookie && addressIn(context, child.cookie, `${path}.address`, offset + length),
  });
}
