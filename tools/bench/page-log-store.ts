/** A page log made by our own writer: a table of rows in one checkpoint, kept as PALM (an LMDB environment). */
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  palmCheckpointKey,
  palmDatabases,
  palmGlobal,
  palmGlobalSymbols,
  palmKey,
} from "../../formats/palm.js";
import { symbolValues } from "../../src/codec/index.js";
import { MemoryPageLog } from "../../src/store/memory-page-log.js";
import type { CheckpointRecord, PageRecord } from "../../src/store/types.js";
import { writeGenerations } from "../../src/write/generation.js";
import { DatabaseNode } from "../../src/write/roles/node.js";
import { write } from "./bench.js";
import { writeLmdb } from "./lmdb-file.js";
import { type RowShape, rowsOf } from "./rows.js";

const FILE = "data.mdb";
const GLOBAL = symbolValues(palmGlobalSymbols);

export interface Store {
  readonly folder: string;
  /** Bytes of its file. */
  readonly size: number;
}

/** Made once and kept in the system's temporary folder, under a name that says what is in it. */
export function pageLogStore(shape: RowShape): Store {
  const { rows, keySize, valueSize, seed } = shape;
  const folder = join(tmpdir(), "pugmark-bench", `palm-${rows}x${keySize}+${valueSize}-seed${seed}`);
  if (!existsSync(folder)) make(shape, folder);
  return { folder, size: statSync(join(folder, FILE)).size };
}

function make(shape: RowShape, folder: string): void {
  const making = `${folder}.${process.pid}`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  const started = performance.now();
  const log = new MemoryPageLog({ firstLsn: 1n, checkpointIds: true });
  const node = DatabaseNode.open(log, { generation: writeGenerations["2025-06"] });
  node.createTable("x").load({ [Symbol.iterator]: () => rowsOf(shape) });
  node.checkpoint();
  writePalm(log, join(making, FILE));
  renameSync(making, folder);
  write(`made ${folder} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

function writePalm(log: MemoryPageLog, path: string): void {
  const { lsnCounter = log.lastLsn + 1n, checkpointCompleted = 0n, checkpointStarted = 0n } = log.globals;
  const counters = [
    [GLOBAL.revision, lsnCounter],
    [GLOBAL.checkpointCompleted, checkpointCompleted],
    [GLOBAL.checkpointStarted, checkpointStarted],
  ] as const;
  writeLmdb(path, [
    { name: palmDatabases.checkpoints, entries: log.checkpoints().map(checkpointEntry) },
    { name: palmDatabases.globals, integerKeys: true, entries: counters.map(globalEntry) },
    { name: palmDatabases.pages, entries: pageEntries(log.records()) },
    { name: palmDatabases.tables, entries: [] },
  ]);
}

type Entry = [Uint8Array, Uint8Array];

function globalEntry([key, value]: readonly [number, bigint]): Entry {
  const bytes = palmGlobal.build({ key, value });
  return [bytes.subarray(0, 4), bytes.subarray(4)];
}

function checkpointEntry({ lsn, checkpointId = 0n, timestamp, metadata }: CheckpointRecord): Entry {
  return [palmCheckpointKey.build({ generation: "L24", lsn, checkpointId, timestamp }), metadata];
}

function* pageEntries(records: Iterable<PageRecord>): Generator<Entry> {
  for (const record of records) {
    const { tableId, pageId, lsn, backlinkLsn, baseLsn, flags, isDelta, data } = record;
    const key = palmKey.build({
      generation: "L88",
      tableId,
      pageId,
      lsn,
      checkpointId: record.checkpointId ?? 0n,
      isDelta: isDelta ? 1 : 0,
      padding: 0,
      backlinkLsn,
      baseLsn,
      backlinkCheckpointId: record.backlinkCheckpointId ?? 0n,
      baseCheckpointId: record.baseCheckpointId ?? 0n,
      flags,
      padding2: 0,
      timestampMaterializedUs: record.timestampMaterializedUs ?? 0n,
    });
    yield [key, data];
  }
}
