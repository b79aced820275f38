/** Puts into a PALite store beside plain inserts of the same blobs into SQLite tables, in one process. */
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pageLogFlags } from "../../formats/page-log.js";
import { paliteSchemas, paliteTables } from "../../formats/palite.js";
import { seededRandom } from "../../src/codec/index.js";
import { openWritablePageLog } from "../../src/store/index.js";
import { type Bench, type BenchOptions, median, type Result } from "./bench.js";

// The package is CommonJS whose exports Node cannot see from outside.
const sqlite = createRequire(import.meta.url)("node-sqlite3-wasm") as typeof import("node-sqlite3-wasm");

/** Bytes of a blob: a delta, a small page, a leaf. */
const SIZES = [200, 4000, 28_000];
/** Most bytes, MB, and blobs of one measurement. */
const MAX_MB = 100;
const MAX_BLOBS = 100_000;
/** Bytes in a transaction, for all. */
const BATCH = 8 * 1024 * 1024;
const { pages: PAGES } = paliteTables;

export const writeBench: Bench = {
  name: "write",
  title:
    "puts into a PALite store beside inserts of the same blobs by hand, with the same library and as many commits",
  peer: "raw inserts",
  run: ({ mb, pairs, only }: BenchOptions) =>
    Promise.resolve(
      SIZES.filter((size) => only === undefined || String(size).includes(only)).flatMap((size) => {
        const blobs = blobsOf(size, Math.min(MAX_BLOBS, Math.floor((Math.min(mb, MAX_MB) * 1e6) / size)));
        const work = [puts, pageRows, blobRows];
        // The first round of all is not counted: the library is compiled as it goes.
        const rounds = Array.from({ length: pairs + 1 }, () => work.map((one) => inFolder(one, blobs)));
        const [ours, same, plain] = work.map((_, at) => median(rounds.slice(1).map((round) => round[at]!)));
        const result = (peer: string, time: number): Result => ({
          what: `puts of ${size} bytes, ${peer}`,
          peer: perSecond(blobs.length, time),
          ours: perSecond(blobs.length, ours!),
          rate: `${Math.round((size * blobs.length) / ours! / 1e3)} MB/s`,
          ratio: (time / ours!).toFixed(2),
        });
        return [result("against rows of the same table", same!), result("against id and blob alone", plain!)];
      }),
    ),
};

const perSecond = (count: number, ms: number): string =>
  `${Math.round((1000 * count) / ms).toLocaleString("en")}/s`;

function blobsOf(size: number, count: number): Uint8Array[] {
  const random = seededRandom(size);
  const some = Array.from({ length: 64 }, () => random.bytes(size));
  return Array.from({ length: count }, (_, at) => some[at % some.length] as Uint8Array);
}

/** Milliseconds from the first blob to the last one being durable. */
function inFolder(
  measure: (folder: string, blobs: readonly Uint8Array[]) => number,
  blobs: Uint8Array[],
): number {
  const folder = mkdtempSync(join(tmpdir(), "pugmark-bench-"));
  try {
    return measure(folder, blobs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** New pages, and a delta on each; all of one checkpoint. */
function puts(folder: string, blobs: readonly Uint8Array[]): number {
  const log = openWritablePageLog(folder, { create: true, batchBytes: BATCH });
  log.beginCheckpoint();
  const start = performance.now();
  let pageId = 100n;
  let image = 0n;
  for (const data of blobs) {
    const isDelta = image !== 0n;
    const lsn = log.put({ tableId: 41n, pageId, isDelta, backlinkLsn: image, baseLsn: image, data });
    if (image !== 0n) pageId++;
    image = image === 0n ? lsn : 0n;
  }
  log.completeCheckpoint({ metadata: Uint8Array.of(65), timestamp: 0n });
  const time = performance.now() - start;
  log.close();
  return time;
}

/** The same rows into the same table, one by one. */
function pageRows(folder: string, blobs: readonly Uint8Array[]): number {
  const { pages } = paliteSchemas.P4;
  const now = BigInt(Date.now()) * 1000n;
  let lsn = 1n << 32n;
  let pageId = 100n;
  let image = 0n;
  return inserts(folder, pages, `INSERT INTO ${PAGES} VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, blobs, (data) => {
    const row = [41, pageId, lsn, image, image, image === 0n ? 0 : pageLogFlags.delta, now, data];
    if (image !== 0n) pageId++;
    image = image === 0n ? lsn : 0n;
    lsn++;
    return row;
  });
}

function blobRows(folder: string, blobs: readonly Uint8Array[]): number {
  let id = 0;
  const table = "CREATE TABLE blobs (id INTEGER PRIMARY KEY, data BLOB)";
  return inserts(folder, [table], "INSERT INTO blobs VALUES (?, ?)", blobs, (data) => [++id, data]);
}

function inserts(
  folder: string,
  tables: readonly string[],
  sql: string,
  blobs: readonly Uint8Array[],
  rowOf: (data: Uint8Array) => Array<number | bigint | Uint8Array>,
): number {
  const database = new sqlite.Database(join(folder, "raw.db"));
  database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  for (const table of tables) database.exec(table);
  const insert = database.prepare(sql);
  const start = performance.now();
  let bytes = 0;
  database.exec("BEGIN");
  for (const data of blobs) {
    insert.run(rowOf(data));
    bytes += data.length;
    if (bytes < BATCH) continue;
    database.exec("COMMIT; BEGIN");
    bytes = 0;
  }
  database.exec("COMMIT");
  const time = performance.now() - start;
  insert.finalize();
  database.close();
  return time;
}
