/** `inspect` of files of blocks: a classic .wt file, raw blocks, blocks a server printed into its log. */
import { CLASSIC_BLOCK } from "../../../formats/block-header.js";
import { keyPageStart } from "../../../formats/crypt-page.js";
import { descriptionBlock, MIN_ALLOCATION_SIZE } from "../../../formats/description-block.js";
import { MAX_PAGE_TYPE, PAGE_HEADER, pageTypeSymbols } from "../../../formats/page-header.js";
import { symbolList } from "../../codec/schema.js";
import type { Inspection } from "../../report/inspection.js";
import type { Row } from "../../report/table.js";
import type { BlockInput } from "../../store/block.js";
import { soundClassicBlock } from "../../store/block-look.js";
import type { CorruptionLog } from "../../store/corruption-log.js";
import { readRange } from "../../store/file.js";
import type { RandomAccess } from "../../store/types.js";
import type { AnyFormat } from "../convert.js";
import { CommandError } from "../exit.js";
import { inspectBytes, inspectWith } from "./bytes.js";
import { type InspectRequest, refuse } from "./request.js";

/** Largest block that is read to be shown, bytes. */
const MAX_SHOWN = 64 * 1024 * 1024;

/** A classic file: the block at `--offset`, or the description block and a list of the blocks. */
export function inspectClassicFile(
  file: RandomAccess,
  request: InspectRequest,
  allocationSize: number | undefined,
): Inspection {
  refuse(request, "a .wt file", ["page", "lsn", "table"], "use --offset");
  // Where the description block is damaged: every allocation size is a multiple of the smallest.
  const unit = allocationSize ?? MIN_ALLOCATION_SIZE;
  const input: Row = { path: file.path, kind: "wt-file", allocationSize: unit };
  const { offset } = request;
  if (offset === undefined) return listBlocks(file, input, request, unit);
  const bytes =
    request.length === undefined ? blockAt(file, offset, unit) : rangeOf(file, offset, request.length);
  const format = offset === 0 && request.format === undefined ? descriptionBlock : undefined;
  return {
    input,
    title: `${file.path}, offset ${offset}`,
    facts: { offset, length: bytes.length },
    parts:
      format === undefined
        ? inspectBytes(bytes, offset, request)
        : [inspectWith(format, bytes, offset, request.read)],
    tables: [],
  };
}

function rangeOf(file: RandomAccess, offset: number, length: number): Uint8Array {
  if (offset >= file.size) throw new CommandError(`--offset: ${file.path} ends at ${file.size}`);
  if (length > MAX_SHOWN) throw new CommandError(`--length: at most ${MAX_SHOWN} bytes are shown`);
  return readRange(file, offset, length);
}

/** The bytes of the block at an offset: as many as its header says, one unit when that cannot be. */
function blockAt(file: RandomAccess, offset: number, unit: number): Uint8Array {
  if (offset === 0) return rangeOf(file, 0, unit);
  const head = rangeOf(file, offset, CLASSIC_BLOCK.payload);
  return rangeOf(file, offset, possibleSize(head, file.size - offset, unit) ?? unit);
}

/** disk_size of a header that may be one. */
function possibleSize(head: Uint8Array, left: number, unit: number): number | undefined {
  if (head.length < CLASSIC_BLOCK.payload) return undefined;
  const size = new DataView(head.buffer, head.byteOffset, head.length).getUint32(
    CLASSIC_BLOCK.diskSize,
    true,
  );
  const type = head[PAGE_HEADER.at.type] as number;
  const fits = size >= unit && size % unit === 0 && size <= Math.min(left, MAX_SHOWN);
  return fits && type > 0 && type <= MAX_PAGE_TYPE ? size : undefined;
}

function listBlocks(file: RandomAccess, input: Row, request: InspectRequest, unit: number): Inspection {
  const rows: Row[] = [];
  let complete = true;
  for (const row of blocksOf(file, unit)) {
    if (request.limit !== 0 && rows.length === request.limit) {
      complete = false;
      break;
    }
    rows.push(row);
  }
  const columns = ["offset", "length", "what", "entries", "writeGen", "memSize", "checksum"];
  const title = complete
    ? "Blocks, current and old"
    : `The first ${rows.length} blocks (--limit 0 lists all)`;
  return {
    input,
    title: file.path,
    facts: { kind: "classic .wt file", bytes: file.size, allocationSize: unit },
    parts: [inspectWith(descriptionBlock, rangeOf(file, 0, unit), 0, {})],
    tables: [{ name: "blocks", title, columns, rows }],
  };
}

const TYPE_NAMES = new Map(symbolList(pageTypeSymbols).map(([name, number]) => [number, name]));

/** Every sound block, and between them the ranges that are none. */
function* blocksOf(file: RandomAccess, unit: number): Generator<Row> {
  let other = unit;
  for (let at = unit; at < file.size; ) {
    const size = soundBlock(file, at, unit);
    if (size === 0) {
      at += unit;
      continue;
    }
    if (other < at) yield { offset: other, length: at - other, what: "no sound block" };
    yield blockRow(readRange(file, at, CLASSIC_BLOCK.payload), at, size);
    at += size;
    other = at;
  }
  if (other < file.size) yield { offset: other, length: file.size - other, what: "no sound block" };
}

function soundBlock(file: RandomAccess, at: number, unit: number): number {
  const head = readRange(file, at, CLASSIC_BLOCK.payload);
  const size = possibleSize(head, file.size - at, unit);
  return size === undefined ? 0 : soundClassicBlock(readRange(file, at, size));
}

function blockRow(head: Uint8Array, offset: number, length: number): Row {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const { type, entries, memSize, writeGen } = PAGE_HEADER.at;
  const checksum = view.getUint32(CLASSIC_BLOCK.checksum, true);
  return {
    offset,
    length,
    what: TYPE_NAMES.get(head[type] as number),
    entries: view.getUint32(entries, true),
    writeGen: view.getBigUint64(writeGen, true),
    memSize: view.getUint32(memSize, true),
    checksum: `0x${checksum.toString(16).padStart(8, "0")}`,
  };
}

/** A file of bytes in one format, from `--offset` on. */
export function inspectRawFile(file: RandomAccess, request: InspectRequest, format: AnyFormat): Inspection {
  refuse(request, "a plain file", ["page", "lsn", "table"], "use --offset");
  const { offset = 0, length = Math.min(file.size - offset, MAX_SHOWN) } = request;
  const before = Math.max(0, offset - MAX_BLOB);
  refuseInsideKeyPage(readRange(file, before, offset - before + length), offset - before, file.path, before);
  const bytes = rangeOf(file, offset, length);
  if (KEY_PAGE_AS_TEXT.test(Buffer.from(bytes).toString("latin1")))
    throw new CommandError(`${file.path}: holds a key provider's page as text; inspect it without --format`);
  return {
    input: { path: file.path, kind: "file" },
    title: file.path,
    facts: { bytes: file.size, offset, length: bytes.length },
    parts: inspectBytes(bytes, offset, { ...request, format }),
    tables: [],
  };
}

/** Key blobs are short; a key page that begins farther in front does not reach up to the bytes shown. */
const MAX_BLOB = 64 * 1024;

/** A crypt header in a text of hex digits or numbers, as exports and dumps have them. */
const KEY_PAGE_AS_TEXT = /77\s?74\s?63\s?68\s?0[1-9a-f]|119,\s*116,\s*99,\s*104,\s*\d/i;

/**
 * Bytes behind the header of a key page are shown as part of that page only.
 * @throws CommandError with the offset of the key page.
 */
function refuseInsideKeyPage(bytes: Uint8Array, offset: number, path: string, base = 0): void {
  for (let from = 0; from < bytes.length; ) {
    const start = keyPageStart(bytes.subarray(from), Number.POSITIVE_INFINITY);
    if (start === undefined) return;
    const at = from + start;
    if (at !== offset)
      throw new CommandError(
        `${path}: a key provider's page begins at ${base + at}, and is only shown from there (--offset ${base + at})`,
      );
    from = at + 1;
  }
}

/** Pages and blocks in a file of their own, or as hex; the first, or all that the limit allows. */
export function inspectBlocks(input: BlockInput, request: InspectRequest): Inspection {
  refuse(request, "a file of blocks", ["page", "lsn", "table"], "use --offset");
  const { offset = 0, length } = request;
  const shown = request.limit === 0 ? input.blocks : input.blocks.slice(0, request.limit);
  const parts = shown.flatMap(({ bytes }) => {
    if (offset >= bytes.length) throw new CommandError(`--offset: there are ${bytes.length} bytes`);
    if (offset > 0) refuseInsideKeyPage(bytes, offset, input.path);
    const end = length === undefined ? bytes.length : Math.min(bytes.length, offset + length);
    return inspectBytes(bytes.subarray(offset, end), offset, request);
  });
  const count = input.blocks.length;
  return {
    input: { path: input.path, kind: input.kind, form: input.form },
    title: input.path === "-" ? "standard input" : input.path,
    facts: { bytes: input.size, form: input.form, ...(count > 1 && { blocks: count }) },
    parts,
    tables: [],
  };
}

/** Blocks from a server's log: the one of `--page` or `--offset`, or a list. */
export function inspectCorruptionLog(log: CorruptionLog, request: InspectRequest): Inspection {
  refuse(request, "a corruption dump", ["lsn", "length"], "use --page or --offset");
  const want = request.page ?? (request.offset === undefined ? undefined : BigInt(request.offset));
  const all = [...log.blocks()];
  const blocks = want === undefined ? all : all.filter(({ offsetOrPageId }) => offsetOrPageId === want);
  const issues = log.issues.map(({ severity, code, message, place }) => ({
    line: place.line,
    severity,
    code,
    message,
  }));
  if (blocks.length === 0 && want !== undefined)
    throw new CommandError(`${log.path}: no block ${want} was dumped`);
  const rows = blocks.map(({ objectId, offsetOrPageId, size, checksum, line }) => ({
    line,
    objectId,
    offsetOrPageId,
    size,
    checksum: `0x${checksum.toString(16)}`,
  }));
  const shown = want === undefined && blocks.length > 1 ? [] : blocks;
  return {
    input: { path: log.path, kind: log.kind },
    title: log.path,
    facts: { bytes: log.size, blocks: all.length },
    parts: shown.flatMap((block) => inspectBytes(block.bytes, 0, request)),
    tables: [
      {
        name: "blocks",
        title: "Blocks",
        columns: ["line", "objectId", "offsetOrPageId", "size", "checksum"],
        rows,
      },
      ...(issues.length === 0
        ? []
        : [
            {
              name: "issues",
              title: "What could not be put together",
              columns: ["line", "severity", "code", "message"],
              rows: issues,
            },
          ]),
    ],
  };
}
