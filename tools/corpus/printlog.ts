/** What the engine's `wt printlog -x` says of a log file, and the same said by our reader. */
import { createHash } from "node:crypto";
import { logFlagSymbols } from "../../formats/log.js";
import type { LogOperation } from "../../formats/log-operation.js";
import { bytesToHex, symbolList } from "../../src/codec/index.js";
import type { LogFileRecord } from "../../src/store/log-file.js";

/** A record as printlog shows it: hex texts of keys and values only, numbers as decimal text. */
export type PrintedRecord = Readonly<Record<string, unknown>>;

/** The records of printlog's output, which is JSON but for file ids (`2 0x2`) and left-over commas. */
export function parsePrintlog(text: string): PrintedRecord[] {
  const json = text
    .replace(/^\s*"(key|value|start|stop)": "(?:[^"\\]|\\.)*",\n(?=\s*"\1-hex")/gm, "")
    .replace(/("fileid": )(\d+) 0x[0-9a-f]+/g, "$1$2")
    .replace(/,(\s*[}\]])/g, "$1")
    .replace(/([:[,] ?)(\d+)(?=\s*[,\]}])/g, '$1"$2"');
  return JSON.parse(json) as PrintedRecord[];
}

/** A record of the log file with this number, as printlog would show it; the description record is not shown. */
export function printed(entry: LogFileRecord, file: number): PrintedRecord | undefined {
  const { content, record, offset, length, flags } = entry;
  if (content === undefined || record === undefined) throw new Error(`no content at ${offset}`);
  if (content.kind === "description") return undefined;
  const head = {
    lsn: numbers(file, offset),
    hdr_flags: flagNames(flags),
    rec_len: String(length),
    mem_len: String(flags === 0 ? length : record.memLength),
    type: snake(content.kind),
  };
  switch (content.kind) {
    case "checkpoint":
      return { ...head, ckpt_lsn: numbers(content.lsn.file, content.lsn.offset) };
    case "commit":
      return { ...head, txnid: String(content.txnId), ops: content.operations.map(operation) };
    case "fileSync":
      return { ...head, fileid: String(content.fileId), start: String(content.start) };
    case "message":
      return { ...head, message: content.text };
    case "system":
      return { ...head, ops: content.operations.map(operation) };
    default:
      throw new Error(`printlog knows no ${content.kind} record`);
  }
}

function operation({ body }: LogOperation): PrintedRecord {
  const head = { optype: snake(body.kind) };
  switch (body.kind) {
    case "checkpointStart":
      return head;
    case "prevLsn":
      return { ...head, prev_lsn: numbers(body.lsn.file, body.lsn.offset) };
    case "colPut":
      return {
        ...head,
        ...decimals({ fileid: body.fileId, recno: body.recno }),
        ...hexes({ value: body.value }),
      };
    case "colModify":
      return {
        ...head,
        ...decimals({ fileid: body.fileId, recno: body.recno }),
        ...hexes({ value: body.modify }),
      };
    case "colRemove":
      return { ...head, ...decimals({ fileid: body.fileId, recno: body.recno }) };
    case "colTruncate":
      return { ...head, ...decimals({ fileid: body.fileId, start: body.start, stop: body.stop }) };
    case "rowPut":
      return {
        ...head,
        ...decimals({ fileid: body.fileId }),
        ...hexes({ key: body.key, value: body.value }),
      };
    case "rowModify":
      return {
        ...head,
        ...decimals({ fileid: body.fileId }),
        ...hexes({ key: body.key, value: body.modify }),
      };
    case "rowRemove":
      return { ...head, ...decimals({ fileid: body.fileId }), ...hexes({ key: body.key }) };
    case "rowTruncate":
      return {
        ...head,
        ...decimals({ fileid: body.fileId }),
        ...hexes({ start: body.start, stop: body.stop }),
        ...decimals({ mode: body.mode }),
      };
    default:
      throw new Error(`3.2.1 prints no ${body.kind} operation`);
  }
}

const numbers = (...list: number[]): string[] => list.map(String);
const decimals = (fields: Record<string, number | bigint>): PrintedRecord =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
const hexes = (fields: Record<string, Uint8Array>): PrintedRecord =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [`${name}-hex`, bytesToHex(value)]));
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function flagNames(flags: number): string {
  const names = symbolList(logFlagSymbols).filter(([, mask]) => (flags & mask) !== 0);
  return names.map(([name]) => name).join(",");
}

/** One line a record: its offset, and 8 bytes of the SHA-256 of all that is printed. */
export function truthLine(record: PrintedRecord): string {
  const [, offset] = record.lsn as [string, string];
  return `${offset} ${createHash("sha256").update(JSON.stringify(record)).digest("hex").slice(0, 16)}`;
}
