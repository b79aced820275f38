/** Page logs exported as JSON lines: a directory with `pages.jsonl`, or that file alone. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { pageLogFlags } from "../../formats/page-log.js";
import {
  exportCheckpointKeys,
  exportFiles,
  exportGlobalKeys,
  exportPageKeys as KEYS,
} from "../../formats/page-log-export.js";
import { palmGlobalSymbols } from "../../formats/palm.js";
import { type ExactObject, isExactObject, parseExactJson } from "../codec/exact-json.js";
import { FormatError, type Issue, symbolValues } from "../codec/index.js";
import { checkpointRepeats, globalRepeats, textBytes } from "./export-repeats.js";
import { IndexedPageLog } from "./indexed-page-log.js";
import { openInput } from "./input.js";
import { asU64, hexField, u64Field } from "./json-fields.js";
import { type Line, MAX_LINE, readLines } from "./lines.js";
import { ReadWindow } from "./read-window.js";
import { unknownFlags } from "./record-flags.js";
import { RecordIndex } from "./record-index.js";
import type { CheckpointRecord, PageLogGlobals, PageRecord, RandomAccess } from "./types.js";

const LONG_TEXT = 64;
const MAX_FLAGS = (1n << 32n) - 1n;
const GLOBAL = symbolValues(palmGlobalSymbols);

/** @throws InputError when the pages cannot be opened. */
export function openJsonlExport(path: string): JsonlPageLog {
  const directory = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!directory) return new JsonlPageLog(path, openInput(path));
  const file = (name: string): RandomAccess | undefined => {
    const full = join(path, name);
    return statSync(full, { throwIfNoEntry: false })?.isFile() === true ? openInput(full) : undefined;
  };
  return new JsonlPageLog(
    path,
    openInput(join(path, exportFiles.pages)),
    file(exportFiles.checkpoints),
    file(exportFiles.globals),
  );
}

export class JsonlPageLog extends IndexedPageLog {
  readonly kind = "page-log-jsonl";
  readonly generation = "page-log export";
  readonly size: number;
  readonly globals: PageLogGlobals;
  private made: RecordIndex | undefined;
  private readonly lines: ReadWindow;

  constructor(
    readonly path: string,
    private readonly pages: RandomAccess,
    private readonly checkpointFile?: RandomAccess,
    private readonly globalFile?: RandomAccess,
  ) {
    super();
    this.size = pages.size + (checkpointFile?.size ?? 0) + (globalFile?.size ?? 0);
    this.lines = new ReadWindow(pages);
    this.globals = this.readGlobals();
  }

  close(): void {
    for (const file of [this.pages, this.checkpointFile, this.globalFile]) file?.close();
  }

  checkpoints(): CheckpointRecord[] {
    const records: CheckpointRecord[] = [];
    for (const { object, line, file } of this.objects(this.checkpointFile)) {
      const place = { file: file.path, offset: line.offset, line: line.number };
      const lsn = u64Field(object, exportCheckpointKeys.lsn);
      if (lsn === undefined) this.wrongField(file, line, exportCheckpointKeys.lsn);
      else records.push({ lsn, ...this.checkpointFields(object, file, line), place });
    }
    return records.sort((a, b) => (a.lsn < b.lsn ? -1 : a.lsn > b.lsn ? 1 : 0));
  }

  protected get index(): RecordIndex {
    this.made ??= this.makeIndex();
    return this.made;
  }

  protected load(at: number): PageRecord | undefined {
    const offset = this.index.first(at);
    const length = this.index.second(at);
    const object = this.parse(this.pages, {
      offset,
      length,
      number: 0,
      bytes: this.lines.view(offset, length),
    });
    return object === undefined ? undefined : recordOf(object, { file: this.pages.path, offset });
  }

  private makeIndex(): RecordIndex {
    const index = new RecordIndex();
    for (const { object, line, file } of this.objects(this.pages)) {
      const tableId = u64Field(object, KEYS.tableId);
      const pageId = u64Field(object, KEYS.pageId);
      const lsn = u64Field(object, KEYS.lsn);
      if (tableId === undefined) this.wrongField(file, line, KEYS.tableId);
      else if (pageId === undefined) this.wrongField(file, line, KEYS.pageId);
      else if (lsn === undefined) this.wrongField(file, line, KEYS.lsn);
      else index.add(tableId, pageId, lsn, line.offset, line.length);
    }
    return index.sort();
  }

  private checkpointFields(
    object: ExactObject,
    file: RandomAccess,
    line: Line,
  ): Omit<CheckpointRecord, "lsn" | "place"> {
    const { metadata, metadataText, timestamp, checkpointId } = exportCheckpointKeys;
    const id = u64Field(object, checkpointId);
    for (const key of [checkpointId, timestamp])
      if (object[key] !== undefined && u64Field(object, key) === undefined) this.wrongField(file, line, key);
    const text = object[metadata] === undefined ? textBytes(object[metadataText]) : undefined;
    const bytes = text ?? hexField(object[metadata]);
    if (typeof bytes === "string") this.wrongField(file, line, metadata, bytes);
    for (const { path, problem } of checkpointRepeats(object, typeof bytes === "string" ? undefined : bytes))
      this.wrongField(file, line, path, problem);
    return {
      ...(id === undefined ? {} : { checkpointId: id }),
      timestamp: u64Field(object, timestamp) ?? 0n,
      metadata: typeof bytes === "string" ? new Uint8Array(0) : bytes,
    };
  }

  private readGlobals(): PageLogGlobals {
    const values = new Map<number, bigint>();
    for (const { object, line, file } of this.objects(this.globalFile)) {
      const key = u64Field(object, exportGlobalKeys.key);
      const value = u64Field(object, exportGlobalKeys.value);
      if (key === undefined) this.wrongField(file, line, exportGlobalKeys.key);
      else if (value === undefined) this.wrongField(file, line, exportGlobalKeys.value);
      else {
        if (values.has(Number(key)))
          this.wrongField(file, line, exportGlobalKeys.key, `counter ${key} was given before`);
        values.set(Number(key), value);
      }
      for (const { path, problem } of globalRepeats(object)) this.wrongField(file, line, path, problem);
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

  /** The objects of a file, line by line; lines that are none become issues. */
  private *objects(
    file: RandomAccess | undefined,
  ): Generator<{ object: ExactObject; line: Line; file: RandomAccess }> {
    if (file === undefined) return;
    for (const line of readLines(file)) {
      if (line.bytes.length === 0) continue;
      const object = this.parse(file, line);
      if (object !== undefined) yield { object, line, file };
    }
  }

  private parse(file: RandomAccess, line: Line): ExactObject | undefined {
    const place = { file: file.path, offset: line.offset, ...(line.number > 0 ? { line: line.number } : {}) };
    if (line.length > MAX_LINE) {
      this.log.add("jsonl-line", place, `a line of ${line.length} bytes`, {
        expected: `at most ${MAX_LINE}`,
      });
      return undefined;
    }
    try {
      const value = parseExactJson(line.bytes, { longText: LONG_TEXT, byteLists: true, base: line.offset });
      if (isExactObject(value)) return value;
      this.log.add("jsonl-line", place, "not a JSON object");
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

  private wrongField(
    file: RandomAccess,
    line: Line,
    path: string,
    problem = "missing, or not a 64-bit number",
  ): void {
    const place = { file: file.path, offset: line.offset, line: line.number };
    this.log.add("jsonl-field", place, `${path}: ${problem}`, { path });
  }
}

function recordOf(object: ExactObject, place: PageRecord["place"]): PageRecord {
  const issues: Issue[] = [];
  const number = (key: string): bigint | undefined => {
    const value = u64Field(object, key);
    if (value === undefined && object[key] !== undefined)
      issues.push(fieldIssue(key, "not a 64-bit number", object[key]));
    return value;
  };
  const required = (key: string): bigint => {
    if (object[key] === undefined) issues.push(fieldIssue(key, "missing"));
    return number(key) ?? 0n;
  };
  const data = hexField(object[KEYS.data]);
  if (typeof data === "string") issues.push(fieldIssue(KEYS.data, data));
  const bytes = typeof data === "string" ? new Uint8Array(0) : data;
  const size = number(KEYS.size);
  if (size !== undefined && typeof data !== "string" && size !== BigInt(bytes.length))
    issues.push({
      ...fieldIssue(KEYS.size, "not the number of bytes given"),
      expected: bytes.length,
      actual: size,
    });
  const given = required(KEYS.flags);
  const flags = Number(BigInt.asUintN(32, given));
  if (given > MAX_FLAGS) issues.push(fieldIssue(KEYS.flags, "not a 32-bit number", given));
  const unknown = unknownFlags(KEYS.flags, BigInt(flags));
  if (unknown !== undefined) issues.push(unknown);
  const isDelta = number(KEYS.isDelta) ?? BigInt((flags & pageLogFlags.delta) !== 0);
  if (isDelta !== BigInt((flags & pageLogFlags.delta) !== 0))
    issues.push({
      ...fieldIssue(KEYS.isDelta, "does not agree with the flags"),
      code: "delta-flag",
      actual: isDelta,
    });
  const paddings = object[KEYS.padding];
  const padding: Uint8Array | undefined = paddings instanceof Uint8Array ? paddings : undefined;
  if (paddings !== undefined && padding === undefined && !Array.isArray(paddings))
    issues.push(fieldIssue(KEYS.padding, "not a list of numbers", paddings));
  if (
    padding?.some((value) => value !== 0) ||
    (Array.isArray(paddings) && paddings.some((value) => asU64(value) !== 0n))
  )
    issues.push({
      ...fieldIssue(KEYS.padding, "padding is not zero"),
      code: "reserved",
      severity: "warning",
    });
  return {
    tableId: required(KEYS.tableId),
    pageId: required(KEYS.pageId),
    lsn: required(KEYS.lsn),
    isDelta: isDelta !== 0n,
    discarded: (flags & pageLogFlags.discarded) !== 0,
    flags,
    backlinkLsn: required(KEYS.backlinkLsn),
    baseLsn: required(KEYS.baseLsn),
    ...optional("checkpointId", number(KEYS.checkpointId)),
    ...optional("backlinkCheckpointId", number(KEYS.backlinkCheckpointId)),
    ...optional("baseCheckpointId", number(KEYS.baseCheckpointId)),
    ...optional("timestampMaterializedUs", number(KEYS.timestampMaterializedUs)),
    data: bytes,
    place,
    issues,
  };
}

const optional = <K extends string>(key: K, value: bigint | undefined): { [P in K]?: bigint } =>
  (value === undefined ? {} : { [key]: value }) as { [P in K]?: bigint };

const fieldIssue = (path: string, message: string, actual?: unknown): Issue => ({
  code: "jsonl-field",
  severity: "error",
  path,
  message: `${path}: ${message}`,
  ...(actual === undefined ? {} : { actual }),
});
