/** From a completed checkpoint back to the state the next one begins with. */
import { addressCookie } from "../../../formats/address-cookie.js";
import { type CheckpointRecord, checkpointRecord } from "../../../formats/checkpoint-record.js";
import { type DisaggTurtle, disaggTurtle, turtleCheckpoint } from "../../../formats/disagg-turtle.js";
import { readMetadataRow } from "../../../formats/metadata-row.js";
import { FormatError } from "../../codec/error.js";
import { readBlockHeaders } from "../../page/block-headers.js";
import type { PageLog, PageRecord, CheckpointRecord as StoredCheckpoint } from "../../store/types.js";
import { findTurtle, followCheckpoint, type MetadataRoot } from "../../tree/page-log/checkpoint.js";
import { PageLogDatabase } from "../../tree/page-log/database.js";
import type { DatabaseOptions } from "../../tree/types.js";
import { newestGeneration, type WriteGeneration, writeGenerations } from "../generation.js";
import { treeOfEntry } from "./entry.js";
import type { FileRow, LayeredRow } from "./metadata-rows.js";
import { PickUpError } from "./pick-up-error.js";
import { SHARED_METADATA_URI } from "./turtle-page.js";
import {
  type DatabaseState,
  freshState,
  largestFileId,
  largestWriteGen,
  type TableState,
} from "./write-state.js";

export interface PickUpOptions extends DatabaseOptions {
  /** Of the store; found out when absent. */
  readonly generation?: WriteGeneration | undefined;
}

/**
 * Opens a checkpoint: its record, turtle page and shared metadata.
 * @throws PickUpError, TreeError when it cannot be read whole
 */
export function pickUp(
  log: PageLog,
  checkpoint: StoredCheckpoint,
  options: PickUpOptions = {},
): DatabaseState {
  const target = followCheckpoint(log, checkpoint);
  if (!("root" in target)) throw new PickUpError("damaged", target.problem);
  const record = checkpointRecord.parse(checkpoint.metadata);
  const page = findTurtle(log, target.turtleLsn) as PageRecord;
  const turtle = disaggTurtle.parse(page.data);
  const generation = storeGeneration({ log, record, turtle, page, root: target.root }, options.generation);
  const { tables, layered } = readRows(log, checkpoint, generation, options);
  const entry = turtleCheckpoint(turtle);
  const { tree } = freshState(generation).metadata;
  const metadata = entry === undefined ? tree : treeOfEntry(generation, entry);
  const facts = turtle.generation === "L0" ? undefined : turtle;
  const keyLsn = facts?.keyProvider?.lsn;
  const given = facts as {
    largestFileId?: bigint;
    schemaEpoch?: bigint;
    oldestTimestamp?: bigint;
    maxWriteGen?: bigint;
  };
  const largest = largestWriteGen(tables.values(), metadata);
  return {
    generation,
    tables,
    layered,
    metadata: { tree: metadata, entry },
    timestamp: checkpoint.timestamp,
    oldestTimestamp: given?.oldestTimestamp ?? 0n,
    schemaEpoch: given?.schemaEpoch ?? 0n,
    largestFileId: given?.largestFileId ?? largestFileId(tables.values()),
    maxWriteGen: given?.maxWriteGen ?? largest,
    keyLsn,
    lsn: checkpoint.lsn,
  };
}

function readRows(
  log: PageLog,
  checkpoint: StoredCheckpoint,
  generation: WriteGeneration,
  options: PickUpOptions,
): Pick<DatabaseState, "tables" | "layered"> {
  const tables = new Map<string, TableState>();
  const layered = new Map<string, LayeredRow>();
  const database = new PageLogDatabase(log, log.path, options);
  const at = `lsn:${checkpoint.lsn}`;
  if (!database.tables(at).some(({ uri }) => uri === SHARED_METADATA_URI)) return { tables, layered };
  for (const { key, value } of database.table(SHARED_METADATA_URI, at).rows()) {
    const reading = readMetadataRow(key as Uint8Array, value);
    if (!reading.ok)
      throw new PickUpError("damaged", `a row of the shared metadata: ${reading.error.message}`);
    const row = reading.value;
    if (row.kind === "layered") layered.set(row.uri, row);
    if (row.kind === "file") tables.set(row.uri, tableOf(generation, row));
  }
  return { tables, layered };
}

function tableOf(generation: WriteGeneration, row: FileRow): TableState {
  const entry = row.config.checkpoint?.at(-1);
  if (entry === undefined) throw new PickUpError("damaged", `${row.uri} has no checkpoint`);
  return { row, tree: treeOfEntry(generation, entry) };
}

/** What tells the generation of a store. */
interface Evidence {
  readonly log: PageLog;
  readonly record: CheckpointRecord;
  readonly turtle: DisaggTurtle;
  readonly page: PageRecord;
  readonly root: MetadataRoot | undefined;
}

/** The generation a store was written in. A store is not continued in another one. */
function storeGeneration(evidence: Evidence, wanted: WriteGeneration | undefined): WriteGeneration {
  const known = wanted === undefined ? Object.values<WriteGeneration>(writeGenerations) : [wanted];
  const fitting = known.filter((generation) => fits(evidence, generation));
  const [generation, ...others] = fitting;
  // Nothing but turtle page and record was written so far: any that writes these goes on.
  if (evidence.root === undefined && fitting.includes(newestGeneration)) return newestGeneration;
  if (generation !== undefined && others.length === 0) return generation;
  const names = fitting.map(({ name }) => name).join(" or ");
  if (generation !== undefined)
    throw new PickUpError("generation", `the store may be of generation ${names}: say which`);
  throw new PickUpError(
    "generation",
    wanted === undefined
      ? "the store is of a generation that is not written here"
      : `the store was not written in generation ${wanted.name}; a store is continued in its own`,
  );
}

function fits({ log, record, turtle, page, root }: Evidence, generation: WriteGeneration): boolean {
  const { tables } = generation;
  if (record.generation !== generation.record || turtle.generation !== generation.turtle) return false;
  if (page.tableId !== tables.turtle) return false;
  if (root !== undefined && (root.tableId !== tables.sharedMetadata || !fitsRoot(log, root, generation)))
    return false;
  return true;
}

/** Address and block header of the shared metadata's root. */
function fitsRoot(log: PageLog, { tableId, cookie }: MetadataRoot, generation: WriteGeneration): boolean {
  const reading = addressCookie.read(cookie, { generation: generation.cookie });
  if (!reading.ok || reading.issues.some(({ severity }) => severity === "error")) return false;
  const { value } = reading;
  const record =
    "lsn" in value
      ? log.record(tableId, value.pageId, value.lsn)
      : log.chain(tableId, value.pageId, MAX_LSN).at(-1);
  if (record === undefined) return false;
  try {
    return readBlockHeaders(record.data).generation === generation.blockHeader;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}
const MAX_LSN = (1n << 64n) - 1n;
