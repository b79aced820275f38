/** `inspect` of a write-ahead log file: its records, or the one at `--offset`. */
import {
  LOG_HEADER_SIZE,
  logHeaderOf,
  logRecord,
  logRecordBody,
  looksLikeLogHeader,
} from "../../../formats/log.js";
import type { InspectedPart, Inspection } from "../../report/inspection.js";
import type { Row } from "../../report/table.js";
import { readRange } from "../../store/file.js";
import { type LogFileEntry, readLogFile } from "../../store/log-file.js";
import type { RandomAccess } from "../../store/types.js";
import { CommandError } from "../exit.js";
import { inspectWith } from "./bytes.js";
import { type InspectRequest, refuse } from "./request.js";

/** Largest record that is read to be shown, bytes. */
const MAX_SHOWN = 64 * 1024 * 1024;
const COLUMNS = ["offset", "length", "what", "operations", "compressor", "issues"];

export function inspectLogFile(file: RandomAccess, request: InspectRequest): Inspection {
  refuse(request, "a log file", ["page", "lsn", "table", "length"], "use --offset");
  return request.offset === undefined ? listRecords(file, request.limit) : showRecord(file, request.offset);
}

function listRecords(file: RandomAccess, limit: number): Inspection {
  const rows: Row[] = [];
  let complete = true;
  for (const entry of readLogFile(file)) {
    if (limit !== 0 && rows.length === limit) {
      complete = false;
      break;
    }
    rows.push(entryRow(entry));
  }
  const title = complete ? "Records" : `The first ${rows.length} records (--limit 0 lists all)`;
  return {
    input: { path: file.path, kind: "log-file" },
    title: file.path,
    facts: { kind: "write-ahead log file", bytes: file.size },
    parts: [],
    tables: [{ name: "records", title, columns: COLUMNS, rows }],
  };
}

function entryRow(entry: LogFileEntry): Row {
  const { offset, length } = entry;
  const issues = [...new Set(entry.issues.map(({ code }) => code))];
  if (entry.kind === "gap") return { offset, length, what: "no record", issues };
  const { content, operations, compressor, behindEnd } = entry;
  const what = `${content?.kind ?? "record"}${behindEnd ? ", behind the end" : ""}`;
  return { offset, length, what, ...(operations > 0 && { operations }), compressor, issues };
}

function showRecord(file: RandomAccess, offset: number): Inspection {
  if (offset >= file.size) throw new CommandError(`--offset: ${file.path} ends at ${file.size}`);
  const head = readRange(file, offset, LOG_HEADER_SIZE);
  if (!looksLikeLogHeader(head, file.size - offset))
    throw new CommandError(`--offset: no record begins at ${offset} of ${file.path}`);
  const { length } = logHeaderOf(head);
  const bytes = readRange(file, offset, Math.min(length, MAX_SHOWN));
  return {
    input: { path: file.path, kind: "log-file" },
    title: `${file.path}, offset ${offset}`,
    facts: { offset, length },
    parts: [
      { ...inspectWith(logRecord, bytes, offset, {}), title: "Stored record" },
      ...plainContent(file, offset),
    ],
    tables: [],
  };
}

/** What a compressed record says. */
function plainContent(file: RandomAccess, offset: number): InspectedPart[] {
  for (const entry of readLogFile(file)) {
    if (entry.offset > offset) break;
    if (entry.offset !== offset || entry.kind === "gap" || entry.content === undefined) continue;
    if (entry.compressor === undefined) return [];
    const bytes = logRecordBody.build(entry.content);
    return [{ ...inspectWith(logRecordBody, bytes, 0, {}), title: `Plain content (${entry.compressor})` }];
  }
  return [];
}
