/** From a checkpoint of a page log to the root of its shared metadata (formats: turtle and disagg metadata §1–3). */
import { addressCookie } from "../../../formats/address-cookie.js";
import { checkpointRecord } from "../../../formats/checkpoint-record.js";
import { looksLikeCryptPage } from "../../../formats/crypt-page.js";
import { specialTables } from "../../../formats/disagg-tables.js";
import { disaggTurtle, turtleCheckpoint } from "../../../formats/disagg-turtle.js";
import { crc32c } from "../../codec/crc32c.js";
import type { CheckpointRecord, PageLog, PageRecord } from "../../store/types.js";
import { refuseNewer } from "../newer.js";
import type { PagePlace } from "../types.js";
import { addressOf } from "./source.js";

/** The shared metadata's table id in every store of mid-2025. */
const OLD_SHARED_METADATA = 9n;

export interface MetadataRoot {
  readonly tableId: bigint;
  readonly cookie: Uint8Array;
}

/** Where a checkpoint leads, or why it leads nowhere. */
export type CheckpointTarget =
  /** Undefined root: a database without tables. */
  | { readonly root: MetadataRoot | undefined; readonly turtleLsn: bigint }
  | { readonly problem: string; readonly place: PagePlace; readonly turtleLsn?: bigint };

export function followCheckpoint(store: PageLog, checkpoint: CheckpointRecord): CheckpointTarget {
  const path = store.path;
  const record = checkpointRecord.read(checkpoint.metadata);
  if (!record.ok)
    return {
      problem: `the checkpoint's text: ${record.error.message}`,
      place: { path, lsn: checkpoint.lsn },
    };
  const { metadataLsn: lsn } = record.value;
  if (lsn === undefined)
    return { problem: "the checkpoint names no turtle page", place: { path, lsn: checkpoint.lsn } };
  const turtle = findTurtle(store, lsn);
  if (turtle === undefined)
    return { problem: `there is no turtle page at LSN ${lsn}`, place: { path, lsn }, turtleLsn: lsn };
  const place = { path, tableId: turtle.tableId, pageId: turtle.pageId, lsn };
  const checksum = "metadataChecksum" in record.value ? record.value.metadataChecksum : undefined;
  if (checksum !== undefined && checksum !== crc32c(turtle.data))
    return {
      problem: "the turtle page is not the one the checkpoint was completed with",
      place,
      turtleLsn: lsn,
    };
  const reading = disaggTurtle.read(turtle.data);
  if (!reading.ok) return { problem: `the turtle page: ${reading.error.message}`, place, turtleLsn: lsn };
  const cookie = turtleCheckpoint(reading.value)?.addr;
  if (cookie === undefined || cookie.length === 0) return { root: undefined, turtleLsn: lsn };
  const tableId = tableOfRoot(store, cookie);
  if (tableId !== undefined) return { root: { tableId, cookie }, turtleLsn: lsn };
  const problem = "the turtle page names a root of the shared metadata that is not in the log";
  return { problem, place, turtleLsn: lsn };
}

/**
 * The position of the newest checkpoint: the one with the newest turtle page, for a checkpoint's own LSN is guarded by
 * nothing. One whose text cannot be read counts by its own.
 */
export function newestCheckpoint(checkpoints: readonly CheckpointRecord[]): number {
  let [newest, highest] = [-1, -1n];
  for (const [index, { metadata, lsn }] of checkpoints.entries()) {
    const record = checkpointRecord.read(metadata);
    const order = (record.ok ? record.value.metadataLsn : undefined) ?? lsn;
    if (order >= highest) [newest, highest] = [index, order];
  }
  return newest;
}

/** @throws InputError `input-unsupported` for a checkpoint record or turtle page of a generation too new */
export function refuseNewerCheckpoint(store: PageLog, { lsn, metadata }: CheckpointRecord): void {
  const record = checkpointRecord.read(metadata);
  refuseNewer(record.issues, store.path, `the checkpoint at LSN ${lsn}`);
  if (!record.ok || record.value.metadataLsn === undefined) return;
  const { metadataLsn } = record.value;
  const turtle = findTurtle(store, metadataLsn);
  if (turtle === undefined) return;
  const checksum = "metadataChecksum" in record.value ? record.value.metadataChecksum : undefined;
  if (checksum !== undefined && checksum !== crc32c(turtle.data)) return;
  refuseNewer(disaggTurtle.read(turtle.data).issues, store.path, `the turtle page at LSN ${metadataLsn}`);
}

/** Table id 2 held the turtle later and the key page before, so the content decides. */
export function findTurtle(store: PageLog, lsn: bigint): PageRecord | undefined {
  const { ids, page } = specialTables.turtle;
  for (const id of ids) {
    const record = store.record(id, page, lsn);
    if (record !== undefined && !looksLikeCryptPage(record.data))
      return { ...record, data: record.data.slice() };
  }
  return undefined;
}

/** Old stores do not say which table the shared metadata is: page id and LSN of the root tell. */
function tableOfRoot(store: PageLog, cookie: Uint8Array): bigint | undefined {
  const reading = addressCookie.read(cookie);
  if (!reading.ok) return undefined;
  const known = [...specialTables.sharedMetadata.ids, OLD_SHARED_METADATA];
  const { pageId } = reading.value;
  const lsn = "lsn" in reading.value ? reading.value.lsn : undefined;
  if (lsn === undefined) return known.find((id) => store.chain(id, pageId, MAX_LSN).length > 0);
  for (const id of known) if (store.record(id, pageId, lsn) !== undefined) return id;
  for (const record of store.records())
    if (record.lsn === lsn && record.pageId === pageId) return record.tableId;
  return undefined;
}

const MAX_LSN = (1n << 64n) - 1n;

export interface FallbackRoot extends MetadataRoot {
  readonly lsn: bigint;
}

/**
 * Where nothing leads to the roots of tables: the newest page of each before the turtle page, sound or not, by table
 * id. A tree's root is written last, and is an internal page. Looks at every record.
 */
export function lastPages(
  store: PageLog,
  tableIds: ReadonlySet<bigint>,
  turtleLsn: bigint,
  which: "internal" | "any",
): Map<bigint, FallbackRoot> {
  const pages = new Map<bigint, FallbackRoot>();
  for (const record of store.records()) {
    const { tableId, lsn } = record;
    if (!tableIds.has(tableId) || lsn >= turtleLsn || (pages.get(tableId)?.lsn ?? -1n) >= lsn) continue;
    const cookie = addressOf(record, which);
    if (cookie !== undefined) pages.set(tableId, { tableId, cookie, lsn });
  }
  return pages;
}

/** The LSN of the record a root's address names; undefined where addresses have none. */
export function rootLsn({ cookie }: MetadataRoot): bigint | undefined {
  const reading = addressCookie.read(cookie);
  return reading.ok && "lsn" in reading.value ? reading.value.lsn : undefined;
}

export const metadataTableIds: readonly bigint[] = [...specialTables.sharedMetadata.ids, OLD_SHARED_METADATA];
