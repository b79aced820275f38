/**
 * Databases made by the real engine (Debian's package `wiredtiger`, `wt load`), kept in the system's temporary
 * folder under a name that says what is in them: a repeated run does not make them again.
 */

import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BenchOptions, write } from "./bench.js";
import { dumpLines, type RowShape } from "./rows.js";
import { type ProcessRun, runProcess } from "./run-process.js";

export interface DatabaseSpec {
  readonly name: string;
  readonly shape: RowShape;
  readonly compressor?: "snappy" | "zlib";
  /** Bytes of allocation units and of pages; the engine's defaults when absent. */
  readonly pageSize?: number;
}

export interface Database {
  readonly folder: string;
  /** Row data, MB. */
  readonly dataMb: number;
  /** What every `wt` command on it needs before its own words. */
  readonly wt: readonly string[];
}

export const WT = "/usr/bin/wt";
export const TABLE = "x";
const KEY = 12;
const EXTENSIONS = "/usr/lib/x86_64-linux-gnu";

/** Rows of a size, keys included, of so many MB together. */
export const shapeOf = (mb: number, rowSize: number): RowShape => ({
  rows: Math.round((mb * 1e6) / rowSize),
  keySize: KEY,
  valueSize: rowSize - KEY,
  seed: 1,
});

/** The databases: big rows, small rows (cells and keys weigh most), and compressed pages. */
export const specs = ({ mb }: BenchOptions): DatabaseSpec[] => [
  { name: "rows of 1 KB", shape: shapeOf(mb, 1024) },
  { name: "rows of 40 bytes", shape: shapeOf(mb, 40) },
  { name: "rows of 1 KB, snappy", shape: shapeOf(mb, 1024), compressor: "snappy" },
];

/** `WiredTiger 3.2.1: (August 27, 2019)`, or undefined where there is no engine. */
export async function wtVersion(): Promise<string | undefined> {
  return existsSync(WT) ? (await runProcess([WT, "-V"])).stdout.trim() : undefined;
}

/** Why a database cannot be made here: a compressor is a library of its own. */
export function missing({ compressor }: DatabaseSpec): string | undefined {
  const library = compressor && libraryOf(compressor);
  return library === undefined || existsSync(library) ? undefined : `no ${library}`;
}

export async function database(spec: DatabaseSpec): Promise<Database> {
  const folder = join(tmpdir(), "pugmark-bench", folderName(spec));
  if (!existsSync(folder)) await make(spec, folder);
  const { rows, keySize, valueSize } = spec.shape;
  return { folder, dataMb: (rows * (keySize + valueSize)) / 1e6, wt: command(spec, folder, "") };
}

function folderName({ shape, compressor, pageSize }: DatabaseSpec): string {
  const { rows, keySize, valueSize, seed } = shape;
  const pages = pageSize === undefined ? "" : `-pages${pageSize}`;
  return `wt-${rows}x${keySize}+${valueSize}-${compressor ?? "none"}${pages}-seed${seed}`;
}

const libraryOf = (compressor: string): string => `${EXTENSIONS}/libwiredtiger_${compressor}.so`;

function command({ compressor }: DatabaseSpec, folder: string, more: string): string[] {
  const extensions = compressor === undefined ? "" : `extensions=["${libraryOf(compressor)}"]`;
  return [WT, "-h", folder, "-C", [more, extensions].filter(Boolean).join(",")];
}

/** Made beside its final name and moved there when complete: an interrupted run leaves nothing that looks done. */
async function make(spec: DatabaseSpec, folder: string): Promise<void> {
  const making = `${folder}.${process.pid}`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  const run = await runProcess([...command(spec, making, "create"), "load"], { input: dump(spec) });
  if (run.code !== 0) {
    rmSync(making, { recursive: true, force: true });
    throw new Error(`wt load ended with ${run.code}: ${run.stderr}`);
  }
  renameSync(making, folder);
  write(`made ${folder} in ${run.seconds.toFixed(1)} s`);
}

function* dump({ shape, compressor, pageSize }: DatabaseSpec): Generator<string> {
  const pages =
    pageSize === undefined ? "" : `,allocation_size=${pageSize},leaf_page_max=${pageSize},split_pct=100`;
  const config = `key_format=u,value_format=u,block_compressor=${compressor ?? ""}${pages}`;
  yield `WiredTiger Dump (WiredTiger Version 3.2.1)\nFormat=hex\nHeader\ntable:${TABLE}\n${config}\nData\n`;
  yield* dumpLines(shape);
}

export const engineVerify = ({ wt }: Database): Promise<ProcessRun> =>
  runProcess([...wt, "verify", `table:${TABLE}`]);

export const engineDump = ({ wt }: Database): Promise<ProcessRun> =>
  runProcess([...wt, "dump", "-x", `table:${TABLE}`], { output: "ignore" });
