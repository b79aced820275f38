import {
  type ConfigInfer,
  type ConfigRule,
  decimal32,
  hexBytes,
  named,
  optional,
  record,
  signed64,
} from "../src/codec/config-schema.js";
import type { Format } from "../src/codec/format.js";
import { recordForm, textFormat } from "../src/codec/text-format.js";

/** Numbers of 64 bits are written signed, so "none" is a negative number. */
const noTimestamp = { "0": "none" };
const noStopTimestamp = { "-1": "none (2^64 − 1)" };
const noStopTransaction = { "-11": "none (2^64 − 11, the largest transaction id)" };

const order = optional(signed64({ doc: "Number of the checkpoint among those of its tree" }));
const timestamp = (doc: string) => optional(signed64({ doc, symbols: noTimestamp }));
const generation = (doc: string) => optional(signed64({ doc }));

/** Keys of an entry, besides `addr`, without which no engine reads it. */
export const neededCheckpointKeys: readonly string[] = ["order", "time", "size"];

/**
 * One checkpoint in metadata text. The engine's newer keys and those of 3.2 together; either is a selection of them in
 * this order. A missing key means the default.
 */
export const checkpointEntry = record({
  addr: optional(hexBytes({ quoted: true, doc: "Checkpoint cookie; empty for a tree that never had rows" })),
  order,
  time: optional(signed64({ doc: "When it was taken, in seconds since 1970" })),
  size: optional(
    signed64({ doc: "Classic: bytes of the tree's blocks; mid-2025 page logs: the root's page id" }),
  ),
  newestDurableTs: timestamp("Newest durable timestamp (3.2)"),
  newestStartDurableTs: timestamp("Newest durable timestamp of a start"),
  oldestStartTs: timestamp("Oldest start timestamp"),
  oldestStartTxn: generation("Oldest start transaction (3.2)"),
  newestTxn: generation("Newest transaction"),
  newestStopDurableTs: timestamp("Newest durable timestamp of a stop"),
  newestStopTs: optional(signed64({ doc: "Newest stop timestamp", symbols: noStopTimestamp })),
  newestStopTxn: optional(signed64({ doc: "Newest stop transaction", symbols: noStopTransaction })),
  prepare: optional(decimal32({ max: 1, doc: "1 while the tree holds a prepared update" })),
  writeGen: generation("Write generation"),
  runWriteGen: generation("Write generation the run began with"),
  nextPageId: generation("Page logs: the next page id to be given out"),
});
export type CheckpointEntry = ConfigInfer<typeof checkpointEntry>;

/** Checkpoints by name, oldest first: the last one is the newest state of the tree. */
export const checkpoints = (
  options: { doc?: string; key?: string; before?: string; whenEmpty?: "()" | "" } = {},
) =>
  named(checkpointEntry, {
    doc: "Checkpoints by name, oldest first",
    sampleName: (random, index) => `WiredTigerCheckpoint.${1 + index + random.below(2)}`,
    ...options,
  });
export type NamedCheckpoint = CheckpointEntry & { name: string };

interface HasCheckpoints {
  readonly checkpoint?: readonly NamedCheckpoint[] | undefined;
}

const pathOf = ({ name }: NamedCheckpoint, key: string): string => `checkpoint.${name}.${key}`;

/** Rules of a record that holds a checkpoint list under `checkpoint`. */
export const checkpointRules: readonly ConfigRule[] = [
  {
    code: "checkpoint-order",
    doc: "Checkpoints ascend by order=",
    severity: "warning",
    check: ({ checkpoint = [] }: HasCheckpoints) => {
      const late = checkpoint.find(
        (entry, at) => at > 0 && (entry.order ?? 0n) <= (checkpoint[at - 1]!.order ?? 0n),
      );
      return late && { path: pathOf(late, "order"), actual: late.order };
    },
  },
  {
    code: "checkpoint-name",
    doc: "An unnamed checkpoint is called WiredTigerCheckpoint.<order>",
    severity: "warning",
    check: ({ checkpoint = [] }: HasCheckpoints) => {
      const odd = checkpoint.find(
        ({ name, order: own }) => unnamed.test(name) && name !== `${prefix}${own ?? 0n}`,
      );
      return odd && { path: pathOf(odd, "order"), expected: odd.name, actual: odd.order };
    },
  },
  {
    code: "checkpoint-duplicate",
    doc: "No two checkpoints of a tree have the same name",
    severity: "warning",
    check: ({ checkpoint = [] }: HasCheckpoints) => {
      const names = checkpoint.map(({ name }) => name);
      const twice = checkpoint.find(({ name }, at) => names.indexOf(name) !== at);
      return twice && { path: `checkpoint.${twice.name}` };
    },
  },
  {
    code: "checkpoint-write-gen",
    doc: "A checkpoint's write generation is not below the one its run began with",
    severity: "warning",
    check: ({ checkpoint = [] }: HasCheckpoints) => {
      const low = checkpoint.find(({ writeGen = 0n, runWriteGen = 0n }) => writeGen < runWriteGen);
      return low && { path: pathOf(low, "write_gen"), expected: low.runWriteGen, actual: low.writeGen };
    },
  },
];
const prefix = "WiredTigerCheckpoint.";
const unnamed = /^WiredTigerCheckpoint\.\d+$/;

const listRecord = record({ checkpoint: checkpoints() }, { rules: checkpointRules });
export type CheckpointList = ConfigInfer<typeof listRecord>;

/** `checkpoint=(NAME=(addr="…",order=…,…),…)` as extent lists carry it. */
export const checkpointList: Format<CheckpointList> = textFormat(
  {
    name: "checkpoint-list",
    title: "Checkpoint list",
    source: "formats: address and checkpoint cookies §5",
    doc:
      "The checkpoints of one tree as configuration text: the value of checkpoint= in metadata, the turtle file and " +
      "the turtle page, and the text appended to a classic file's newest avail list.",
  },
  recordForm(listRecord),
);

/** The newest checkpoint of a list: its last one. */
export const newestCheckpoint = (list: readonly NamedCheckpoint[] | undefined): NamedCheckpoint | undefined =>
  list?.at(-1);
