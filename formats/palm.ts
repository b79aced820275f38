/**
 * Keys of a PALM page log: LMDB databases `pages`, `checkpoints`, `globals` and an empty `tables` (formats: page-log
 * stores §3). The keys are C structs with their padding; the fields the order depends on are big-endian, the others
 * as the host had them (little-endian).
 */
import {
  bytes,
  format,
  generations,
  type Infer,
  type Node,
  offsetsOf,
  type RandomSource,
  type Rule,
  struct,
  u32be,
  u32le,
  u64be,
  u64le,
} from "../src/codec/index.js";
import { pageLogFlagSymbols, pageLogFlags } from "./page-log.js";

const SOURCE = "page-log stores §3";

export const palmDatabases = {
  pages: "pages",
  checkpoints: "checkpoints",
  globals: "globals",
  tables: "tables",
} as const;

const padding = () => u32le({ reserved: true, doc: "padding of the C struct" });
const dek = () => bytes(32, { secret: true, doc: "data encryption key" });
const timestamp = () => u64le({ doc: "when the record became readable, microseconds since 1970" });

const deltaRule: Omit<Rule, "check"> & {
  check: (key: { isDelta: number; flags: number }) => object | undefined;
} = {
  code: "delta-flag",
  doc: "is_delta is 1 exactly when the flags have DELTA",
  check: ({ isDelta, flags }) =>
    (isDelta === 1) === ((flags & pageLogFlags.delta) !== 0)
      ? undefined
      : { path: "isDelta", actual: isDelta },
};
const flags = () =>
  u32le({
    flags: pageLogFlagSymbols,
    doc: "page-log flags of the put",
    sample: (random: RandomSource, { isDelta }) =>
      (random.below(2) * 4) | (isDelta === 1 ? pageLogFlags.delta : 0),
  });
const isDelta = () => u32be({ max: 1, doc: "0 full image, 1 delta" });
const place = {
  tableId: u64be(),
  pageId: u64be(),
  lsn: u64be(),
};
const links = {
  backlinkLsn: u64le({
    doc: "LSN of the page's record before it; of a later full image: of its image before it",
  }),
  baseLsn: u64le({ doc: "LSN of the full image a delta builds on; 0 in a full image" }),
};
const checkpointLinks = {
  backlinkCheckpointId: u64le(),
  baseCheckpointId: u64le(),
};
const checkpointId = u64be({ doc: "checkpoint being built when the record was written" });
const rules = [deltaRule];

const june2025 = struct(
  {
    ...place,
    checkpointId,
    isDelta: isDelta(),
    padding: padding(),
    ...links,
    ...checkpointLinks,
    flags: flags(),
    padding2: padding(),
    timestampMaterializedUs: timestamp(),
  },
  { rules },
);
const withDek = struct(
  {
    ...place,
    checkpointId,
    isDelta: isDelta(),
    padding: padding(),
    ...links,
    ...checkpointLinks,
    flags: flags(),
    dek: dek(),
    padding2: padding(),
    timestampMaterializedUs: timestamp(),
  },
  { rules },
);
const withoutCheckpoints = struct(
  {
    ...place,
    isDelta: isDelta(),
    padding: padding(),
    ...links,
    flags: flags(),
    padding2: padding(),
    timestampMaterializedUs: timestamp(),
  },
  { rules },
);
const dekWithoutCheckpoints = struct(
  {
    ...place,
    isDelta: isDelta(),
    padding: padding(),
    ...links,
    flags: flags(),
    dek: dek(),
    padding2: padding(),
    timestampMaterializedUs: timestamp(),
  },
  { rules },
);

/** Key of a record; the value is the block. */
export const palmKey = generations(
  {
    name: "palm-key",
    title: "Key of a record in a PALM page log",
    source: SOURCE,
    doc: "Sorted as bytes: by table, page, LSN. Layouts other than the first have been met in no store so far.",
  },
  {
    L88: { type: june2025, when: "June 2025", doc: "the layout of every store seen" },
    L120: { type: withDek, when: "mid-2025", doc: "with a data encryption key" },
    L96: { type: dekWithoutCheckpoints, when: "second half of 2025", doc: "checkpoint ids are gone" },
    L64: { type: withoutCheckpoints, when: "second half of 2025", doc: "neither checkpoint ids nor a key" },
  },
  {
    detection:
      "The length of the key. The engine refuses a store whose keys have another length than its own.",
  },
);

/** Offsets of one key layout: what a reader needs without building a value a record. */
export interface PalmKeyLayout {
  readonly generation: keyof typeof palmKey.variants;
  readonly length: number;
  readonly at: { readonly [K in keyof Infer<typeof june2025>]?: number };
}
const layoutOf = (generation: PalmKeyLayout["generation"]): PalmKeyLayout => {
  const { at, size } = offsetsOf(palmKey.variants[generation].type as Node as typeof june2025);
  return { generation, length: size, at };
};

/** Key layouts by key length. */
export const palmKeyLayouts: ReadonlyMap<number, PalmKeyLayout> = new Map(
  (["L88", "L120", "L96", "L64"] as const).map(layoutOf).map((layout) => [layout.length, layout]),
);
/** Length of the keys of prototypes before the log had LSNs; they are recognised, not read. */
export const PALM_PROTOTYPE_KEY = 40;
/** The part of every key that places a record: table, page, LSN. */
export const PALM_PLACE = offsetsOf(struct(place)).at;

/** Key of a checkpoint-completion record; the value is the text given to it, without a NUL. */
export const palmCheckpointKey = generations(
  { name: "palm-checkpoint-key", title: "Key of a checkpoint in a PALM page log", source: SOURCE },
  {
    L24: {
      when: "June 2025",
      type: struct({
        lsn: u64be({ doc: "the record's own LSN: that of the turtle page + 1" }),
        checkpointId: u64le(),
        timestamp: u64le({ doc: "the number behind `timestamp=` of the turtle page; 0: none" }),
      }),
    },
    L16: {
      when: "second half of 2025",
      type: struct({ lsn: u64be({ doc: "the record's own LSN" }), timestamp: u64le({ doc: "0: none" }) }),
    },
  },
  { detection: "The length of the key." },
);

/** Counters, by their 4-byte key. */
export const palmGlobalSymbols = {
  revision: [0, "the next LSN to be given"],
  checkpointCompleted: [1, "id of the last completed checkpoint, 0 before the first"],
  checkpointStarted: [2, "between checkpoints: the last completed one + 1"],
} as const;

export const palmGlobal = format(
  {
    name: "palm-global",
    title: "Counter of a PALM page log",
    source: SOURCE,
    doc: "The 4-byte key in front of the 8-byte value it has in the database `globals`.",
  },
  struct({
    key: u32le({ symbols: palmGlobalSymbols }),
    value: u64le(),
  }),
);
