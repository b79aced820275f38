/** Trees of every generation and page size, edited in rounds, hold what a map in memory holds, and are sound. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { MAX_TIMESTAMP, MAX_TRANSACTION, type TimeWindow } from "../../formats/time-window.js";
import { type RandomSource, seededRandom } from "../../src/codec/index.js";
import { readBlockHeaders } from "../../src/page/block-headers.js";
import { MemoryPageLog } from "../../src/store/memory-page-log.js";
import type { PageRecord } from "../../src/store/types.js";
import { SoundImages } from "../../src/tree/image-check.js";
import { PageLogSource } from "../../src/tree/page-log/source.js";
import { TreeTable } from "../../src/tree/table.js";
import type { TreeRow } from "../../src/tree/types.js";
import { type WriteGeneration, writeGenerations } from "../../src/write/generation.js";
import { editTree, TreeWriteError, writeTree } from "../../src/write/tree/index.js";
import type { RowEdit, TreeOptions, TreeState, WriteRow } from "../../src/write/types.js";

const TABLE = 41n;
const compare = (a: string, b: string): number => (a < b ? -1 : 1);
const latin = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

function randomWindow(random: RandomSource): TimeWindow | undefined {
  const kind = random.below(4);
  if (kind === 0) return undefined;
  const startTs = BigInt(1 + random.below(1000));
  const startTxn = BigInt(random.below(100));
  const stopTs = kind === 1 ? startTs + BigInt(random.below(50)) : MAX_TIMESTAMP;
  return {
    startTs,
    startTxn,
    durableStartTs: startTs + BigInt(random.below(2)),
    stopTs,
    stopTxn: kind === 1 ? startTxn + BigInt(random.below(3)) : MAX_TRANSACTION,
    durableStopTs: kind === 1 ? stopTs : 0n,
    prepare: false,
  };
}

function randomKey(random: RandomSource): string {
  const width = random.below(3) === 0 ? 2 : 5;
  const tail = random.below(10) === 0 ? "x".repeat(random.below(90)) : "";
  return `k${String(random.below(2000)).padStart(width, "0")}${tail}`;
}

/** Sorted edits; `removals` of a hundred remove their key. */
function edits(random: RandomSource, count: number, removals: number): RowEdit[] {
  const found = new Map<string, RowEdit>();
  for (let i = 0; i < count; i++) {
    const text = randomKey(random);
    const key = Buffer.from(text, "latin1");
    const value = Buffer.alloc(random.below(8) === 0 ? 0 : random.below(120), random.below(256));
    found.set(text, random.below(100) < removals ? { key } : { key, value, window: randomWindow(random) });
  }
  return [...found].sort(([a], [b]) => compare(a, b)).map(([, edit]) => edit);
}

class Tree {
  readonly log: MemoryPageLog;
  readonly model = new Map<string, RowEdit>();
  state: TreeState;

  constructor(
    readonly options: TreeOptions,
    rows: readonly RowEdit[],
  ) {
    const old = options.generation.cookie === "B";
    this.log = new MemoryPageLog({ checkpointIds: old });
    this.log.beginCheckpoint();
    this.note(rows);
    this.state = writeTree(this.log, options, rows as WriteRow[]);
    this.complete();
  }

  private note(rows: readonly RowEdit[]): void {
    for (const row of rows)
      if (row.value === undefined) this.model.delete(latin(row.key));
      else this.model.set(latin(row.key), row);
  }

  private complete(): void {
    this.log.completeCheckpoint({ metadata: Uint8Array.of(1), timestamp: 0n });
  }

  edit(rows: readonly RowEdit[]): void {
    this.log.beginCheckpoint();
    this.note(rows);
    this.state = editTree(this.log, this.options, this.state, rows);
    this.complete();
  }

  /** A checkpoint that dies before it is complete. */
  fail(rows: readonly RowEdit[]): void {
    this.log.beginCheckpoint();
    editTree(this.log, this.options, this.state, rows);
  }

  private table(): TreeTable {
    const { compressor } = this.options;
    const source = new PageLogSource(
      this.log,
      { tableId: TABLE, compressor, encryptor: "", collator: "" },
      new SoundImages({}),
    );
    const info = {
      // Of a history store every version is a row.
      uri: "file:WiredTigerSharedHS.wt_stable",
      name: "t",
      id: TABLE,
      keyFormat: "u",
      valueFormat: "u",
      compressor,
      encryptor: "",
      collator: "",
      checkpoints: [],
    };
    const { root } = this.state;
    return new TreeTable({
      info,
      checkpoint: undefined,
      source,
      root: root.length === 0 ? undefined : root,
      problems: [],
      history: () => undefined,
    });
  }

  check(): void {
    const table = this.table();
    const expected = [...this.model].sort(([a], [b]) => compare(a, b)).map(([, row]) => row);
    const plain = ({ key, value, window }: RowEdit | TreeRow) =>
      [latin(key as Uint8Array), latin(value as Uint8Array), ...Object.values(window ?? {})].join("|");
    assert.equal([...table.rows()].map(plain), expected.map(plain));
    let live = 0n;
    for (const { page } of table.pages())
      for (const { stored, image, layout } of page.parts) {
        live += BigInt(stored);
        const most = (layout.type === 7 ? this.options.leafPageMax : this.options.internalPageMax) ?? 0;
        // A row or two children alone may be more than a page.
        assert.ok(image.length <= Math.max(most, 1024));
      }
    assert.is(this.state.liveBytes, live);
  }
}

const sizes = [
  { leafPageMax: 512, internalPageMax: 512 },
  { leafPageMax: 4096, internalPageMax: 1024 },
];
const compressors = ["", "snappy", "zlib", "zstd", "lz4"];

for (const generation of Object.values(writeGenerations) as WriteGeneration[])
  test(`${generation.name}: rounds of edits`, () => {
    const random = seededRandom(generation.name.length * 31 + generation.name.charCodeAt(6));
    for (const [index, size] of sizes.entries()) {
      const options = {
        generation,
        tableId: TABLE,
        compressor: compressors[random.below(compressors.length)] as string,
        ...size,
        prefixCompression: index % 2 === 0,
        deltaPct: 100,
        maxConsecutiveDelta: 5,
      };
      const tree = new Tree(options, edits(random, random.below(500), 0));
      tree.check();
      for (let round = 0; round < 4; round++) {
        if (random.below(2) === 0) tree.fail(edits(random, 40, 50));
        tree.edit(edits(random, random.below(round % 2 === 0 ? 300 : 20), 30));
        tree.check();
      }
      // Nearly everything goes, then everything, then there is something again.
      const keys = [...tree.model.values()].sort((a, b) => compare(latin(a.key), latin(b.key)));
      tree.edit(keys.slice(1).map(({ key }) => ({ key })));
      tree.check();
      tree.edit(keys.map(({ key }) => ({ key })));
      assert.is(tree.state.root.length, 0);
      assert.is(tree.state.liveBytes, 0n);
      tree.edit(edits(random, 50, 10));
      tree.check();
    }
  });

const numbered = (count: number): WriteRow[] =>
  Array.from({ length: count }, (_, i) => ({
    key: Buffer.from(String(i).padStart(6, "0")),
    value: Buffer.from("a value"),
  }));
const small = (over: Partial<TreeOptions> = {}): TreeOptions => ({
  generation: writeGenerations["2026-07"],
  tableId: TABLE,
  compressor: "",
  leafPageMax: 1024,
  internalPageMax: 512,
  ...over,
});

test("one edit writes one delta a level and a new root, and nothing else", () => {
  const tree = new Tree(small({ deltaPct: 50 }), numbered(2000));
  const before = [...tree.log.records()].length;
  const { nextPageId } = tree.state;
  tree.edit([{ key: Buffer.from("001000"), value: Buffer.from("another") }]);
  tree.check();
  const fresh = [...tree.log.records()].filter(({ lsn }) => lsn > (1n << 32n) + BigInt(before));
  const kinds = fresh
    .sort((a, b) => Number(a.lsn - b.lsn))
    .map(({ isDelta, discarded }) => [isDelta, discarded]);
  assert.equal(
    kinds.slice(0, -2),
    Array.from({ length: kinds.length - 2 }, () => [true, false]),
  );
  assert.equal(kinds.slice(-2), [
    [false, false],
    [true, true],
  ]);
  assert.is(tree.state.nextPageId, nextPageId + 1n);
});

test("chains end at the longest that is allowed, or at none", () => {
  for (const maxConsecutiveDelta of [0, 1, 3]) {
    const tree = new Tree(small({ deltaPct: 100, maxConsecutiveDelta }), numbered(30));
    for (let i = 0; i < 6; i++) tree.edit([{ key: Buffer.from("000010"), value: Buffer.from(`value ${i}`) }]);
    tree.check();
    const leaf = [...tree.log.records()]
      .filter(({ pageId }) => pageId === 100n)
      .map(({ isDelta }) => isDelta);
    const longest = Math.max(0, ...leaf.map((_, at) => leaf.slice(at).findIndex((delta) => !delta)));
    assert.ok(longest <= maxConsecutiveDelta);
    assert.is(leaf.includes(true), maxConsecutiveDelta > 0);
  }
});

test("write generations rise from page to page, and images name the checksum before", () => {
  const tree = new Tree(small({ deltaPct: 1 }), numbered(30));
  tree.edit([{ key: Buffer.from("000010"), value: Buffer.from("x".repeat(300)) }]);
  const records = [...tree.log.records()].filter(({ pageId }) => pageId === 100n);
  const [one, two] = records as [PageRecord, PageRecord];
  const [first, second] = [readBlockHeaders(one.data), readBlockHeaders(two.data)];
  assert.is((second.block as { previousChecksum: number }).previousChecksum, first.checksum.stored);
  assert.is(two.backlinkLsn, one.lsn);
  assert.ok(second.header.writeGen > first.header.writeGen);
});

test("no change puts nothing", () => {
  const tree = new Tree(small(), numbered(100));
  const { state } = tree;
  const before = tree.log.lastLsn;
  tree.log.beginCheckpoint();
  assert.is(editTree(tree.log, tree.options, state, []), state);
  assert.is(editTree(tree.log, tree.options, state, [{ key: Buffer.from("nothing") }]), state);
  assert.is(tree.log.lastLsn, before);
});

test("rows that do not ascend, bad options and damaged trees are refused", () => {
  const refused =
    (code: string) =>
    (error: unknown): boolean =>
      error instanceof TreeWriteError && error.code === code;
  const log = new MemoryPageLog();
  log.beginCheckpoint();
  const [one, two] = numbered(2) as [WriteRow, WriteRow];
  assert.throws(() => writeTree(log, small(), [two, one]), refused("unsorted-rows"));
  assert.throws(() => writeTree(log, small(), [one, one]), refused("unsorted-rows"));
  assert.throws(() => writeTree(log, small({ leafPageMax: 10 }), [one]), refused("bad-options"));
  assert.throws(() => writeTree(log, small({ maxConsecutiveDelta: 33 }), [one]), refused("bad-options"));
  assert.throws(() => writeTree(log, small({ compressor: "nope" }), [one]), /no compressor/);
  const tree = new Tree(small(), numbered(100));
  tree.log.beginCheckpoint();
  assert.throws(() => editTree(tree.log, tree.options, tree.state, [two, one]), refused("unsorted-rows"));
  tree.check();
  const root = tree.state.root.slice();
  root[root.length - 1] = (root[root.length - 1] as number) ^ 1;
  assert.throws(
    () => editTree(tree.log, tree.options, { ...tree.state, root }, [one]),
    refused("tree-damaged"),
  );
});

test.run();
