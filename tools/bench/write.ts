/** Puts into a PALite store against plain inserts of the same blobs into one SQLite table, in one process. */
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../../src/codec/index.js";
import { openWritablePageLog } from "../../src/store/index.js";
import { type Bench, type BenchOptions, median, writeTable } from "./bench.js";

// The package is CommonJS whose exports Node cannot see from outside.
const sqlite = createRequire(import.meta.url)("node-sqlite3-wasm") as typeof import("node-sqlite3-wasm");

/** Bytes of a blob: a delta, a small page, a leaf. */
const SIZES = [200, 4000, 28_000];
/** Most bytes, MB, and blobs of one measurement. */
const MAX_MB = 100;
const MAX_BLOBS = 100_000;
/** Bytes in a transaction, for both. */
const BATCH = 8 * 1024 * 1024;

export const writeBench: Bench = {
  name: "write",
  title: "puts into a PALite store, against raw inserts of the same blobs into SQLite (100 % = as fast)",
  async run({ mb, pairs, only }: BenchOptions) {
    const rows = SIZES.filter((size) => only === undefined || String(size).includes(only)).map((size) => {
      const blobs = blobsOf(size, Math.min(MAX_BLOBS, Math.floor((Math.min(mb, MAX_MB) * 1e6) / size)));
      const times = Array.from({ length: pairs }, () => [inFolder(puts, blobs), inFolder(inserts, blobs)]);
      const [ours, raw] = [0, 1].map((which) => median(times.map((pair) => pair[which] as number)));
      return [
        `${size} B`,
        String(blobs.length),
        perSecond(blobs.length, ours as number),
        perSecond(blobs.length, raw as number),
        `${Math.round((100 * (raw as number)) / (ours as number))} %`,
      ];
    });
    writeTable(["blob", "count", "puts/s", "inserts/s", "ratio"], rows);
    return [];
  },
};

const perSecond = (count: number, ms: number): string => Math.round((1000 * count) / ms).toLocaleString("en");

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
    const page = { tableId: 41n, pageId, backlinkLsn: image, baseLsn: image, data };
    const lsn = log.put({ ...page, isDelta: image !== 0n });
    if (image !== 0n) pageId++;
    image = image === 0n ? lsn : 0n;
  }
  log.completeCheckpoint({ metadata: Uint8Array.of(65), timestamp: 0n });
  const time = performance.now() - start;
  log.close();
  return time;
}

function inserts(folder: string, blobs: readonly Uint8Array[]): number {
  const database = new sqlite.Database(join(folder, "raw.db"));
  database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  database.exec("CREATE TABLE blobs (id INTEGER PRIMARY KEY, data BLOB)");
  const insert = database.prepare("INSERT INTO blobs VALUES (?, ?)");
  const start = performance.now();
  let bytes = 0;
  database.exec("BEGIN");
  blobs.forEach((data, at) => {
    insert.run([at, data]);
    bytes += data.length;
    if (bytes < BATCH) return;
    database.exec("COMMIT; BEGIN");
    bytes = 0;
  });
  database.exec("COMMIT");
  const time = performance.now() - start;
  insert.finalize();
  database.close();
  return time;
}
