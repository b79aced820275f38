/** Named scenarios: what is written, and what must be true of the store whenever the process dies. */
import type { TimeWindow } from "../../../formats/time-window.js";
import { MAX_TIMESTAMP, MAX_TRANSACTION } from "../../../formats/time-window.js";
import { encodeText } from "../../codec/text.js";
import type { PageLogContents } from "../../store/memory-page-log.js";
import type { PageLog } from "../../store/types.js";
import type { WriteGeneration } from "../generation.js";
import { PushedKeys } from "../key-provider/pushed-keys.js";
import { replacePages } from "../replace/replace-pages.js";
import type { DatabaseNode } from "../roles/node.js";
import type { WriteRow } from "../types.js";
import type { Stage } from "./stage.js";
import { keyBytes, valueBytes } from "./workload.js";

export interface Scenario {
  readonly summary: string;
  /** What a reader of the store finds. */
  readonly shows: string;
  play(stage: Stage): void;
  /** What becomes of the page log in the end, where it is not taken as it is. */
  finish?(log: PageLog, generation: WriteGeneration): PageLogContents;
}

const ROWS = 150;
const TABLE = "accounts";
const SMALL = { keyFormat: "S", valueFormat: "S", leafPageMax: 2048, deltaPct: 80 };

/** A leader with one table of rows, and its first checkpoint. */
function freshLeader(stage: Stage, rows = ROWS): DatabaseNode {
  const node = stage.open();
  node.createTable(TABLE, SMALL).load(stage.workload.rows(TABLE, rows));
  node.createTable("empty", SMALL);
  stage.checkpoint(node);
  return node;
}

/** Some changes of the table. */
function edit(stage: Stage, node: DatabaseNode): void {
  node.table(TABLE).edit(stage.workload.edits(TABLE, { update: 6, insert: 4, remove: 3 }));
}

export const scenarios = {
  "fresh-start": {
    summary: "a leader with an empty page log: two tables, rows, the first checkpoint",
    shows: "one checkpoint; a key page is there from the first on",
    play: (stage) => void freshLeader(stage),
  },
  "no-change": {
    summary: "a second checkpoint without changes of rows or key",
    shows: "two checkpoints with one key page and one set of trees",
    play(stage) {
      const node = freshLeader(stage);
      stage.checkpoint(node);
    },
  },
  "rotation-checkpoint": {
    summary: "rows change and the key is rotated, then a checkpoint and a restart",
    shows: "two key pages; the newest checkpoint names the second",
    play(stage) {
      const node = freshLeader(stage);
      edit(stage, node);
      stage.keys.rotate();
      stage.checkpoint(node);
      const restarted = stage.open();
      edit(stage, restarted);
      stage.checkpoint(restarted);
    },
  },
  "rotation-crash": {
    summary: "the key is rotated, and the process dies before the checkpoint with the new key is published",
    shows: "one checkpoint with the old key; the new key page is an orphan",
    play(stage) {
      const node = freshLeader(stage);
      edit(stage, node);
      stage.keys.rotate();
      stage.crashAt(node, "after-key-update");
    },
  },
  "crash-restart": {
    summary: "as rotation-crash, then a restart, the same work again and a checkpoint",
    shows: "two checkpoints; nothing is left of the one that failed but the LSNs it used",
    play(stage) {
      const node = freshLeader(stage);
      edit(stage, node);
      stage.keys.rotate();
      stage.crashAt(node, "after-turtle");
      const restarted = stage.open();
      edit(stage, restarted);
      stage.keys.rotate();
      stage.checkpoint(restarted);
    },
  },
  "failed-put": {
    summary:
      "the disk is full when a page, the key page, the turtle page or the record is written; then it is not",
    shows: "two checkpoints: what failed left nothing, and was written by the next one",
    play(stage) {
      const node = freshLeader(stage);
      for (const what of ["page", "metadata", "key", "turtle", "record"] as const) {
        edit(stage, node);
        stage.keys.rotate();
        stage.failWrite(what);
        stage.failingCheckpoint(node);
      }
      stage.checkpoint(node);
    },
  },
  "provider-error": {
    summary: "the key provider fails in either call, contradicts itself, or refuses the LSN",
    shows: "two checkpoints: the failed ones left nothing, and the new key is in the second",
    play(stage) {
      const node = freshLeader(stage);
      stage.keys.rotate();
      for (const fault of [
        "size call fails",
        "bytes call fails",
        "calls disagree",
        "update call fails",
      ] as const) {
        edit(stage, node);
        stage.keys.fault = fault;
        stage.failingCheckpoint(node);
      }
      stage.checkpoint(node);
    },
  },
  "pushed-keys": {
    summary: "keys are pushed with timestamps; each checkpoint persists the newest it covers",
    shows: "key pages with the timestamps 10, 30 and 40; the key of 20 was never persisted",
    play(stage) {
      const keys = new PushedKeys();
      const node = stage.openWith(keys);
      const push = (timestamp: bigint): void => {
        const key = encodeText(`PUSHED ${stage.options.seed} ${timestamp} `.repeat(20));
        node.setKey(key, timestamp);
        stage.expectKey(key, timestamp);
      };
      push(10n);
      node.createTable(TABLE, SMALL).load(stage.workload.rows(TABLE, ROWS));
      node.setStableTimestamp(15n);
      stage.checkpoint(node);
      push(20n);
      push(30n);
      push(40n);
      edit(stage, node);
      node.setStableTimestamp(35n);
      stage.checkpoint(node);
      node.setStableTimestamp(50n);
      stage.checkpoint(node);
    },
  },
  "follower-pick-up": {
    summary: "a follower opens a leader's first checkpoint, and picks up the next ones",
    shows: "three checkpoints, each of which was read by the follower with its key",
    play(stage) {
      const leader = freshLeader(stage);
      const keys = stage.keys;
      const follower = stage.open("follower");
      for (let round = 0; round < 2; round++) {
        edit(stage, leader);
        keys.rotate();
        stage.keys = keys;
        stage.checkpoint(leader);
        follower.pickUp();
      }
    },
  },
  "step-up": {
    summary: "the leader steps down, a follower steps up and writes, and they change places again",
    shows: "four checkpoints of two nodes; write generations rise with every change of leader",
    play(stage) {
      const first = freshLeader(stage);
      const firstKeys = stage.keys;
      const second = stage.open("follower");
      const secondKeys = stage.keys;
      const turns = [
        { leader: second, keys: secondKeys, before: first },
        { leader: first, keys: firstKeys, before: second },
        { leader: second, keys: secondKeys, before: first },
      ];
      for (const { leader, keys, before } of turns) {
        before.stepDown();
        leader.stepUp();
        keys.rotate();
        stage.keys = keys;
        edit(stage, leader);
        stage.checkpoint(leader);
      }
    },
  },
  "delta-chains": {
    summary: "many checkpoints with a few changes each",
    shows: "pages with chains of deltas, up to the most a reader takes, and images in place of full chains",
    play(stage) {
      const node = freshLeader(stage, 40);
      for (let round = 0; round < 34; round++) {
        node.table(TABLE).edit(stage.workload.edits(TABLE, { update: 1 }));
        stage.checkpoint(node);
      }
    },
  },
  timestamps: {
    summary: "rows with commit timestamps; the stable and the oldest timestamp move",
    shows: "time windows in cells, aggregates in parents, timestamps in turtle pages",
    play(stage) {
      const node = stage.open();
      node.createTable(TABLE, SMALL).load(stage.workload.rows(TABLE, ROWS));
      node.setStableTimestamp(10n);
      stage.checkpoint(node);
      for (const timestamp of [20n, 30n]) {
        const edits = stage.workload.edits(TABLE, { update: 20 });
        node.table(TABLE).edit(edits.map((one) => ({ ...one, window: committed(timestamp) })));
        node.setStableTimestamp(timestamp + 5n);
        node.setOldestTimestamp(timestamp - 10n);
        stage.checkpoint(node);
      }
    },
  },
  replacement: {
    summary: "chains of deltas, then images that stand in place of them",
    shows: "replaced pages whose parents still hold the old addresses, where the generation has replacements",
    play(stage) {
      const node = freshLeader(stage, 40);
      for (let round = 0; round < 6; round++) {
        node.table(TABLE).edit(stage.workload.edits(TABLE, { update: 1 }));
        stage.checkpoint(node);
      }
    },
    finish: (log, { blockHeader }) =>
      replacePages(log, {
        encoding: blockHeader === "extended" ? "extended" : "modified",
        selection: { minDeltas: 1 },
        tables: new Map(),
      }),
  },
  big: {
    summary: "one table of as many rows as --size asks for, and a round of changes",
    shows: "a tree of several levels",
    play(stage) {
      const node = stage.open();
      const count = Math.max(1, Math.ceil(stage.options.size / BIG_ROW));
      const rows = bigRows(stage.options.seed, count);
      node.createTable(TABLE, { keyFormat: "S", valueFormat: "S" }).load(rows);
      stage.workload.set(TABLE, rememberedRows(stage.options.seed, count));
      stage.checkpoint(node);
      const step = Math.max(1, Math.floor(count / CHANGED));
      const changed = Array.from({ length: Math.floor(count / step) }, (_, index) => index * step);
      const edits = changed.map((n): [number, string] => [n, `changed ${n}`]);
      node.table(TABLE).edit(edits.map(([n, value]) => ({ key: keyBytes(n), value: valueBytes(value) })));
      if (count <= REMEMBERED) stage.workload.set(TABLE, edits);
      stage.checkpoint(node);
    },
  },
} as const satisfies Readonly<Record<string, Scenario>>;
export type ScenarioName = keyof typeof scenarios;

/** Committed at a timestamp, by the transaction of the same number. */
const committed = (timestamp: bigint): TimeWindow => ({
  startTs: timestamp,
  startTxn: timestamp,
  durableStartTs: timestamp,
  stopTs: MAX_TIMESTAMP,
  stopTxn: MAX_TRANSACTION,
  durableStopTs: 0n,
  prepare: false,
});

/** Bytes of key and value of a row, about. */
const BIG_ROW = 100;
/** Rows that change in the second checkpoint. */
const CHANGED = 100;
/** What more rows hold is not remembered. */
const REMEMBERED = 100_000;

const bigValue = (seed: number, n: number): string => {
  const text = `${seed}.${n}.`;
  return text.repeat(Math.ceil(BIG_VALUE / text.length)).slice(0, BIG_VALUE);
};
const BIG_VALUE = 85;

/** Made as they are read, any number of times. */
const bigRows = (seed: number, count: number): Iterable<WriteRow> => ({
  *[Symbol.iterator]() {
    for (let n = 0; n < count; n++) yield { key: keyBytes(n), value: valueBytes(bigValue(seed, n)) };
  },
});

const rememberedRows = (seed: number, count: number): Array<[number, string]> =>
  count > REMEMBERED ? [] : Array.from({ length: count }, (_, n) => [n, bigValue(seed, n)]);
