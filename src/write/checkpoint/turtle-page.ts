/** The turtle page and the record that completes a checkpoint, in every generation. */
import type { NamedCheckpoint } from "../../../formats/checkpoint-list.js";
import { type CheckpointRecord, checkpointRecord } from "../../../formats/checkpoint-record.js";
import { specialTables } from "../../../formats/disagg-tables.js";
import { type DisaggTurtle, disaggTurtle } from "../../../formats/disagg-turtle.js";
import { crc32c } from "../../codec/crc32c.js";
import type { WriteGeneration } from "../generation.js";
import { fileRow, withCheckpoint } from "./metadata-rows.js";

export const SHARED_METADATA_URI = specialTables.sharedMetadata.uri;
/** Layout of turtle pages since V2. */
const TURTLE_VERSION = { version: 2, compatibleVersion: 1 };
const KEY_PROVIDER_VERSION = 1;

export interface TurtleFacts {
  /** The shared metadata's newest checkpoint. */
  readonly metadata: NamedCheckpoint;
  /** 0 = none. */
  readonly timestamp: bigint;
  readonly oldestTimestamp: bigint;
  readonly schemaEpoch: bigint;
  /** Without its namespace. */
  readonly largestFileId: bigint;
  readonly maxWriteGen: bigint;
  /** LSN of the key page; undefined = the database has no key. */
  readonly keyLsn: bigint | undefined;
}

/** Bytes of the turtle page. What a generation has no place for is left out. */
export function turtlePage(generation: WriteGeneration, facts: TurtleFacts): Uint8Array {
  return disaggTurtle.build(turtleValue(generation, facts));
}

function turtleValue(generation: WriteGeneration, facts: TurtleFacts): DisaggTurtle {
  const { turtle } = generation;
  const { metadata, timestamp, keyLsn, largestFileId, oldestTimestamp, schemaEpoch, maxWriteGen } = facts;
  if (turtle === "L0") {
    const row = fileRow(generation, SHARED_METADATA_URI, generation.tables.sharedMetadata, METADATA_FORMATS);
    return { generation: turtle, uri: row.uri, config: withCheckpoint(row, metadata).config };
  }
  const keyProvider =
    keyLsn === undefined
      ? {}
      : { keyProvider: { pageId: KEY_PAGE, lsn: keyLsn, version: KEY_PROVIDER_VERSION } };
  // Readers take absent versions for 1.
  const first = { version: 1, compatibleVersion: 1, checkpoint: [metadata], timestamp, ...keyProvider };
  if (turtle === "L1") return { generation: turtle, ...first };
  const second = { ...first, ...(oldestTimestamp === 0n ? {} : { oldestTimestamp }) };
  if (turtle === "V1") return { generation: turtle, ...second };
  const third = { ...second, ...TURTLE_VERSION, largestFileId };
  if (turtle === "V2") return { generation: turtle, ...third };
  if (turtle === "V2+") return { generation: turtle, ...third, schemaEpoch };
  return { generation: turtle, ...third, schemaEpoch, maxWriteGen };
}

export const METADATA_FORMATS = { keyFormat: "S", valueFormat: "S" } as const;
const KEY_PAGE = Number(specialTables.keyProvider.page);

export interface RecordFacts {
  readonly checkpointId: bigint;
  readonly turtleLsn: bigint;
  readonly turtle: Uint8Array;
  /** Bytes of all live pages. */
  readonly databaseSize: bigint;
}

/** Text of the record that completes the checkpoint. */
export function completionRecord(
  { record, recordVersion }: WriteGeneration,
  { checkpointId, turtleLsn, turtle, databaseSize }: RecordFacts,
): Uint8Array {
  const versions = { version: recordVersion, compatibleVersion: recordVersion };
  const value = { metadataLsn: turtleLsn, version: 1, compatibleVersion: 1 };
  const checked = { ...value, metadataChecksum: crc32c(turtle) };
  const values: { [G in CheckpointRecord["generation"]]: CheckpointRecord } = {
    R0: { generation: "R0", ...value },
    R1: { generation: "R1", ...value, id: checkpointId },
    R2: { generation: "R2", ...checked },
    R3: { generation: "R3", ...checked, ...versions, databaseSize },
  };
  return checkpointRecord.build(values[record]);
}
