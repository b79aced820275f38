/** A page log in memory: for tests, and to build what is written elsewhere afterwards. */
import { collectChain } from "./chain.js";
import {
  CheckedPageLog,
  emptyState,
  type NewCheckpoint,
  type NewRecord,
  type WriterState,
} from "./checked-page-log.js";
import { IssueLog } from "./issue-log.js";
import type { PageHead } from "./put-check.js";
import type { CheckpointRecord, PageLog, PageLogGlobals, PageRecord, StoreIssue } from "./types.js";
import type { WritablePageLogOptions } from "./writable.js";

export interface MemoryPageLogOptions extends WritablePageLogOptions {
  /** Keeps checkpoint ids, as stores until about mid-2025 do (default false). */
  readonly checkpointIds?: boolean;
  /** Microseconds since 1970, for records' timestamps; without it they have none. */
  readonly now?: () => bigint;
}

/** Records and checkpoints of any page log, as they are. */
export interface PageLogContents {
  records(): Iterable<Omit<PageRecord, "place" | "issues">>;
  checkpoints(): Iterable<Omit<CheckpointRecord, "place">>;
  readonly globals?: PageLogGlobals;
}

const MEMORY = "memory" as const;
const place = { file: MEMORY };
const compareIds = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

export class MemoryPageLog extends CheckedPageLog {
  readonly kind: PageLog["kind"];
  readonly path: string;
  readonly generation: string;
  private readonly log = new IssueLog();
  /** By table and page; LSNs ascend. */
  private readonly tables: Tables;
  protected readonly completed: CheckpointRecord[];
  private readonly now: (() => bigint) | undefined;

  /**
   * `contents`: what it begins with; the records are shared, not copied. `identity`: of a log that is held in memory,
   * but kept elsewhere.
   */
  constructor(
    options: MemoryPageLogOptions = {},
    contents?: PageLogContents,
    identity?: Pick<PageLog, "kind" | "path" | "generation">,
  ) {
    const tables = contents === undefined ? new Map() : tablesOf(contents.records());
    const completed = [...(contents?.checkpoints() ?? [])].map((checkpoint) => ({ ...checkpoint, place }));
    const state = contents === undefined ? emptyState : stateOf(tables, completed, contents.globals);
    super(options, state, options.checkpointIds ?? keepsIds(tables));
    this.tables = tables;
    this.completed = completed.sort((a, b) => compareIds(a.lsn, b.lsn));
    this.now = options.now;
    this.kind = identity?.kind ?? MEMORY;
    this.path = identity?.path ?? MEMORY;
    this.generation = identity?.generation ?? (this.keepsIds ? "memory, checkpoint ids" : MEMORY);
  }

  /** A log that begins with a copy of everything another one holds. */
  static of(contents: PageLogContents, options: MemoryPageLogOptions = {}): MemoryPageLog {
    const records = Array.from(contents.records(), (record) => ({ ...record, data: record.data.slice() }));
    const checkpoints = [...contents.checkpoints()];
    const { globals = {} } = contents;
    return new MemoryPageLog(options, { records: () => records, checkpoints: () => checkpoints, globals });
  }

  /** Bytes of all records. */
  get size(): number {
    let size = 0;
    for (const { data } of this.records()) size += data.length;
    return size;
  }

  get issues(): readonly StoreIssue[] {
    return this.log.list;
  }

  *records(): IterableIterator<PageRecord> {
    for (const pages of valuesInOrder(this.tables))
      for (const records of valuesInOrder(pages)) yield* records.slice();
  }

  chain(tableId: bigint, pageId: bigint, lsn: bigint, limit = 1000): PageRecord[] {
    const below = this.pageRecords(tableId, pageId).filter((record) => record.lsn <= lsn);
    return collectChain(below.reverse(), limit, this.log);
  }

  record(tableId: bigint, pageId: bigint, lsn: bigint): PageRecord | undefined {
    return this.pageRecords(tableId, pageId).find((record) => record.lsn === lsn);
  }

  checkpoints(): CheckpointRecord[] {
    return [...this.completed];
  }

  protected head(tableId: bigint, pageId: bigint): PageHead | undefined {
    const records = this.pageRecords(tableId, pageId);
    const newest = records.at(-1);
    if (newest === undefined) return undefined;
    const { lsn, discarded, checkpointId } = newest;
    const image = records.findLast(({ isDelta }) => !isDelta);
    return {
      lsn,
      discarded,
      checkpointId,
      imageLsn: image?.lsn ?? 0n,
      imageCheckpointId: image?.checkpointId,
    };
  }

  protected insert(record: NewRecord): void {
    this.at("inside-put");
    const timestamp = this.now === undefined ? {} : { timestampMaterializedUs: this.now() };
    addRecord(this.tables, {
      ...record,
      ...timestamp,
      data: record.data.slice(),
      place: { file: this.path },
      issues: [],
    });
  }

  protected publish(checkpoint: NewCheckpoint): void {
    this.at("inside-publish");
    this.completed.push(this.completion(checkpoint));
  }

  /** A checkpoint as it is kept. */
  protected completion({ checkpointId, ...checkpoint }: NewCheckpoint): CheckpointRecord {
    const id = this.keepsIds ? { checkpointId } : {};
    return { ...checkpoint, ...id, metadata: checkpoint.metadata.slice(), place: { file: this.path } };
  }

  protected removeUnfinished(above: bigint): void {
    for (const [tableId, pages] of this.tables) {
      for (const [pageId, records] of pages) {
        while ((records.at(-1)?.lsn ?? 0n) > above) records.pop();
        if (records.length === 0) pages.delete(pageId);
      }
      if (pages.size === 0) this.tables.delete(tableId);
    }
    // In PALM's layout no LSN may be missing, and nothing names those that were removed.
    if (this.keepsIds) this.last = above;
  }

  /** Its records can still be read. */
  protected release(): void {}

  private pageRecords(tableId: bigint, pageId: bigint): readonly PageRecord[] {
    return this.tables.get(tableId)?.get(pageId) ?? [];
  }
}

type Tables = Map<bigint, Map<bigint, PageRecord[]>>;

function addRecord(tables: Tables, record: PageRecord): void {
  const { tableId, pageId } = record;
  const pages = tables.get(tableId) ?? new Map<bigint, PageRecord[]>();
  if (pages.size === 0) tables.set(tableId, pages);
  const records = pages.get(pageId);
  if (records === undefined) pages.set(pageId, [record]);
  else records.push(record);
}

function tablesOf(records: Iterable<NewRecord>): Tables {
  const tables: Tables = new Map();
  for (const record of records) addRecord(tables, asRecord(record));
  for (const pages of tables.values())
    for (const list of pages.values()) list.sort((a, b) => compareIds(a.lsn, b.lsn));
  return tables;
}

/** Records that have a place keep it, and stay the objects they are. */
const asRecord = (record: NewRecord | PageRecord): PageRecord =>
  "place" in record ? record : { ...record, place, issues: [] };

function* valuesInOrder<V>(map: Map<bigint, V>): Generator<V> {
  for (const key of [...map.keys()].sort(compareIds)) yield map.get(key) as V;
}

function keepsIds(tables: Tables): boolean {
  for (const pages of tables.values())
    for (const [record] of pages.values()) return record?.checkpointId !== undefined;
  return false;
}

function stateOf(
  tables: Tables,
  checkpoints: readonly CheckpointRecord[],
  globals: PageLogGlobals = {},
): WriterState {
  let newest = 0n;
  let highestTableId = globals.highestTableId ?? 0n;
  for (const [tableId, pages] of tables) {
    if (tableId > highestTableId) highestTableId = tableId;
    for (const records of pages.values()) newest = larger(newest, records.at(-1)?.lsn ?? 0n);
  }
  const completed = checkpoints.reduce((most, { lsn }) => larger(most, lsn), 0n);
  const { lsnCounter = 0n, lsnCounterIs } = globals;
  const given = lsnCounterIs === "next" && lsnCounter > 0n ? lsnCounter - 1n : lsnCounter;
  return {
    lastLsn: larger(larger(newest, completed), given),
    completedLsn: completed,
    completedId:
      globals.checkpointCompleted ??
      checkpoints.reduce(
        (most, { checkpointId = 0n }) => larger(most, checkpointId),
        BigInt(checkpoints.length),
      ),
    hasUnfinished: newest > completed,
    highestTableId,
  };
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
