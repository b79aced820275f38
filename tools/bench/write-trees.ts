/** Trees in a page log in memory: rows written, bytes an edited row costs with and without deltas, chains replaced. */
import { type RandomSource, seededRandom } from "../../src/codec/index.js";
import { installNodeAccelerators } from "../../src/platform/node.js";
import { MemoryPageLog } from "../../src/store/index.js";
import { SoundImages } from "../../src/tree/image-check.js";
import { PageLogSource } from "../../src/tree/page-log/source.js";
import { TreeTable } from "../../src/tree/table.js";
import { newestGeneration } from "../../src/write/generation.js";
import { replacePages } from "../../src/write/replace/replace-pages.js";
import { editTree, writeTree } from "../../src/write/tree/index.js";
import type { RowEdit, TreeOptions, TreeState, WriteRow } from "../../src/write/types.js";
import { type Bench, type BenchOptions, type Result, writeTable } from "./bench.js";

const TABLE = 41n;
const MAX_ROWS = 1_000_000;
const ROWS_PER_MB = 10_000;
const ROUNDS = 10;
/** Of all rows, in one round. */
const EDITED = 0.002;
/** Of a row's versions: the key is not there. */
const REMOVED = 255;
const encoder = new TextEncoder();

export const writeTreesBench: Bench = {
  name: "write-trees",
  title:
    "trees of rows of 100 bytes: writing, rounds of random edits with and without deltas, replacing chains",
  async run({ mb }: BenchOptions): Promise<readonly Result[]> {
    installNodeAccelerators();
    const count = Math.min(MAX_ROWS, Math.round(mb * ROWS_PER_MB));
    const results = [edited(count, "deltas", 32), edited(count, "no deltas", 0)];
    const [first, second] = results as [Edited, Edited];
    writeTable(
      ["tree", "rows", "rows/s written", "rows/s edited", "bytes an edited row"],
      results.map(({ name, written, rate, bytes }) => [
        name,
        whole(count),
        whole(written),
        whole(rate),
        whole(bytes),
      ]),
    );
    const { chains, seconds } = replaced(first.log);
    return [
      { what: "rows written", ours: `${whole(count)} rows`, rate: `${whole(first.written)} rows/s` },
      {
        what: "rows edited, deltas",
        ours: `${whole(first.bytes)} bytes a row`,
        rate: `${whole(first.rate)} rows/s`,
        ratio: (first.bytes / second.bytes).toFixed(2),
      },
      {
        what: "rows edited, no deltas",
        ours: `${whole(second.bytes)} bytes a row`,
        rate: `${whole(second.rate)} rows/s`,
      },
      {
        what: "chains replaced",
        ours: `${seconds.toFixed(2)} s`,
        rate: `${whole(chains / seconds)} pages/s`,
      },
    ];
  },
};

const whole = (value: number): string => Math.round(value).toLocaleString("en");

interface Edited {
  readonly name: string;
  readonly log: MemoryPageLog;
  /** Rows a second. */
  readonly written: number;
  readonly rate: number;
  /** Put for each edited row. */
  readonly bytes: number;
}

const keyOf = (row: number): Uint8Array => encoder.encode(`user:${String(row).padStart(10, "0")}`);
const valueAt = (row: number, version: number): Uint8Array =>
  encoder.encode(`${version} of ${row} `.padEnd(84, "abcdefghijklmnopqrstuvwxyz"));

function* rowsOf(versions: Uint8Array): Generator<WriteRow> {
  for (let row = 0; row < versions.length; row++)
    if (versions[row] !== REMOVED) yield { key: keyOf(row), value: valueAt(row, versions[row] as number) };
}

function timed<T>(work: () => T): { result: T; seconds: number } {
  const start = process.hrtime.bigint();
  const result = work();
  return { result, seconds: Number(process.hrtime.bigint() - start) / 1e9 };
}

function edited(count: number, name: string, maxConsecutiveDelta: number): Edited {
  const log = new MemoryPageLog();
  const options: TreeOptions = {
    generation: newestGeneration,
    tableId: TABLE,
    compressor: "",
    maxConsecutiveDelta,
  };
  const versions = new Uint8Array(count);
  const complete = () => log.completeCheckpoint({ metadata: Uint8Array.of(1), timestamp: 0n });
  const rows = [...rowsOf(versions)];
  log.beginCheckpoint();
  const written = timed(() => writeTree(log, options, rows));
  complete();
  let state = written.result;
  const before = log.size;
  const random = seededRandom(count);
  let [seconds, edits] = [0, 0];
  for (let round = 1; round <= ROUNDS; round++) {
    const changes = changesOf(versions, round, random);
    log.beginCheckpoint();
    const one = timed(() => editTree(log, options, state, changes));
    complete();
    state = one.result;
    seconds += one.seconds;
    edits += changes.length;
  }
  compare(log, state, versions);
  const bytes = (log.size - before) / edits;
  return { name, log, written: count / written.seconds, rate: edits / seconds, bytes };
}

/** Sorted; one in ten removes its row. The versions are brought up to date. */
function changesOf(versions: Uint8Array, round: number, random: RandomSource): RowEdit[] {
  const rows = new Set<number>();
  while (rows.size < Math.max(1, versions.length * EDITED)) rows.add(random.below(versions.length));
  return [...rows]
    .sort((a, b) => a - b)
    .map((row) => {
      versions[row] = random.below(10) === 0 ? REMOVED : round;
      const key = keyOf(row);
      return versions[row] === REMOVED ? { key } : { key, value: valueAt(row, round) };
    });
}

/** @throws Error when the tree does not hold what the versions say: times would mean nothing. */
function compare(log: MemoryPageLog, { root }: TreeState, versions: Uint8Array): void {
  const table = { tableId: TABLE, compressor: "", encryptor: "", collator: "" };
  const info = {
    uri: "file:t",
    name: "t",
    id: TABLE,
    keyFormat: "u",
    valueFormat: "u",
    checkpoints: [],
    ...table,
  };
  const source = new PageLogSource(log, table, new SoundImages({}));
  const tree = new TreeTable({
    info,
    checkpoint: undefined,
    source,
    root,
    problems: [],
    history: () => undefined,
  });
  const expected = rowsOf(versions);
  for (const { key, value } of tree.rows()) {
    const row = expected.next().value as WriteRow | undefined;
    const same =
      row !== undefined &&
      Buffer.compare(key as Uint8Array, row.key) === 0 &&
      Buffer.compare(value, row.value) === 0;
    if (!same) throw new Error("the tree does not hold the rows that were written");
  }
  if (expected.next().done !== true) throw new Error("the tree has lost rows");
}

function replaced(log: MemoryPageLog): { chains: number; seconds: number } {
  let chains = 0;
  const contents = replacePages(log, {
    encoding: "modified",
    selection: { minDeltas: 1 },
    tables: new Map(),
    onReplaced: () => void chains++,
  });
  const { seconds } = timed(() => {
    for (const _record of contents.records());
  });
  return { chains, seconds };
}
