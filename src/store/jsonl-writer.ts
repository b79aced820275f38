/**
 * Page logs as JSON lines, in the layout of exports: `pages.jsonl`, `checkpoints.jsonl`, `globals.jsonl`. For exchange
 * and for small logs: what is written to is held in memory, and every checkpoint writes the files anew.
 */
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  exportCheckpointKeys as CHECKPOINT,
  exportFiles,
  exportGlobalKeys as GLOBAL,
  exportPageKeys as PAGE,
} from "../../formats/page-log-export.js";
import { palmGlobalSymbols } from "../../formats/palm.js";
import { symbolValues } from "../codec/index.js";
import { copyRecord } from "./chain.js";
import type { NewCheckpoint, NewRecord } from "./checked-page-log.js";
import { replaceFile, UNFINISHED } from "./durable-file.js";
import { openJsonlExport } from "./jsonl.js";
import { MemoryPageLog, type MemoryPageLogOptions, type PageLogContents } from "./memory-page-log.js";
import { PageLogError } from "./page-log-error.js";
import type { CheckpointRecord, PageLogGlobals } from "./types.js";
import { failure } from "./write-failure.js";
import { WriterLock } from "./writer-lock.js";

/** LSNs that are taken from the counter at a time. */
const RESERVED = 4096n;
const counters = symbolValues(palmGlobalSymbols);

/**
 * Writes all of a page log into a directory, which must not hold an export yet. Checkpoint ids are written where the
 * log has them. Reading it back gives the same records and checkpoints.
 * @throws PageLogError `unsupported`, `io`
 */
export function exportPageLog(log: PageLogContents, directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
    const taken = readdirSync(directory).find((name) => Object.values<string>(exportFiles).includes(name));
    if (taken !== undefined)
      throw new PageLogError("unsupported", `there is a ${taken} already`, { file: directory });
    // Without its pages it is no export: those come last.
    save(directory, "checkpoints", checkpointLines(log.checkpoints()));
    if (log.globals !== undefined) save(directory, "globals", globalLines(log.globals));
    save(directory, "pages", pageLines(log.records()));
  } catch (error) {
    throw failure(error, { file: directory });
  }
}

export interface OpenJsonlOptions extends MemoryPageLogOptions {
  /** Makes what is not there (default false). */
  readonly create?: boolean;
}

/**
 * The record of a checkpoint is replaced last: until then the files show the checkpoint before. Logs with checkpoint
 * ids are PALM's, whose LSNs have no gaps: there none is reserved, and the counter is in the files only while nobody
 * writes.
 */
export class JsonlWriter extends MemoryPageLog {
  /** LSNs up to here are taken from the counter. */
  private reserved: bigint;

  /** @throws PageLogError `locked`, `missing`, `unsupported`, `io` */
  static open(directory: string, options: OpenJsonlOptions = {}): JsonlWriter {
    try {
      if (options.create === true) mkdirSync(directory, { recursive: true });
      const lock = WriterLock.take(directory);
      try {
        // What a process that was killed had not finished.
        for (const name of Object.values(exportFiles))
          rmSync(join(directory, `${name}${UNFINISHED}`), { force: true });
        return new JsonlWriter(directory, lock, options, readExport(directory, options));
      } catch (error) {
        lock.release();
        throw error;
      }
    } catch (error) {
      throw failure(error, { file: directory });
    }
  }

  private constructor(
    directory: string,
    private readonly lock: WriterLock,
    options: MemoryPageLogOptions,
    contents: PageLogContents,
  ) {
    super(options, contents, { kind: "page-log-jsonl", path: directory, generation: "page-log export" });
    this.reserved = this.last;
  }

  protected override insert(record: NewRecord): void {
    if (!this.keepsIds && record.lsn > this.reserved) {
      const last = record.lsn + RESERVED - 1n;
      this.save("globals", globalLines({ lsnCounter: last + 1n, lsnCounterIs: "next" }));
      this.reserved = last;
    }
    super.insert(record);
  }

  protected override publish(checkpoint: NewCheckpoint): void {
    if (this.keepsIds) this.removeCounters();
    this.savePages();
    if (!this.keepsIds) {
      this.saveCounter(checkpoint.lsn);
      // Used up, even if it fails from here on.
      this.last = checkpoint.lsn;
    }
    this.at("inside-publish");
    const completed = this.completion(checkpoint);
    this.save("checkpoints", checkpointLines([...this.completed, completed]));
    this.completed.push(completed);
  }

  protected override release(): void {
    try {
      if (this.keepsIds) this.removeCounters();
      this.savePages();
      this.saveCounter(this.last);
    } finally {
      this.lock.release();
    }
  }

  private savePages(): void {
    this.save("pages", pageLines(this.records()));
  }

  /** Ids of checkpoints are those in their records: counters of them would be of another moment. */
  private saveCounter(last: bigint): void {
    this.save("globals", globalLines({ lsnCounter: last + 1n, lsnCounterIs: "next" }));
    this.reserved = last;
  }

  private removeCounters(): void {
    try {
      rmSync(join(this.path, exportFiles.globals), { force: true });
    } catch (error) {
      throw failure(error, { file: this.path });
    }
  }

  private save(name: keyof typeof exportFiles, lines: Iterable<string>): void {
    try {
      save(this.path, name, lines);
    } catch (error) {
      throw failure(error, { file: this.path });
    }
  }
}

/** Everything there is; where an export may be made, its first file is. */
function readExport(directory: string, { create = false }: OpenJsonlOptions): PageLogContents {
  const hasPages = statSync(join(directory, exportFiles.pages), { throwIfNoEntry: false }) !== undefined;
  if (!hasPages && !create) throw new PageLogError("missing", "no export of a page log", { file: directory });
  if (!hasPages) save(directory, "pages", []);
  const log = openJsonlExport(directory);
  try {
    const records = Array.from(log.records(), copyRecord);
    const issues = [...log.issues, ...records.flatMap((record) => record.issues)];
    const issue = issues.find(({ severity }) => severity !== "info");
    if (issue !== undefined)
      throw new PageLogError("unsupported", `damaged: ${issue.message}`, { file: directory });
    const checkpoints = log.checkpoints();
    return { records: () => records, checkpoints: () => checkpoints, globals: log.globals };
  } finally {
    log.close();
  }
}

const save = (directory: string, name: keyof typeof exportFiles, lines: Iterable<string>): void =>
  replaceFile(join(directory, exportFiles[name]), chunksOf(lines));

const CHUNK = 256 * 1024;

function* chunksOf(lines: Iterable<string>): Generator<Uint8Array> {
  let text = "";
  for (const line of lines) {
    text += `${line}\n`;
    if (text.length < CHUNK) continue;
    yield Buffer.from(text);
    text = "";
  }
  if (text !== "") yield Buffer.from(text);
}

/** Values are whole numbers, or JSON already. */
const lineOf = (fields: Readonly<Record<string, bigint | number | string | undefined>>): string => {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return `{${given.map(([key, value]) => `"${key}": ${value}`).join(", ")}}`;
};
const hex = (bytes: Uint8Array): string =>
  `"${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")}"`;

function* pageLines(records: Iterable<NewRecord>): Generator<string> {
  for (const record of records)
    yield lineOf({
      [PAGE.tableId]: record.tableId,
      [PAGE.pageId]: record.pageId,
      [PAGE.lsn]: record.lsn,
      [PAGE.checkpointId]: record.checkpointId,
      [PAGE.isDelta]: record.isDelta ? 1 : 0,
      [PAGE.backlinkLsn]: record.backlinkLsn,
      [PAGE.baseLsn]: record.baseLsn,
      [PAGE.backlinkCheckpointId]: record.backlinkCheckpointId,
      [PAGE.baseCheckpointId]: record.baseCheckpointId,
      [PAGE.flags]: record.flags,
      [PAGE.timestampMaterializedUs]: record.timestampMaterializedUs,
      [PAGE.padding]: record.checkpointId === undefined ? undefined : "[0, 0]",
      [PAGE.size]: record.data.length,
      [PAGE.data]: hex(record.data),
    });
}

function* checkpointLines(checkpoints: Iterable<Omit<CheckpointRecord, "place">>): Generator<string> {
  for (const { lsn, checkpointId, timestamp, metadata } of checkpoints) {
    const text = decodeText(metadata);
    yield lineOf({
      [CHECKPOINT.lsn]: lsn,
      [CHECKPOINT.checkpointId]: checkpointId,
      [CHECKPOINT.timestamp]: timestamp,
      [CHECKPOINT.metadataText]: text === undefined ? undefined : JSON.stringify(text),
      [CHECKPOINT.metadata]: hex(metadata),
    });
  }
}

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The counter of LSNs is the next one here, whatever it is in the log. */
function* globalLines(globals: PageLogGlobals): Generator<string> {
  const { lsnCounter, lsnCounterIs, checkpointCompleted, checkpointStarted } = globals;
  const revision = lsnCounter === undefined || lsnCounterIs === "next" ? lsnCounter : lsnCounter + 1n;
  const values = { revision, checkpointCompleted, checkpointStarted };
  for (const [name, value] of Object.entries(values))
    if (value !== undefined)
      yield lineOf({ [GLOBAL.key]: counters[name as keyof typeof counters], [GLOBAL.value]: value });
}
