/** The generations of everything a checkpoint writes, as one value (formats: the tables "when" of each page). */
import type { AddressCookie } from "../../formats/address-cookie.js";
import type { BlockHeaderValue } from "../../formats/block-header.js";
import type { CheckpointRecord } from "../../formats/checkpoint-record.js";
import type { CryptGeneration } from "../../formats/crypt-page.js";
import { specialTables } from "../../formats/disagg-tables.js";
import type { DisaggTurtle } from "../../formats/disagg-turtle.js";

/** Forms of deltas: entries without cells, cells with the flags behind the value, cells with the flags in front. */
export type DeltaForm = "P0" | "uB" | "Bu";

export interface WriteGeneration {
  readonly name: string;
  readonly when: string;
  readonly blockHeader: Exclude<BlockHeaderValue["generation"], "modified">;
  readonly delta: DeltaForm;
  readonly cookie: AddressCookie["generation"];
  readonly turtle: DisaggTurtle["generation"];
  readonly record: CheckpointRecord["generation"];
  /** Of R3: from 2 on values of stable tables are stored plain, below it in the layered tables' escaped form. */
  readonly recordVersion: 1 | 2;
  readonly crypt: CryptGeneration;
  /** Pages that are freed are discarded one by one. */
  readonly discards: boolean;
  readonly tables: {
    readonly turtle: bigint;
    readonly sharedMetadata: bigint;
    readonly keyProvider: bigint;
  };
}

const oldTables = { turtle: 1n, sharedMetadata: 9n, keyProvider: 2n } as const;
const tables = {
  turtle: specialTables.turtle.ids[0],
  sharedMetadata: specialTables.sharedMetadata.ids[0],
  keyProvider: specialTables.keyProvider.ids[0],
} as const;

/** Oldest first. What was in use together at a time; every field may be replaced to make other combinations. */
export const writeGenerations = {
  "2025-06": {
    name: "2025-06",
    when: "January to July 2025: the generation of the real dumps",
    blockHeader: "D0",
    delta: "P0",
    cookie: "B",
    turtle: "L1",
    record: "R1",
    recordVersion: 1,
    crypt: "K0",
    discards: false,
    tables: oldTables,
  },
  "2025-08": {
    name: "2025-08",
    when: "August to about October 2025",
    blockHeader: "D1",
    delta: "P0",
    cookie: "C",
    turtle: "L1",
    record: "R2",
    recordVersion: 1,
    crypt: "K0",
    discards: false,
    tables: oldTables,
  },
  "2025-12": {
    name: "2025-12",
    when: "October 2025 to January 2026",
    blockHeader: "D1",
    delta: "uB",
    cookie: "D",
    turtle: "V1",
    record: "R2",
    recordVersion: 1,
    crypt: "K0",
    discards: false,
    tables: oldTables,
  },
  "2026-01": {
    name: "2026-01",
    when: "January to February 2026",
    blockHeader: "D1",
    delta: "uB",
    cookie: "D'",
    turtle: "V1",
    record: "R2",
    recordVersion: 1,
    crypt: "K2",
    discards: true,
    tables: oldTables,
  },
  "2026-03": {
    name: "2026-03",
    when: "February to May 2026",
    blockHeader: "D1",
    delta: "Bu",
    cookie: "D'",
    turtle: "V2",
    record: "R3",
    recordVersion: 1,
    crypt: "K2",
    discards: true,
    tables,
  },
  "2026-05": {
    name: "2026-05",
    when: "May to July 2026",
    blockHeader: "D1",
    delta: "Bu",
    cookie: "D'",
    turtle: "V2+",
    record: "R3",
    recordVersion: 1,
    crypt: "K3",
    discards: true,
    tables,
  },
  "2026-07": {
    name: "2026-07",
    when: "since July 2026",
    blockHeader: "D1",
    delta: "Bu",
    cookie: "D'",
    turtle: "V2++",
    record: "R3",
    recordVersion: 2,
    crypt: "K3",
    discards: true,
    tables,
  },
  extended: {
    name: "extended",
    when: "the design note this project implements: block headers with the original checksum",
    blockHeader: "extended",
    delta: "Bu",
    cookie: "D'",
    turtle: "V2++",
    record: "R3",
    recordVersion: 2,
    crypt: "K3",
    discards: true,
    tables,
  },
} as const satisfies Readonly<Record<string, WriteGeneration>>;
export type WriteGenerationName = keyof typeof writeGenerations;

/** The newest in the format pages. */
export const newestGeneration: WriteGeneration = writeGenerations["2026-07"];
