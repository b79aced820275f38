/** A table in a PALite store: rows written, bytes an edited row costs with and without deltas, chains replaced. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installNodeAccelerators } from "../../src/platform/node.js";
import { openPageLog, openWritablePageLog } from "../../src/store/index.js";
import { openDatabase } from "../../src/tree/open.js";
import { replacePages } from "../../src/write/replace/replace-pages.js";
import { DatabaseNode } from "../../src/write/roles/node.js";
import type { WriteRow } from "../../src/write/types.js";
import { type Bench, type BenchOptions, type Result, write } from "./bench.js";
import { RowModel } from "./row-model.js";

const TABLE = "t";
const MAX_ROWS = 1_000_000;
const ROWS_PER_MB = 10_000;
const ROUNDS = 10;
/** Of all rows, in one round. */
const EDITED = 0.002;
const SEED = 11;
/** Rows of a large table. */
const LARGE = 100_000;

export const writeTreesBench: Bench = {
  name: "write-trees",
  title:
    "random rows of 100 bytes in a PALite store: written, edited in rounds, read and compared, chains replaced",
  peer: "bytes an edited row",
  run({ mb, only }: BenchOptions): Promise<readonly Result[]> {
    installNodeAccelerators();
    const count = Math.min(MAX_ROWS, Math.round(mb * ROWS_PER_MB));
    const one = (most: number): Measured => inFolder((folder) => measure(folder, count, most));
    return Promise.resolve(linesOf(one(32), only === "deltas" ? undefined : one(0)));
  },
};

const whole = (value: number): string => Math.round(value).toLocaleString("en");

function linesOf(deltas: Measured, images: Measured | undefined): Result[] {
  const { rows, replaced } = deltas;
  const edited = (name: string, { editRate, editBytes }: Measured, ratio?: string): Result => ({
    what: `edits of ${EDITED * 100} % of the rows a checkpoint, ${name}`,
    peer: whole(editBytes),
    ours: `${ROUNDS} checkpoints`,
    rate: `${whole(editRate)} rows/s`,
    ...(ratio === undefined ? {} : { ratio }),
  });
  return [
    { what: "first checkpoint", ours: `${whole(rows)} rows`, rate: `${whole(deltas.writeRate)} rows/s` },
    edited("deltas", deltas, images && (deltas.editBytes / images.editBytes).toFixed(3)),
    ...(images === undefined ? [] : [edited("full images alone", images)]),
    {
      what: "chains replaced by images",
      ours: `${whole(replaced.chains)} pages`,
      rate: `${whole(replaced.chains / replaced.seconds)} pages/s`,
    },
  ];
}

interface Measured {
  readonly rows: number;
  /** Rows a second, until they are durable. */
  readonly writeRate: number;
  readonly editRate: number;
  /** Bytes of records for each edited row. */
  readonly editBytes: number;
  readonly replaced: { readonly chains: number; readonly seconds: number };
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "pugmark-bench-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function timed<T>(work: () => T): { result: T; seconds: number } {
  const start = process.hrtime.bigint();
  const result = work();
  return { result, seconds: Number(process.hrtime.bigint() - start) / 1e9 };
}

function measure(folder: string, count: number, maxConsecutiveDelta: number): Measured {
  const model = new RowModel(count, SEED);
  const states = [model.snapshot()];
  const log = openWritablePageLog(folder, { create: true });
  const node = DatabaseNode.open(log);
  // Made beforehand: their making does not count.
  const rows = [...states[0]!()];
  const first = timed(() => {
    node.createTable(TABLE, { maxConsecutiveDelta }).load(rows);
    return node.checkpoint().lsn;
  });
  let [seconds, edited] = [0, 0];
  for (let round = 1; round <= ROUNDS; round++) {
    const edits = model.edits(round, EDITED);
    const one = timed(() => {
      node.table(TABLE).edit(edits);
      node.checkpoint();
    });
    states.push(model.snapshot());
    seconds += one.seconds;
    edited += edits.length;
  }
  log.close();
  const read = compareAll(folder, states, rows.length);
  write(`at most ${maxConsecutiveDelta} deltas: ${whole(read)} rows are the model's`);
  return {
    rows: rows.length,
    writeRate: rows.length / first.seconds,
    editRate: edited / seconds,
    editBytes: bytesBehind(folder, first.result) / edited,
    replaced: replaceAll(folder),
  };
}

/** Returns rows compared. @throws Error when a checkpoint does not hold the rows of its state: times would mean nothing. */
function compareAll(folder: string, states: ReadonlyArray<() => Iterable<WriteRow>>, count: number): number {
  const database = openDatabase(folder);
  try {
    const checkpoints = database.checkpoints();
    if (checkpoints.length !== states.length) throw new Error(`${checkpoints.length} checkpoints`);
    // Of large tables the first checkpoint and the newest: each takes as long as all the writing.
    const isLarge = count > LARGE;
    return checkpoints.reduce((read, { lsn }, at) => {
      if (isLarge && at > 0 && at < states.length - 1) return read;
      const table = database.table(TABLE, `lsn:${lsn}`);
      return read + compare(table.rows(), states[at]!(), `checkpoint at LSN ${lsn}`);
    }, 0);
  } finally {
    database.close();
  }
}

function compare(
  rows: Iterable<{ readonly key: Uint8Array | bigint; readonly value: Uint8Array }>,
  expected: Iterable<WriteRow>,
  what: string,
): number {
  const model = expected[Symbol.iterator]();
  let read = 0;
  for (const { key, value } of rows) {
    const row = model.next().value as WriteRow | undefined;
    const same =
      row !== undefined && !Buffer.compare(key as Uint8Array, row.key) && !Buffer.compare(value, row.value);
    if (!same) throw new Error(`${what}: another row at ${Buffer.from(key as Uint8Array)}`);
    read++;
  }
  if (model.next().done !== true) throw new Error(`${what}: rows are missing`);
  return read;
}

/** Bytes of all records above an LSN. */
function bytesBehind(folder: string, lsn: bigint): number {
  const log = openPageLog(folder);
  let bytes = 0;
  for (const record of log.records()) if (record.lsn > lsn) bytes += record.data.length;
  log.close();
  return bytes;
}

/** Every chain with deltas; what a copy of the store takes besides is not counted. */
function replaceAll(folder: string): Measured["replaced"] {
  const log = openPageLog(folder);
  let chains = 0;
  const read = (records: Iterable<unknown>): number => timed(() => [...lengths(records)].length).seconds;
  const contents = replacePages(log, {
    encoding: "modified",
    selection: { minDeltas: 1 },
    tables: new Map(),
    onReplaced: () => void chains++,
    onFault: (fault) => {
      throw fault;
    },
  });
  const plain = read(log.records());
  const seconds = read(contents.records()) - plain;
  log.close();
  return { chains, seconds };
}

function* lengths(records: Iterable<unknown>): Generator<number> {
  for (const _record of records) yield 1;
}
