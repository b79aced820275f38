/** `inspect` of a page log: its tables, a table's pages, a page's records, a record. */
import { checkpointRecord } from "../../../formats/checkpoint-record.js";
import { cryptPage } from "../../../formats/crypt-page.js";
import type { InspectedPart, InspectedTable, Inspection } from "../../report/inspection.js";
import type { Row } from "../../report/table.js";
import type { CheckpointRecord, PageLog, PageRecord } from "../../store/types.js";
import type { AnyFormat } from "../convert.js";
import { CommandError } from "../exit.js";
import { inspectBytes, plainPageFormat } from "./bytes.js";
import { rotnKeyIdsOf } from "./page-parts.js";
import { type InspectRequest, refuse } from "./request.js";

/** `names` gives the tables' names by id, as far as the newest checkpoint has them. */
export function inspectPageLog(
  log: PageLog,
  request: InspectRequest,
  names: ReadonlyMap<bigint, string>,
): Inspection {
  refuse(request, "a page log", ["offset", "length"], "use --table, --page and --lsn");
  const tableId = request.table === undefined ? undefined : tableNamed(request.table, names);
  const input: Row = { path: log.path, kind: log.kind, generation: log.generation };
  const { page, lsn } = request;
  if (page === undefined && lsn === undefined)
    return tableId === undefined ? listTables(log, input, names) : listPages(log, input, tableId, names);
  const records = [...matching(log, tableId, page, lsn)];
  const completed = records.length === 0 ? checkpointAt(log, request) : undefined;
  if (completed !== undefined) return showCheckpoint(log, input, completed, request);
  if (records.length === 0) throw new CommandError(`${log.path}: there is no ${wanted(request)}`);
  return showRecord(log, input, records, request, names);
}

/** Where a log gives checkpoint records LSNs of their own, no page has that LSN. */
const checkpointAt = (log: PageLog, { table, page, lsn }: InspectRequest): CheckpointRecord | undefined =>
  table === undefined && page === undefined
    ? log.checkpoints().find((record) => record.lsn === lsn)
    : undefined;

function showCheckpoint(
  log: PageLog,
  input: Row,
  { lsn, checkpointId, timestamp, metadata, place }: CheckpointRecord,
  request: InspectRequest,
): Inspection {
  const format = request.format ?? (checkpointRecord as AnyFormat);
  return {
    input,
    title: `${log.path}: completion record of the checkpoint at LSN ${lsn}`,
    facts: {
      lsn,
      checkpointId,
      timestamp,
      length: metadata.length,
      file: place.file,
      fileOffset: place.offset,
      line: place.line,
    },
    parts: inspectBytes(metadata, 0, { ...request, format }),
    tables: [],
  };
}

function tableNamed(text: string, names: ReadonlyMap<bigint, string>): bigint {
  if (/^\d{1,20}$/.test(text)) return BigInt(text);
  const exact = [...names].find(([, name]) => name === text);
  const found = exact ?? [...names].find(([, name]) => bareName(name) === bareName(text));
  if (found !== undefined) return found[0];
  const known =
    names.size === 0 ? "no names are known, give the id" : `there are ${[...names.values()].join(", ")}`;
  throw new CommandError(`--table: no table is called ${JSON.stringify(text)}; ${known}`);
}

/** `file:t1.wt_stable` as people say it: `t1`. */
const bareName = (name: string): string => name.replace(/^[a-z]+:/, "").replace(/\.wt(_stable)?$/, "");

const wanted = ({ table, page, lsn }: InspectRequest): string =>
  [
    lsn === undefined ? "record" : `record at LSN ${lsn}`,
    page === undefined ? "" : ` of page ${page}`,
    table === undefined ? "" : ` of table ${table}`,
  ].join("");

/** Records come by table, page and LSN, so nothing behind the page is read. */
function* matching(
  log: PageLog,
  tableId: bigint | undefined,
  page: bigint | undefined,
  lsn: bigint | undefined,
): Generator<PageRecord> {
  for (const record of log.records()) {
    if (tableId !== undefined && record.tableId > tableId) return;
    if (tableId !== undefined && record.tableId !== tableId) continue;
    if (page !== undefined && record.pageId !== page) continue;
    if (lsn !== undefined && record.lsn !== lsn) continue;
    yield { ...record, data: record.data.slice() };
  }
}

function listTables(log: PageLog, input: Row, names: ReadonlyMap<bigint, string>): Inspection {
  const tables = new Map<bigint, TableCount>();
  for (const record of log.records()) {
    const count = tables.get(record.tableId) ?? new TableCount();
    tables.set(record.tableId, count);
    count.add(record);
  }
  const rows = [...tables].map(([tableId, count]) => ({ tableId, name: names.get(tableId), ...count.row() }));
  const checkpoints = log
    .checkpoints()
    .map(({ lsn, checkpointId, timestamp }) => ({ lsn, checkpointId, timestamp }));
  return {
    input,
    title: log.path,
    facts: { kind: log.kind, generation: log.generation, bytes: log.size, ...log.globals },
    parts: [],
    tables: [
      { name: "tables", title: "Tables", columns: ["tableId", "name", ...COUNT_COLUMNS], rows },
      {
        name: "checkpoints",
        title: "Checkpoints",
        columns: ["lsn", "checkpointId", "timestamp"],
        rows: checkpoints,
      },
      ...issueTable(log),
    ],
  };
}

const COUNT_COLUMNS = ["pages", "images", "deltas", "discards", "bytes", "firstLsn", "lastLsn"];

class TableCount {
  private pages = 0;
  private images = 0;
  private deltas = 0;
  private discards = 0;
  private bytes = 0;
  private firstLsn: bigint | undefined;
  private lastLsn: bigint | undefined;
  private page: bigint | undefined;

  add({ pageId, lsn, isDelta, discarded, data }: PageRecord): void {
    if (pageId !== this.page) this.pages++;
    this.page = pageId;
    if (discarded) this.discards++;
    else if (isDelta) this.deltas++;
    else this.images++;
    this.bytes += data.length;
    if (this.firstLsn === undefined || lsn < this.firstLsn) this.firstLsn = lsn;
    if (this.lastLsn === undefined || lsn > this.lastLsn) this.lastLsn = lsn;
  }

  row(): Row {
    const { pages, images, deltas, discards, bytes, firstLsn, lastLsn } = this;
    return { pages, images, deltas, ...(discards > 0 && { discards }), bytes, firstLsn, lastLsn };
  }
}

function issueTable(log: PageLog): InspectedTable[] {
  const rows = log.issues.map(({ code, severity, message, place }) => ({
    severity,
    code,
    message,
    file: place.file,
    offset: place.offset,
  }));
  if (rows.length === 0) return [];
  return [
    {
      name: "issues",
      title: "Damage of the container",
      columns: ["severity", "code", "file", "offset", "message"],
      rows,
    },
  ];
}

function listPages(
  log: PageLog,
  input: Row,
  tableId: bigint,
  names: ReadonlyMap<bigint, string>,
): Inspection {
  const pages = new Map<bigint, Row & { records: number }>();
  for (const record of log.records()) {
    if (record.tableId > tableId) break;
    if (record.tableId !== tableId) continue;
    const { pageId, lsn, data } = record;
    const records = (pages.get(pageId)?.records ?? 0) + 1;
    pages.set(pageId, { pageId, records, newestLsn: lsn, newest: kindOf(record), length: data.length });
  }
  if (pages.size === 0) throw new CommandError(`${log.path}: there is no record of table ${tableId}`);
  const columns = ["pageId", "records", "newestLsn", "newest", "length"];
  return {
    input,
    title: `${log.path}: ${tableTitle(tableId, names)}`,
    facts: { tableId, name: names.get(tableId), pages: pages.size },
    parts: [],
    tables: [{ name: "pages", title: "Pages", columns, rows: [...pages.values()] }],
  };
}

const tableTitle = (tableId: bigint, names: ReadonlyMap<bigint, string>): string => {
  const name = names.get(tableId);
  return name === undefined ? `table ${tableId}` : `table ${tableId} (${name})`;
};

const kindOf = ({ isDelta, discarded }: PageRecord): string =>
  discarded ? "discard" : isDelta ? "delta" : "image";

/** The last of the records in full; the others, when there are any, as a list. */
function showRecord(
  log: PageLog,
  input: Row,
  records: readonly PageRecord[],
  request: InspectRequest,
  names: ReadonlyMap<bigint, string>,
): Inspection {
  const tables = new Set(records.map(({ tableId }) => tableId));
  if (tables.size > 1)
    throw new CommandError(
      `${log.path}: tables ${[...tables].join(", ")} have such a record; --table says which`,
    );
  const record = records[records.length - 1] as PageRecord;
  const { tableId, pageId, lsn, data } = record;
  const rows = records.map((entry) => ({ ...recordFacts(entry), length: entry.data.length }));
  const listed =
    records.length > 1
      ? [{ name: "records", title: "Records of the page, oldest first", columns: RECORD_COLUMNS, rows }]
      : [];
  const issues = record.issues.map(({ severity, code, message }) => ({ severity, code, message }));
  return {
    input,
    title: `${tableTitle(tableId, names)}, page ${pageId}, LSN ${lsn}`,
    facts: {
      ...recordFacts(record),
      ...(isSealed(record) && { content: "encrypted by the service" }),
      length: data.length,
      file: record.place.file,
      fileOffset: record.place.offset,
      line: record.place.line,
    },
    // The envelope of a page service is not known: there is no block in it to take apart.
    parts: record.discarded || isSealed(record) ? [] : recordParts(log, record, request),
    tables: [
      ...listed,
      ...(issues.length === 0
        ? []
        : [
            {
              name: "recordIssues",
              title: "The store's own attributes",
              columns: ["severity", "code", "message"],
              rows: issues,
            },
          ]),
    ],
  };
}

/** The bytes are in a page service's own envelope (page-log stores §4). */
const isSealed = ({ issues }: PageRecord): boolean => issues.some(({ code }) => code === "service-encrypted");

function recordParts(
  log: PageLog,
  { tableId, pageId, data }: PageRecord,
  request: InspectRequest,
): InspectedPart[] {
  const plain = plainPageFormat(tableId, pageId, data);
  const format = plain?.name === cryptPage.name ? plain : (request.format ?? plain);
  const rotnKeyId = format === undefined ? keyIdFor(log, data, request) : request.rotnKeyId;
  return inspectBytes(data, 0, { ...request, format, rotnKeyId });
}

/** Encrypted blocks that are looked at to tell key ids apart. */
const MAX_SAMPLES = 200;

/** A page log has one key, so the key id must make sense of other blocks as well. */
function keyIdFor(log: PageLog, data: Uint8Array, request: InspectRequest): number | undefined {
  if (request.rotnKeyId !== undefined) return request.rotnKeyId;
  let fits = rotnKeyIdsOf(data, request) ?? [];
  let samples = 0;
  for (const record of fits.length > 1 ? log.records() : []) {
    const own = record.data.length === 0 ? undefined : rotnKeyIdsOf(record.data, request);
    if (own === undefined) continue;
    const both = fits.filter((keyId) => own.includes(keyId));
    if (both.length > 0) fits = both;
    if (fits.length === 1 || ++samples === MAX_SAMPLES) break;
  }
  return fits.length === 1 ? fits[0] : undefined;
}

const RECORD_COLUMNS = ["lsn", "kind", "length", "baseLsn", "backlinkLsn", "checkpointId", "flags"];

function recordFacts(record: PageRecord): Row {
  const { tableId, pageId, lsn, flags, baseLsn, backlinkLsn, checkpointId, timestampMaterializedUs } = record;
  return {
    tableId,
    pageId,
    lsn,
    kind: kindOf(record),
    flags,
    baseLsn,
    backlinkLsn,
    checkpointId,
    timestampMaterializedUs,
  };
}
