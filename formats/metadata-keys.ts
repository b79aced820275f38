import {
  boolean,
  type ConfigInfer,
  decimal32,
  hex64,
  optional,
  raw,
  record,
  signed64,
  size,
  text,
  tuple,
  unsigned64,
} from "../src/codec/config-schema.js";
import { checkpointRules, checkpoints } from "./checkpoint-list.js";

/** What the values of metadata rows hold (formats: turtle and disagg metadata §5), by kind of row. */

const word = (doc?: string, sample?: readonly string[]) =>
  optional(text({ ...(doc === undefined ? {} : { doc }), ...(sample === undefined ? {} : { sample }) }));
const bytes = (doc?: string) => optional(size(doc === undefined ? {} : { doc }));
const flag = (doc?: string) => optional(boolean(doc === undefined ? {} : { doc }));
const number = (doc?: string) => optional(decimal32(doc === undefined ? {} : { doc }));
/** A key nothing depends on; its text is kept. */
const other = optional(raw());

const keyFormat = word("Format of the keys", ["S", "u", "r", "q", "IuQQ"]);
const valueFormat = word("Format of the values", ["S", "u", "8t", "QQQu"]);
const encryption = optional(
  record({ keyid: word(), name: word("Encryptor; of page logs it is the connection's, and empty here") }),
);
const log = optional(record({ enabled: flag("Changes of the table are written to the log") }));
const compressors = ["", "none", "snappy", "zlib", "lz4", "zstd"];

/** Log position; `(4294967295,2147483647)` is none. */
const logPosition = tuple(
  { file: decimal32(), offset: decimal32() },
  { doc: "Log position (file,offset) of the newest checkpoint; (4294967295,2147483647): none" },
);

/** `file:` rows. The order is that of a table with a checkpoint, written by 12.0. */
export const fileConfig = record(
  {
    accessPatternHint: other,
    allocationSize: bytes("Bytes of an allocation unit"),
    appMetadata: optional(raw({ doc: "The application's own text" })),
    assert: other,
    blockAllocation: other,
    blockCompressor: word("Compressor; empty or none: none", compressors),
    blockManager: word("default or disagg; not to be trusted in page logs of mid 2025", [
      "default",
      "disagg",
    ]),
    cacheResident: other,
    checksum: word("on, off, uncompressed or unencrypted", ["on", "off", "uncompressed"]),
    collator: word("Order of the keys; empty or none: by bytes", ["", "none"]),
    columns: optional(raw({ doc: "Names of the columns" })),
    dictionary: number("Most dictionary entries of a page"),
    disaggregated: optional(
      record({
        deltaPct: number("Largest delta in percent of the page"),
        maxConsecutiveDelta: number("Most deltas of a page in a row"),
        pageLog: word("Page log; empty or none: none", ["", "palm", "palite"]),
        storageSource: word(),
      }),
    ),
    encryption,
    format: word("Kind of the file", ["btree"]),
    huffmanKey: other,
    huffmanValue: other,
    id: number("Btree id; in page logs also the table id"),
    ignoreInMemoryCacheSize: other,
    inMemory: flag("Never written to disk"),
    internalItemMax: bytes(),
    internalKeyMax: bytes("Larger keys of internal pages are stored apart; 0: default"),
    internalKeyTruncate: flag("Keys of internal pages are cut to what tells them apart"),
    internalPageMax: bytes("Largest internal page"),
    keyFormat,
    keyGap: number(),
    leafItemMax: bytes(),
    leafKeyMax: bytes("Larger keys of leaf pages are stored apart; 0: default"),
    leafPageMax: bytes("Largest leaf page"),
    leafValueMax: bytes("Larger values of leaf pages are stored apart; 0: default"),
    liveRestore: other,
    log,
    memoryPageImageMax: bytes(),
    memoryPageMax: bytes(),
    osCacheDirtyMax: bytes(),
    osCacheMax: bytes(),
    prefixCompression: flag("Keys of a leaf page leave out what they share with the one before"),
    prefixCompressionMin: number("Fewest bytes worth leaving out"),
    readonly: flag(),
    splitDeepenMinChild: number(),
    splitDeepenPerChild: number(),
    splitPct: number("How full a page is after a split, in percent"),
    tieredObject: flag(),
    tieredStorage: other,
    valueFormat,
    verbose: other,
    version: optional(
      record(
        { major: decimal32(), minor: decimal32() },
        { doc: "Version of the btree's format: 1.1 or 2.1" },
      ),
    ),
    writeTimestampUsage: other,
    checkpoint: optional(checkpoints({ whenEmpty: "" })),
    checkpointBackupInfo: optional(raw({ doc: "For incremental backup" })),
    checkpointLsn: optional(logPosition),
  },
  { rules: checkpointRules },
);
export type FileConfig = ConfigInfer<typeof fileConfig>;

/** `layered:` rows: a table of a page log with its local part. */
export const layeredConfig = record({
  appMetadata: optional(raw({ doc: "The application's own text" })),
  assert: other,
  collator: word("Order of the keys; empty or none: by bytes", ["", "none"]),
  columns: optional(raw({ doc: "Names of the columns" })),
  disaggregated: optional(
    record({
      pageLog: word("Page log", ["palm", "palite"]),
      deltaPct: number("Largest delta in percent of the page"),
      maxConsecutiveDelta: number("Most deltas of a page in a row"),
    }),
  ),
  ingest: optional(text({ quoted: true, doc: "URI of the local part", sample: ["file:x.wt_ingest"] })),
  keyFormat,
  log,
  stable: optional(
    text({ quoted: true, doc: "URI of the part in the page log", sample: ["file:x.wt_stable"] }),
  ),
  valueFormat,
  verbose: other,
  writeTimestampUsage: other,
});
export type LayeredConfig = ConfigInfer<typeof layeredConfig>;

/** `table:` rows. */
export const tableConfig = record({
  appMetadata: optional(raw({ doc: "The application's own text" })),
  assert: other,
  colgroups: optional(raw({ doc: "Names of the column groups" })),
  collator: word("Order of the keys; empty or none: by bytes", ["", "none"]),
  columns: optional(raw({ doc: "Names of the columns" })),
  keyFormat,
  valueFormat,
  verbose: other,
  writeTimestampUsage: other,
});
export type TableConfig = ConfigInfer<typeof tableConfig>;

/** `colgroup:` and `index:` rows: where the rows of a table or an index are. */
export const sourceConfig = record({
  appMetadata: optional(raw({ doc: "The application's own text" })),
  assert: other,
  collator: word("Order of the keys; empty or none: by bytes", ["", "none"]),
  columns: optional(raw({ doc: "Names of the columns" })),
  source: optional(text({ quoted: true, doc: "URI of the file", sample: ["file:x.wt"] })),
  type: word("Kind of the source", ["file"]),
  verbose: other,
  writeTimestampUsage: other,
});
export type SourceConfig = ConfigInfer<typeof sourceConfig>;

const stamp = (doc: string) => optional(hex64({ quoted: true, doc }));
const count = (doc: string) => optional(unsigned64({ doc }));

/** `system:` rows: the state of the database at its newest (or a named) checkpoint. */
export const systemConfig = record({
  checkpointTimestamp: stamp("Timestamp of the checkpoint"),
  oldestTimestamp: stamp("Oldest timestamp at the checkpoint"),
  snapshotMin: count("Oldest transaction running at the checkpoint"),
  snapshotMax: count("First transaction not yet begun at the checkpoint"),
  snapshotCount: count("Transactions running at the checkpoint"),
  checkpointTime: optional(signed64({ doc: "When it was taken, in seconds since 1970" })),
  writeGen: count("Write generation of the checkpoint"),
  baseWriteGen: count(
    "Pages with a smaller write generation are from an earlier process: their transactions are over",
  ),
});
export type SystemConfig = ConfigInfer<typeof systemConfig>;

/** Rows of other kinds (lsm:, object:, tier:, tiered:, …): every key is kept as text. */
export const plainConfig = record({});
export type PlainConfig = ConfigInfer<typeof plainConfig>;

/** The file's own configuration, kept in the text behind its newest avail list (formats: classic file format §3). */
export const blockMetadataConfig = record({
  encryption: optional(record({ keyid: word(), name: word() })),
  blockMetadataEncrypted: flag("block_metadata is encrypted"),
  blockMetadata: optional({
    ...fileConfig,
    open: "[",
    doc: "The file's configuration before this checkpoint",
  }),
});
export type BlockMetadata = ConfigInfer<typeof blockMetadataConfig>;
