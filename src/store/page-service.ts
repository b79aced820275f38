/** Dumps of MongoDB's page service: one JSON object a page, with its entries (formats: page-log stores §4). */
import { pageLogFlags } from "../../formats/page-log.js";
import {
  serviceEntryKeys,
  serviceEntryKind,
  serviceMetadataKeys,
  servicePageKeys,
  serviceValueKey,
  serviceValueTypes,
} from "../../formats/page-service.js";
import { type ExactJson, type ExactObject, isExactObject, parseExactJson } from "../codec/exact-json.js";
import { FormatError, type Issue } from "../codec/index.js";
import type { Severity } from "../codec/schema.js";
import { looksLikeStoredPage } from "./block-look.js";
import { IndexedPageLog } from "./indexed-page-log.js";
import { openInput } from "./input.js";
import { asU64, bytesField, u64Field } from "./json-fields.js";
import { type Line, MAX_LINE, readLines } from "./lines.js";
import { ReadWindow } from "./read-window.js";
import { RecordIndex } from "./record-index.js";
import { ServiceOrder } from "./service-order.js";
import type { CheckpointRecord, PageLogGlobals, PageRecord, RandomAccess } from "./types.js";

const LONG_TEXT = 64;
/** Entries of one line that an index position can tell apart. */
const MAX_ENTRIES = 2 ** 20;

/**
 * Takes the service's own encryption off an entry; undefined when it cannot. What it gives is the block as the
 * engine wrote it.
 */
export type ServiceDecrypt = (
  tableId: bigint,
  pageId: bigint,
  lsn: bigint,
  bytes: Uint8Array,
) => Uint8Array | undefined;

export interface PageServiceOptions {
  readonly decrypt?: ServiceDecrypt;
}

/** @throws InputError when the file cannot be opened. */
export function openPageService(path: string, options: PageServiceOptions = {}): PageServiceLog {
  return new PageServiceLog(openInput(path), options);
}

interface ServicePage {
  readonly pageId: bigint | undefined;
  readonly entries: readonly ExactJson[];
}

export class PageServiceLog extends IndexedPageLog {
  readonly kind = "page-service-jsonl";
  readonly generation = "page-service dump";
  readonly path: string;
  readonly size: number;
  readonly globals: PageLogGlobals = {};
  private made: RecordIndex | undefined;
  private readonly checkpointEnds: CheckpointRecord[] = [];
  private readonly window: ReadWindow;
  /** The line last parsed: its entries are asked for one after another. */
  private parsed: (ServicePage & { readonly offset: number }) | undefined;

  constructor(
    private readonly file: RandomAccess,
    private readonly options: PageServiceOptions = {},
  ) {
    super();
    this.path = file.path;
    this.size = file.size;
    this.window = new ReadWindow(file);
  }

  /** The ends of checkpoints among the entries. */
  checkpoints(): CheckpointRecord[] {
    this.made ??= this.makeIndex();
    return [...this.checkpointEnds];
  }

  close(): void {
    this.parsed = undefined;
    this.file.close();
  }

  protected get index(): RecordIndex {
    this.made ??= this.makeIndex();
    return this.made;
  }

  protected load(at: number): PageRecord | undefined {
    const offset = this.index.first(at);
    const length = Math.floor(this.index.second(at) / MAX_ENTRIES);
    const ordinal = this.index.second(at) % MAX_ENTRIES;
    if (this.parsed?.offset !== offset) {
      const line = { offset, length, number: 0, bytes: this.window.view(offset, length) };
      this.parsed = { pageId: undefined, entries: [], ...this.parse(line), offset };
    }
    const { pageId, entries } = this.parsed;
    const entry = entries[ordinal];
    return isExactObject(entry) ? this.recordOf(entry, pageId, offset) : undefined;
  }

  private makeIndex(): RecordIndex {
    const index = new RecordIndex();
    const order = new ServiceOrder(({ offset, number, path }, field, problem, severity) =>
      this.wrong({ offset, number }, `${path}.${field}`, problem, severity),
    );
    for (const line of readLines(this.file)) {
      const page = line.bytes.length === 0 ? undefined : this.parse(line);
      let newer: bigint | undefined;
      page?.entries.slice(0, MAX_ENTRIES).forEach((entry, ordinal) => {
        this.addEntry(index, page.pageId, entry, line, ordinal);
        const lsn = isExactObject(entry) ? lsnOf(entry) : undefined;
        if (!isExactObject(entry) || lsn === undefined) return;
        const { offset, number } = line;
        order.note(entry, lsn, newer, { offset, number, path: `${servicePageKeys.entries}[${ordinal}]` });
        newer = lsn;
      });
    }
    order.finish();
    this.checkpointEnds.sort((a, b) => (a.lsn < b.lsn ? -1 : a.lsn > b.lsn ? 1 : 0));
    return index.sort();
  }

  private addEntry(
    index: RecordIndex,
    page: bigint | undefined,
    entry: ExactJson,
    line: Line,
    ordinal: number,
  ): void {
    const path = `${servicePageKeys.entries}[${ordinal}]`;
    const lsn = isExactObject(entry) ? lsnOf(entry) : undefined;
    if (!isExactObject(entry)) this.wrong(line, path, "not an object");
    else if (lsn === undefined) this.wrong(line, `${path}.${serviceEntryKeys.lsn}`, "no LSN");
    else if (metadataOf(entry, serviceMetadataKeys.flags) === serviceEntryKind.checkpointEnd)
      this.addCheckpoint(entry, lsn, line, path);
    else {
      const tableId = asU64(metadataOf(entry, serviceMetadataKeys.tableId));
      const pageId = asU64(metadataOf(entry, serviceMetadataKeys.pageId)) ?? page;
      const metadata = `${path}.${serviceEntryKeys.metadata}`;
      if (page !== undefined && pageId !== page)
        this.wrong(
          line,
          `${metadata}.${serviceMetadataKeys.pageId}`,
          `page ${pageId} among the entries of page ${page}`,
        );
      if (tableId === undefined || pageId === undefined) this.wrong(line, metadata, "no table id or page id");
      else index.add(tableId, pageId, lsn, line.offset, line.length * MAX_ENTRIES + ordinal);
    }
  }

  private addCheckpoint(entry: ExactObject, lsn: bigint, line: Line, path: string): void {
    const data = bytesField(entry[serviceEntryKeys.data]);
    if (typeof data === "string") this.wrong(line, `${path}.${serviceEntryKeys.data}`, data);
    const metadata = typeof data === "string" ? new Uint8Array(0) : data;
    const place = { file: this.path, offset: line.offset, line: line.number };
    this.checkpointEnds.push({ lsn, timestamp: 0n, metadata, place });
  }

  private recordOf(entry: ExactObject, page: bigint | undefined, offset: number): PageRecord {
    const issues: Issue[] = [];
    const number = (key: string): bigint => {
      const value = metadataOf(entry, key);
      if (value === undefined) return 0n;
      const exact = asU64(value);
      if (exact === undefined) issues.push(entryIssue(key, "not a 64-bit number", value));
      return exact ?? 0n;
    };
    const tableId = number(serviceMetadataKeys.tableId);
    const pageId = asU64(metadataOf(entry, serviceMetadataKeys.pageId)) ?? page ?? 0n;
    const lsn = lsnOf(entry) as bigint;
    const kind = metadataOf(entry, serviceMetadataKeys.flags);
    if (
      kind !== serviceEntryKind.delta &&
      kind !== serviceEntryKind.fullImage &&
      kind !== serviceEntryKind.tombstone
    )
      issues.push(entryIssue(serviceMetadataKeys.flags, "neither delta, full image nor tombstone", kind));
    const discarded = kind === serviceEntryKind.tombstone;
    const isDelta = discarded || kind === serviceEntryKind.delta;
    const data = this.dataOf(entry, { tableId, pageId, lsn, discarded }, issues);
    return {
      tableId,
      pageId,
      lsn,
      isDelta,
      discarded,
      flags: flagsOf(entry, isDelta, discarded),
      backlinkLsn: number(serviceMetadataKeys.backlinkLsn),
      baseLsn: number(serviceMetadataKeys.baseLsn),
      data,
      place: { file: this.path, offset },
      issues,
    };
  }

  private dataOf(
    entry: ExactObject,
    { tableId, pageId, lsn, discarded }: { tableId: bigint; pageId: bigint; lsn: bigint; discarded: boolean },
    issues: Issue[],
  ): Uint8Array {
    const data = bytesField(entry[serviceEntryKeys.data]);
    if (typeof data === "string") {
      issues.push(entryIssue(serviceEntryKeys.data, data));
      return new Uint8Array(0);
    }
    if (discarded || looksLikeStoredPage(data)) return data;
    const plain = this.options.decrypt?.(tableId, pageId, lsn, data);
    if (plain !== undefined) return plain;
    issues.push({
      code: "service-encrypted",
      severity: "info",
      path: serviceEntryKeys.data,
      message: "encrypted by the service: only the record itself can be checked",
    });
    return data;
  }

  private parse(line: Line): ServicePage | undefined {
    const place = { file: this.path, offset: line.offset, ...(line.number > 0 ? { line: line.number } : {}) };
    if (line.length > MAX_LINE) {
      this.log.add("jsonl-line", place, `a line of ${line.length} bytes`, {
        expected: `at most ${MAX_LINE}`,
      });
      return undefined;
    }
    try {
      const page = parseExactJson(line.bytes, { longText: LONG_TEXT, byteLists: true, base: line.offset });
      const entries = isExactObject(page) ? page[servicePageKeys.entries] : undefined;
      // An empty list reads as no bytes.
      const list = entries instanceof Uint8Array && entries.length === 0 ? [] : entries;
      if (isExactObject(page) && Array.isArray(list))
        return { pageId: u64Field(page, servicePageKeys.pageId), entries: list };
      this.log.add("jsonl-line", place, "not a page with its entries");
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.log.add(
        "jsonl-line",
        { ...place, offset: error.offset ?? line.offset },
        `not JSON: ${error.message}`,
      );
    }
    return undefined;
  }

  private wrong(
    { offset, number }: Pick<Line, "offset" | "number">,
    path: string,
    problem: string,
    severity: Severity = "error",
  ): void {
    const place = { file: this.path, offset, line: number };
    this.log.add("jsonl-field", place, `${path}: ${problem}`, { path, severity });
  }
}

function lsnOf(entry: ExactObject): bigint | undefined {
  const lsn = entry[serviceEntryKeys.lsn];
  return isExactObject(lsn) ? u64Field(lsn, serviceEntryKeys.lsn) : asU64(lsn);
}

/** A value of the entry's metadata, out of its typed wrapping. */
function metadataOf(entry: ExactObject, key: string): ExactJson | undefined {
  const metadata = entry[serviceEntryKeys.metadata];
  const field = isExactObject(metadata) ? metadata[key] : undefined;
  const value = isExactObject(field) ? field[serviceValueKey] : field;
  if (!isExactObject(value)) return value;
  const type = serviceValueTypes.find((name) => value[name] !== undefined);
  return type === undefined ? undefined : value[type];
}

/** The page-log flags the entry's metadata stand for. */
function flagsOf(entry: ExactObject, isDelta: boolean, discarded: boolean): number {
  const { compressed, encrypted, delta, discarded: discard } = pageLogFlags;
  return (
    (metadataOf(entry, serviceMetadataKeys.isCompressed) === true ? compressed : 0) |
    (metadataOf(entry, serviceMetadataKeys.isEncrypted) === true ? encrypted : 0) |
    (isDelta ? delta : 0) |
    (discarded ? discard : 0)
  );
}

const entryIssue = (path: string, message: string, actual?: ExactJson): Issue => ({
  code: "jsonl-field",
  severity: "error",
  path,
  message: `${path}: ${message}`,
  ...(actual === undefined ? {} : { actual }),
});
