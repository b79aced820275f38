/** PALM page logs: an LMDB environment with the records, checkpoints and counters (formats: page-log stores §3). */

import { pageLogFlagSymbols, pageLogFlags } from "../../formats/page-log.js";
import {
  PALM_PLACE,
  PALM_PROTOTYPE_KEY,
  type PalmKeyLayout,
  palmCheckpointKey,
  palmDatabases,
  palmGlobal,
  palmGlobalSymbols,
  palmKey,
  palmKeyLayouts,
} from "../../formats/palm.js";
import { type Issue, symbolList, symbolValues } from "../codec/index.js";
import { collectChain, copyRecord } from "./chain.js";
import { openInput } from "./input.js";
import { InputError } from "./input-error.js";
import { isSupportedLmdb, type LmdbDatabase, LmdbEnvironment, lmdbVersion } from "./lmdb.js";
import type { LmdbCursor } from "./lmdb-cursor.js";
import type {
  CheckpointRecord,
  PageLog,
  PageLogGlobals,
  PageRecord,
  RandomAccess,
  StoreIssue,
} from "./types.js";

const GLOBAL = symbolValues(palmGlobalSymbols);
const NO_ISSUES: readonly Issue[] = Object.freeze([]);
const KNOWN_FLAGS = symbolList(pageLogFlagSymbols).reduce((all, [, mask]) => all | mask, 0);
/** Keys looked at to find out which layout the keys have: one damaged key must not decide. */
const PROBES = 64;

/**
 * Opens the environment file of a PALM store.
 * @throws InputError `input-unsupported` for another LMDB version or an unknown key layout, `input-unknown` for
 *   another kind of file, and what opening a file throws.
 */
export function openPalm(dataFile: string): PalmStore {
  const file = openInput(dataFile);
  try {
    return new PalmStore(file);
  } catch (error) {
    file.close();
    throw error;
  }
}

export class PalmStore implements PageLog {
  readonly kind = "palm";
  readonly path: string;
  readonly generation: string;
  readonly size: number;
  readonly globals: PageLogGlobals;
  readonly environment: LmdbEnvironment;
  private readonly databases: Map<string, LmdbDatabase>;
  private readonly layout: PalmKeyLayout | undefined;
  private lookup: LmdbCursor | undefined;
  /** Over the buffer that keys were last read from. */
  private view: DataView = new DataView(new ArrayBuffer(0));

  constructor(file: RandomAccess) {
    checkVersion(file);
    this.path = file.path;
    this.size = file.size;
    this.environment = new LmdbEnvironment(file);
    this.databases = this.environment.databases();
    this.layout = this.findLayout();
    this.generation = `PALM ${this.layout === undefined ? "(no records)" : `${this.layout.length}-byte keys`}`;
    this.globals = this.readGlobals();
  }

  get issues(): readonly StoreIssue[] {
    return this.environment.issues;
  }

  *records(): IterableIterator<PageRecord> {
    const cursor = this.cursor(palmDatabases.pages)?.watchForLoops();
    if (cursor === undefined) return;
    let previous: PageRecord | undefined;
    let count = 0n;
    for (let more = cursor.first(); more; more = cursor.next()) {
      count++;
      const record = this.recordAt(cursor);
      if (record === undefined) continue;
      if (previous !== undefined && comparePlace(previous, record) >= 0)
        this.environment.log.add("palm-order", record.place, "record out of order", {
          expected: `above ${placeText(previous)}`,
          actual: placeText(record),
        });
      previous = record;
      yield record;
    }
    this.compareCount(cursor.database, count);
  }

  chain(tableId: bigint, pageId: bigint, lsn: bigint, limit = 1000): PageRecord[] {
    return collectChain(this.downFrom(tableId, pageId, lsn), limit, this.environment.log);
  }

  record(tableId: bigint, pageId: bigint, lsn: bigint): PageRecord | undefined {
    const cursor = this.seekBelow(tableId, pageId, lsn);
    const record = cursor === undefined ? undefined : this.recordAt(cursor);
    const isMeant = record?.lsn === lsn && record.pageId === pageId && record.tableId === tableId;
    return isMeant ? copyRecord(record) : undefined;
  }

  checkpoints(): CheckpointRecord[] {
    const records: CheckpointRecord[] = [];
    const cursor = this.cursor(palmDatabases.checkpoints)?.watchForLoops();
    for (let more = cursor?.first() ?? false; more; more = (cursor as LmdbCursor).next()) {
      const record = this.checkpointAt(cursor as LmdbCursor);
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  close(): void {
    this.environment.close();
  }

  private cursor(name: string): LmdbCursor | undefined {
    const database = this.databases.get(name);
    return database === undefined ? undefined : this.environment.cursor(database);
  }

  /** The lookup cursor on the last record of the page at or below `lsn`, or on some record of another page. */
  private seekBelow(tableId: bigint, pageId: bigint, lsn: bigint): LmdbCursor | undefined {
    this.lookup ??= this.cursor(palmDatabases.pages);
    const cursor = this.lookup;
    if (cursor === undefined) return undefined;
    const found = cursor.seek(keyAbove(tableId, pageId, lsn));
    return (found ? cursor.previous() : cursor.last()) ? cursor : undefined;
  }

  private *downFrom(tableId: bigint, pageId: bigint, lsn: bigint): Generator<PageRecord> {
    const cursor = this.seekBelow(tableId, pageId, lsn);
    for (let more = cursor !== undefined; more; more = (cursor as LmdbCursor).previous()) {
      const record = this.recordAt(cursor as LmdbCursor);
      if (record === undefined) continue;
      if (record.tableId !== tableId || record.pageId !== pageId) return;
      // Where records are out of order, one above the wanted one may come first.
      if (record.lsn <= lsn) yield record;
    }
  }

  private recordAt(cursor: LmdbCursor): PageRecord | undefined {
    const layout = this.layout as PalmKeyLayout;
    const offset = cursor.keyOffset;
    if (cursor.keyLength !== layout.length) {
      this.environment.log.add(
        "palm-key-length",
        { file: this.path, offset },
        "key of another length than the others",
        {
          expected: layout.length,
          actual: cursor.keyLength,
        },
      );
      return undefined;
    }
    return this.build(cursor, layout, offset);
  }

  private build(cursor: LmdbCursor, { at }: PalmKeyLayout, offset: number): PageRecord {
    const { page, keyStart } = cursor;
    if (this.view.buffer !== page.buffer) this.view = new DataView(page.buffer);
    const { view } = this;
    const key = page.byteOffset + keyStart;
    const flags = view.getUint32(key + (at.flags as number), true);
    // The value first: it may be found not to be whole.
    const data = cursor.value();
    const issues =
      isPlain(view, key, at, flags) && cursor.valueProblem === undefined
        ? NO_ISSUES
        : this.problems(cursor, offset);
    const record = {
      tableId: view.getBigUint64(key + (at.tableId as number)),
      pageId: view.getBigUint64(key + (at.pageId as number)),
      lsn: view.getBigUint64(key + (at.lsn as number)),
      isDelta: view.getUint32(key + (at.isDelta as number)) !== 0,
      discarded: (flags & pageLogFlags.discarded) !== 0,
      flags,
      backlinkLsn: view.getBigUint64(key + (at.backlinkLsn as number), true),
      baseLsn: view.getBigUint64(key + (at.baseLsn as number), true),
      timestampMaterializedUs: view.getBigUint64(key + (at.timestampMaterializedUs as number), true),
      data,
      place: { file: this.path, offset: cursor.valueOffset },
      issues,
    };
    return at.checkpointId === undefined ? record : withCheckpointIds(record, view, key, at);
  }

  /** The slow way, for records that have something wrong with them. */
  private problems(cursor: LmdbCursor, offset: number): Issue[] {
    const generation = this.layout?.generation as string;
    const issues = [...palmKey.validate(cursor.key(), { base: offset, generation })];
    if (cursor.valueProblem !== undefined)
      issues.push({
        code: "record-data",
        severity: "error",
        path: "data",
        offset: cursor.valueOffset,
        message: `the record's data is not whole: ${cursor.valueProblem}`,
        expected: cursor.valueLength,
      });
    return issues;
  }

  private checkpointAt(cursor: LmdbCursor): CheckpointRecord | undefined {
    const offset = cursor.keyOffset;
    const place = { file: this.path, offset };
    const reading = palmCheckpointKey.read(cursor.key(), { base: offset });
    if (!reading.ok) {
      this.environment.log.add("palm-checkpoint-key", place, `checkpoint key: ${reading.error.message}`, {
        actual: cursor.keyLength,
      });
      return undefined;
    }
    const metadata = cursor.value().slice();
    if (cursor.valueProblem !== undefined)
      this.environment.log.add("record-data", place, `checkpoint text is not whole: ${cursor.valueProblem}`);
    const { lsn, timestamp } = reading.value;
    const id = reading.value.generation === "L24" ? { checkpointId: reading.value.checkpointId } : {};
    return { lsn, ...id, timestamp, metadata, place: { file: this.path, offset: cursor.valueOffset } };
  }

  private readGlobals(): PageLogGlobals {
    const values = new Map<number, bigint>();
    const cursor = this.cursor(palmDatabases.globals)?.watchForLoops();
    for (let more = cursor?.first() ?? false; more; more = (cursor as LmdbCursor).next()) {
      const { keyOffset } = cursor as LmdbCursor;
      const bytes = Buffer.concat([(cursor as LmdbCursor).key(), (cursor as LmdbCursor).value()]);
      const reading = palmGlobal.read(bytes, { base: keyOffset });
      if (reading.ok) values.set(reading.value.key, reading.value.value);
      for (const { code, message } of reading.issues)
        this.environment.log.add(
          `palm-global-${code}`,
          { file: this.path, offset: keyOffset },
          `counter: ${message}`,
        );
    }
    const lsnCounter = values.get(GLOBAL.revision);
    const checkpointCompleted = values.get(GLOBAL.checkpointCompleted);
    const checkpointStarted = values.get(GLOBAL.checkpointStarted);
    return {
      ...(lsnCounter === undefined ? {} : { lsnCounter, lsnCounterIs: "next" }),
      ...(checkpointCompleted === undefined ? {} : { checkpointCompleted }),
      ...(checkpointStarted === undefined ? {} : { checkpointStarted }),
    };
  }

  /** The layout of most of the first keys. */
  private findLayout(): PalmKeyLayout | undefined {
    const lengths = new Map<number, number>();
    const cursor = this.cursor(palmDatabases.pages);
    if (cursor === undefined) this.reportMissing();
    let probes = 0;
    for (
      let more = cursor?.first() ?? false;
      more && probes < PROBES;
      more = (cursor as LmdbCursor).next(), probes++
    ) {
      const { keyLength } = cursor as LmdbCursor;
      lengths.set(keyLength, (lengths.get(keyLength) ?? 0) + 1);
    }
    const known = [...lengths]
      .filter(([length]) => palmKeyLayouts.has(length))
      .sort((a, b) => b[1] - a[1])[0];
    if (known !== undefined) return palmKeyLayouts.get(known[0]);
    if (lengths.size === 0) return undefined;
    throw this.unsupported([...lengths.keys()]);
  }

  private unsupported(lengths: readonly number[]): InputError {
    const prototype = lengths.includes(PALM_PROTOTYPE_KEY)
      ? " (a prototype from before the log had LSNs)"
      : "";
    const known = [...palmKeyLayouts.keys()].sort((a, b) => a - b).join(", ");
    const reason = `PALM page log with keys of ${lengths.join(", ")} bytes${prototype}; known are ${known}`;
    return new InputError("input-unsupported", this.path, reason);
  }

  private reportMissing(): void {
    if (this.environment.issues.length > 0) return;
    const place = { file: this.path, offset: 0 };
    this.environment.log.add("palm-database", place, `there is no database \`${palmDatabases.pages}\``);
  }

  private compareCount(database: LmdbDatabase, count: bigint): void {
    if (count === database.entries) return;
    const message = `database ${database.name} has another number of records than it says`;
    this.environment.log.add("lmdb-entries", database.place, message, {
      expected: database.entries,
      actual: count,
    });
  }
}

function checkVersion(file: RandomAccess): void {
  if (file.size === 0) throw new InputError("input-empty", file.path, "empty file");
  const version = lmdbVersion(file);
  if (version === undefined) throw new InputError("input-unknown", file.path, "not an LMDB environment");
  // A damaged version is told from another one by the second meta page, which then has the right one.
  if (!isSupportedLmdb(version) && new LmdbEnvironment(file).meta === undefined)
    throw new InputError("input-unsupported", file.path, `LMDB data version ${version}; known is 1`);
}

type Offsets = PalmKeyLayout["at"];

/** Adds them to the record: copying it for each of millions would be felt. */
function withCheckpointIds(
  record: { -readonly [K in keyof PageRecord]: PageRecord[K] },
  view: DataView,
  key: number,
  at: Offsets,
): PageRecord {
  record.checkpointId = view.getBigUint64(key + (at.checkpointId as number));
  record.backlinkCheckpointId = view.getBigUint64(key + (at.backlinkCheckpointId as number), true);
  record.baseCheckpointId = view.getBigUint64(key + (at.baseCheckpointId as number), true);
  return record;
}

/** Whether the declaration's rules can have nothing to say about the key. */
function isPlain(view: DataView, key: number, at: Offsets, flags: number): boolean {
  const isDelta = view.getUint32(key + (at.isDelta as number));
  return (
    isDelta === ((flags & pageLogFlags.delta) === 0 ? 0 : 1) &&
    (flags & ~KNOWN_FLAGS) === 0 &&
    view.getUint32(key + (at.padding as number)) === 0 &&
    (at.padding2 === undefined || view.getUint32(key + at.padding2) === 0)
  );
}

/** A key above every key of the record at a place, and below those of the next LSN. */
function keyAbove(tableId: bigint, pageId: bigint, lsn: bigint): Uint8Array {
  const key = new Uint8Array(LONGEST_KEY + 1).fill(0xff);
  const view = new DataView(key.buffer);
  view.setBigUint64(PALM_PLACE.tableId, tableId);
  view.setBigUint64(PALM_PLACE.pageId, pageId);
  view.setBigUint64(PALM_PLACE.lsn, lsn);
  return key;
}
const LONGEST_KEY = Math.max(...palmKeyLayouts.keys());

function comparePlace(a: PageRecord, b: PageRecord): number {
  const [left, right] =
    a.tableId !== b.tableId
      ? [a.tableId, b.tableId]
      : a.pageId !== b.pageId
        ? [a.pageId, b.pageId]
        : [a.lsn, b.lsn];
  return left < right ? -1 : left > right ? 1 : 0;
}

const placeText = ({ tableId, pageId, lsn }: PageRecord): string =>
  `table ${tableId} page ${pageId} LSN ${lsn}`;
