/** A byte program for a leader: rows, edits, rotations, failures, crashes, replacement and restarts, beside a plain model. */
import { MAX_TIMESTAMP, MAX_TRANSACTION } from "../../formats/time-window.js";
import { type RandomSource, seededRandom } from "../../src/codec/index.js";
import { encodeText } from "../../src/codec/text.js";
import { type CrashPoint, CrashReached, crashPoints } from "../../src/store/crash-point.js";
import { MemoryPageLog } from "../../src/store/memory-page-log.js";
import type { WritablePageLog } from "../../src/store/writable.js";
import { verifyPageLog } from "../../src/verify/page-log/verify.js";
import { Detected, Run } from "../../src/verify/run.js";
import { type WriteGeneration, writeGenerations } from "../../src/write/generation.js";
import { replacePages } from "../../src/write/replace/replace-pages.js";
import { DatabaseNode } from "../../src/write/roles/node.js";
import { NodeError } from "../../src/write/roles/node-error.js";
import { type WriteFault, withFullDisk } from "../../src/write/scenarios/faulty-log.js";
import { type KeyFault, ScriptedKeys } from "../../src/write/scenarios/scripted-keys.js";
import { keyBytes, valueBytes } from "../../src/write/scenarios/workload.js";
import type { RowEdit } from "../../src/write/types.js";
import { Tape } from "../tape.js";
import { Broken, type FuzzTarget } from "../target.js";

const MAX_STEPS = 24;
const MAX_ROWS = 100;
const MAX_EDITS = 8;
const TABLES = ["a", "b", "c"] as const;
const KEYS = 256;
const COMPRESSORS = ["", "", "snappy", "zlib", "zstd"] as const;
const MAX_DELTAS = [32, 3, 2, 1, 0] as const;
const EPOCH = 1_790_000_000n;

const generations: readonly WriteGeneration[] = Object.values(writeGenerations);
const points = Object.keys(crashPoints) as CrashPoint[];
const KEY_FAULTS: readonly KeyFault[] = [
  "size call fails",
  "bytes call fails",
  "calls disagree",
  "update call fails",
];
/** What is normal in a log whose writer died: records no checkpoint names. */
const NORMAL: ReadonlySet<string> = new Set(["record-orphans"]);

type Content = ReadonlyMap<string, ReadonlyMap<number, string>>;

export const checkpointWriterTarget: FuzzTarget = {
  name: "checkpoint-writer",
  oracle:
    "whatever is written, refused, rotated, broken off, replaced and reopened: a reader of the newest checkpoint finds " +
    "exactly the model's rows and key, and verification nothing but records of what was broken off",
  *seeds() {
    for (let generation = 0; generation < generations.length; generation++) {
      yield Uint8Array.of(generation);
      yield Uint8Array.of(generation, ...LEAVES, 40, generation, ...CHAIN, ...CHAIN);
      yield Uint8Array.of(
        generation,
        ...LEAVES,
        90,
        7,
        ...SPLITS,
        9,
        2,
        1,
        11,
        0,
        ...CHAIN,
        12,
        1,
        1,
        ...SPLITS,
      );
    }
  },
  fuzz: (input) => new Program(new Tape(input)).run(),
};

/** Parts of first inputs: a first table of small leaves, of large ones; edits that make chains, that make leaves split. */
const LEAVES = [0, 0, 3, 3, 1, 0, 0] as const;
const CHAIN = [5, 0, 1, 3, 5, 0, 0, 4, 5, 0, 1, 5, 5, 0, 2, 6] as const;
const SPLITS = [5, 0, 15, 8, 5, 0, 14, 9] as const;

class Program {
  private readonly generation: WriteGeneration;
  private readonly fault: WriteFault = { fails: undefined };
  private log: MemoryPageLog;
  private keys: ScriptedKeys;
  private node: DatabaseNode;
  /** What the node was given, and what its newest checkpoint is to hold. */
  private given = new Map<string, Map<number, string>>();
  private published: { readonly content: Content; readonly key: Uint8Array } | undefined;
  private armed: { point: CrashPoint; passes: number } | undefined;
  /** Something was broken off: its records may be there. */
  private hasBroken = false;
  private keyNumber = 0;
  private time = EPOCH;

  constructor(private readonly tape: Tape) {
    this.generation = generations[tape.below(256) % generations.length] as WriteGeneration;
    const { cookie } = this.generation;
    const old = cookie === "A" || cookie === "B" ? { checkpointIds: true, firstLsn: 1n } : {};
    this.log = new MemoryPageLog({ onCrashPoint: this.hook, ...old });
    this.keys = this.newKeys();
    this.node = this.open();
  }

  run(): void {
    // Most of what can be done needs a table.
    if (this.tape.below(8) < 7) {
      this.create(TABLES[0]);
      this.load(TABLES[0]);
    }
    for (let step = 0; step < MAX_STEPS && this.tape.left > 0; step++) this.step();
    this.reopen();
    this.check();
    this.checkpoint();
    this.check();
  }

  private step(): void {
    const { tape } = this;
    const steps: ReadonlyArray<() => void> = [
      () => this.checkpoint(),
      () => this.create(this.anyName()),
      () => this.load(this.tableName()),
      () => this.edit(),
      () => this.edit(),
      () => this.editAndPublish(),
      () => this.editAndPublish(),
      () => this.editAndPublish(),
      () => this.keys.rotate(),
      () => this.crash(),
      () => (tape.below(2) === 0 ? this.failWrite() : this.failKey()),
      () => (tape.below(2) === 0 ? this.reopen() : this.replace()),
    ];
    steps[tape.below(steps.length)]?.();
  }

  private create(name: string): void {
    const { tape } = this;
    const created = this.refusable(() =>
      this.node.createTable(name, {
        keyFormat: "S",
        valueFormat: "S",
        leafPageMax: 512 << tape.below(4),
        internalPageMax: 512 << tape.below(4),
        deltaPct: 100 - 20 * tape.below(5),
        maxConsecutiveDelta: MAX_DELTAS[tape.below(MAX_DELTAS.length)] as number,
        prefixCompression: tape.below(2) === 1,
        compressor: COMPRESSORS[tape.below(COMPRESSORS.length)] as string,
      }),
    );
    if (created === this.given.has(name)) throw new Broken(`table ${name}: created ${created}`);
    if (created) this.given.set(name, new Map());
  }

  private load(name: string): void {
    const rows = new Map<number, string>();
    let left = this.tape.below(MAX_ROWS);
    const random = this.random();
    for (; left > 0; left--) rows.set(random.below(KEYS), someValue(random));
    const ascending = [...rows].sort(([a], [b]) => a - b).map(rowOf) as Array<Required<RowEdit>>;
    if (this.refusable(() => this.node.table(name).load(ascending))) this.given.set(name, rows);
  }

  private edit(): void {
    const name = this.tableName();
    const { edits, timed, inOrder } = this.edits(this.given.get(name) ?? new Map());
    const window = timed ? committed(this.node.stableTimestamp + 1n) : undefined;
    const ordered = [...edits].map((one) => ({ ...rowOf(one), window }));
    // Rows out of order are refused whole.
    if (inOrder) ordered.sort((a, b) => Buffer.compare(a.key, b.key));
    if (!this.refusable(() => this.node.table(name).edit(ordered))) return;
    if (timed) this.node.setStableTimestamp(this.node.stableTimestamp + 2n);
    const content = this.given.get(name) as Map<number, string>;
    for (const [key, value] of edits)
      if (value === undefined) content.delete(key);
      else content.set(key, value);
  }

  /** New rows, changed ones, and some that are removed: few, so that deltas pay, or many, so that leaves split. */
  private edits(content: ReadonlyMap<number, string>) {
    const size = this.tape.below(2 * MAX_EDITS);
    const random = this.random();
    const edits = new Map<number, string | undefined>();
    const present = [...content.keys()];
    for (let left = size < MAX_EDITS ? 1 + size : 4 * size; left > 0; left--) {
      const old = random.below(2) === 0 ? present[random.below(present.length)] : undefined;
      if (old !== undefined && random.below(3) === 0) edits.set(old, undefined);
      else edits.set(old ?? random.below(KEYS), someValue(random));
    }
    return { edits, timed: random.below(4) === 0, inOrder: random.below(16) > 0 };
  }

  private editAndPublish(): void {
    this.edit();
    this.checkpoint();
  }

  private checkpoint(): void {
    const before = this.log.checkpoints().length;
    const intended = this.intended();
    this.node.checkpoint();
    if (this.log.checkpoints().length !== before + 1) throw new Broken("a checkpoint that is not in the log");
    this.published = intended;
  }

  /** The process dies at a point; another one finds what it left. */
  private crash(): void {
    const { tape } = this;
    this.hasBroken = true;
    this.armed = { point: points[tape.below(points.length)] as CrashPoint, passes: 1 + tape.below(4) };
    const before = this.log.checkpoints().length;
    const intended = this.intended();
    try {
      this.node.checkpoint();
    } catch (error) {
      if (!(error instanceof CrashReached)) throw error;
    }
    this.armed = undefined;
    if (this.log.checkpoints().length > before) this.published = intended;
    this.reopen();
    this.check();
  }

  private failWrite(): void {
    const { turtle, sharedMetadata, keyProvider } = this.generation.tables;
    const what = [turtle, sharedMetadata, keyProvider, "record"] as const;
    this.fault.fails = what[this.tape.below(what.length)];
    this.failing(() => this.fault.fails === undefined);
    this.fault.fails = undefined;
  }

  private failKey(): void {
    this.keys.fault = KEY_FAULTS[this.tape.below(KEY_FAULTS.length)];
    this.failing(() => this.keys.fault === undefined);
    this.keys.fault = undefined;
  }

  /** A checkpoint during which something may fail: then it fails whole, and what was given is not lost. */
  private failing(hasFailed: () => boolean): void {
    try {
      this.checkpoint();
    } catch (error) {
      if (!hasFailed()) throw error;
      this.hasBroken = true;
      return;
    }
    if (hasFailed()) throw new Broken("something failed, and the checkpoint did not");
  }

  /** What was given since the newest checkpoint is lost. */
  private reopen(): void {
    this.node.close();
    this.log = MemoryPageLog.of(
      {
        records: () => this.log.records(),
        checkpoints: () => this.log.checkpoints(),
        globals: this.log.globals,
      },
      { onCrashPoint: this.hook },
    );
    this.restart();
  }

  /** A storage service puts images in place of chains, between two runs. */
  private replace(): void {
    this.node.close();
    const encoding = this.generation.blockHeader === "extended" ? "extended" : "modified";
    const selection = { minDeltas: 1 + this.tape.below(3) };
    const replaced = replacePages(this.log, { encoding, selection, tables: this.compressors() });
    this.log = MemoryPageLog.of(replaced, { onCrashPoint: this.hook });
    this.restart();
    this.check();
  }

  private restart(): void {
    this.keys = this.newKeys();
    this.given = new Map(Array.from(this.published?.content ?? [], ([name, rows]) => [name, new Map(rows)]));
    this.node = this.open();
  }

  private check(): void {
    const run = new Run({}, 0);
    verifyPageLog(this.log, run, new Detected(this.log.path, this.log.kind));
    const { findings, summary } = run.report();
    const isEmpty = this.log.checkpoints().length === 0;
    for (const { severity, code, message } of findings)
      if (
        severity === "error" ||
        !((this.hasBroken && NORMAL.has(code)) || (isEmpty && code === "unchecked"))
      )
        throw new Broken(`${code}: ${message}`);
    if (!isEmpty && !summary.complete) throw new Broken("not complete");
    const keys = this.newKeys();
    const { generation } = this;
    const follower = DatabaseNode.open(this.log, { role: "follower", generation, keyProvider: keys });
    const isThere = follower.checkpointed !== undefined;
    if (isThere !== (this.published !== undefined)) throw new Broken(`a checkpoint is there: ${isThere}`);
    if (this.published === undefined) return;
    if (Buffer.compare(keys.loaded, this.published.key) !== 0) throw new Broken("another key");
    const reader = follower.reader();
    const names = new Set(reader.tables().map(({ name }) => name));
    for (const table of TABLES) {
      const expected = this.published.content.get(table);
      if (names.has(`layered:${table}`) !== (expected !== undefined)) throw new Broken(`table ${table}`);
      if (expected !== undefined) compare(reader.table(table).rows(), expected);
    }
  }

  private open(): DatabaseNode {
    const { generation, keys, hook } = this;
    return DatabaseNode.open(withFullDisk(this.log, this.fault) as WritablePageLog, {
      generation,
      keyProvider: keys,
      now: () => this.time++,
      onCrashPoint: hook,
    });
  }

  private intended(): { content: Content; key: Uint8Array } {
    const content = new Map(Array.from(this.given, ([name, rows]) => [name, new Map(rows)] as const));
    return { content, key: this.keys.blob.slice() };
  }

  private compressors(): Map<bigint, { compressor: string; encryptor: string }> {
    const { generation } = this;
    const node = DatabaseNode.open(this.log, { role: "follower", generation });
    const infos = node.checkpointed === undefined ? [] : node.reader().tables();
    return new Map(
      infos.flatMap(({ id, compressor, encryptor }) =>
        id === undefined ? [] : [[id, { compressor, encryptor }]],
      ),
    );
  }

  /** Whether it was done; refusals change nothing. */
  private refusable(work: () => unknown): boolean {
    try {
      work();
      return true;
    } catch (error) {
      if (error instanceof NodeError) return false;
      throw error;
    }
  }

  private newKeys = (): ScriptedKeys => new ScriptedKeys(7, () => ++this.keyNumber);
  /** What a few rows or edits are made of: one byte of the program, so that short programs do much. */
  private random = (): RandomSource => seededRandom(this.tape.below(256));
  private anyName = (): string => TABLES[this.tape.below(TABLES.length)] as string;
  /** A table there is, as a rule. */
  private tableName(): string {
    const known = [...this.given.keys()];
    const choice = this.tape.below(16);
    return (choice < 15 ? known[choice % known.length] : undefined) ?? this.anyName();
  }

  private readonly hook = (point: CrashPoint): void => {
    const { armed } = this;
    if (armed === undefined || armed.point !== point || --armed.passes > 0) return;
    this.armed = undefined;
    throw new CrashReached(point);
  };
}

const someValue = (random: RandomSource): string => "value".repeat(1 + random.below(16)) + random.below(256);

const rowOf = ([key, value]: readonly [number, string | undefined]): RowEdit => ({
  key: keyBytes(key),
  ...(value === undefined ? {} : { value: valueBytes(value) }),
});

const committed = (timestamp: bigint) => ({
  startTs: timestamp,
  startTxn: timestamp,
  durableStartTs: timestamp,
  stopTs: MAX_TIMESTAMP,
  stopTxn: MAX_TRANSACTION,
  durableStopTs: 0n,
  prepare: false,
});

function compare(
  rows: Iterable<{ readonly key: Uint8Array | bigint; readonly value: Uint8Array }>,
  expected: ReadonlyMap<number, string>,
): void {
  const wanted = new Map(
    Array.from(expected, ([key, value]) => [
      Buffer.from(keyBytes(key)).toString("latin1"),
      Buffer.from(encodeText(`${value}\0`)).toString("latin1"),
    ]),
  );
  let count = 0;
  for (const { key, value } of rows) {
    const text = Buffer.from(key as Uint8Array).toString("latin1");
    if (wanted.get(text) !== Buffer.from(value).toString("latin1"))
      throw new Broken(`a row that is not the model's`);
    count++;
  }
  if (count !== wanted.size) throw new Broken(`${count} rows, not ${wanted.size}`);
}
