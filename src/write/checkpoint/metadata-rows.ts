/** Rows of the shared metadata (formats: turtle and disagg metadata §5), as 12.0 writes them. */
import type { NamedCheckpoint } from "../../../formats/checkpoint-list.js";
import { NOT_LOGGED } from "../../../formats/log.js";
import { type MetadataRow, metadataRow, splitMetadataRow } from "../../../formats/metadata-row.js";
import type { WriteGeneration } from "../generation.js";
import type { RowEdit, TreeOptions } from "../types.js";

export type FileRow = Extract<MetadataRow, { kind: "file" }>;
export type LayeredRow = Extract<MetadataRow, { kind: "layered" }>;

/** How a table is made. */
export interface TableOptions
  extends Pick<TreeOptions, "internalPageMax" | "leafPageMax" | "deltaPct" | "maxConsecutiveDelta"> {
  /** Formats of keys and values, `S`, `u`, `q`, `SSq`, … (default u). */
  readonly keyFormat?: string;
  readonly valueFormat?: string;
  /** `snappy`, `zlib`, `lz4`, `zstd` (default none). */
  readonly compressor?: string;
  readonly prefixCompression?: boolean;
}

/** The engine's defaults. */
const DEFAULTS = { internalPageMax: 4096, leafPageMax: 32768, deltaPct: 20, maxConsecutiveDelta: 32 };
const ASSERT = "(commit_timestamp=none,durable_timestamp=none,read_timestamp=none,write_timestamp=off)";
const TIERED =
  "(auth_token=,bucket=,bucket_prefix=,cache_directory=,local_retention=300,name=,object_target_size=0)";
const MB = 1024 * 1024;

/** What the page log was called while rows named it: PALM until PALite took its place. */
const pageLogOf = ({ cookie }: WriteGeneration): "palm" | "palite" =>
  cookie === "A" || cookie === "B" ? "palm" : "palite";

/** A table of the page log that has no checkpoint yet. */
export function fileRow(
  generation: WriteGeneration,
  uri: string,
  id: bigint,
  options: TableOptions & { readonly blockManager?: "default" | "disagg" },
): FileRow {
  const { keyFormat = "u", valueFormat = "u", compressor = "", blockManager = "default" } = options;
  return {
    uri,
    kind: "file",
    config: {
      accessPatternHint: "none",
      allocationSize: 4096,
      appMetadata: "",
      assert: ASSERT,
      blockAllocation: "best",
      blockCompressor: compressor,
      blockManager,
      cacheResident: "false",
      checksum: "on",
      collator: "",
      columns: "",
      dictionary: 0,
      disaggregated: {
        deltaPct: options.deltaPct ?? DEFAULTS.deltaPct,
        maxConsecutiveDelta: options.maxConsecutiveDelta ?? DEFAULTS.maxConsecutiveDelta,
        pageLog: pageLogOf(generation),
      },
      encryption: { keyid: "", name: "" },
      format: "btree",
      huffmanKey: "",
      huffmanValue: "",
      id: Number(id),
      ignoreInMemoryCacheSize: "false",
      inMemory: false,
      internalItemMax: 0,
      internalKeyMax: 0,
      internalKeyTruncate: true,
      internalPageMax: options.internalPageMax ?? DEFAULTS.internalPageMax,
      keyFormat,
      keyGap: 10,
      leafItemMax: 0,
      leafKeyMax: 0,
      leafPageMax: options.leafPageMax ?? DEFAULTS.leafPageMax,
      leafValueMax: 0,
      log: { enabled: false },
      memoryPageImageMax: 0,
      memoryPageMax: 5 * MB,
      osCacheDirtyMax: 0,
      osCacheMax: 0,
      prefixCompression: options.prefixCompression ?? false,
      prefixCompressionMin: 4,
      readonly: false,
      splitDeepenMinChild: 0,
      splitDeepenPerChild: 0,
      splitPct: 90,
      tieredObject: false,
      tieredStorage: TIERED,
      valueFormat,
      verbose: "[]",
      version: { major: 2, minor: 1 },
      writeTimestampUsage: "none",
      checkpointBackupInfo: "",
      checkpointLsn: NOT_LOGGED,
    },
  };
}

/** The table of which `file:NAME.wt_stable` is the part in the page log. Its settings are those that were given. */
export function layeredRow(generation: WriteGeneration, name: string, options: TableOptions): LayeredRow {
  const { keyFormat = "u", valueFormat = "u", deltaPct, maxConsecutiveDelta } = options;
  return {
    uri: `layered:${name}`,
    kind: "layered",
    config: {
      appMetadata: "",
      assert: ASSERT,
      collator: "",
      columns: "",
      disaggregated: {
        pageLog: pageLogOf(generation),
        ...(deltaPct === undefined ? {} : { deltaPct }),
        ...(maxConsecutiveDelta === undefined ? {} : { maxConsecutiveDelta }),
      },
      ingest: `file:${name}.wt_ingest`,
      keyFormat,
      log: { enabled: false },
      stable: `file:${name}.wt_stable`,
      valueFormat,
      verbose: "[]",
      writeTimestampUsage: "none",
    },
  };
}

/** The row with one checkpoint in place of the ones before. */
export const withCheckpoint = (row: FileRow, checkpoint: NamedCheckpoint): FileRow => ({
  ...row,
  config: { ...row.config, checkpoint: [checkpoint] },
});

/** A row as it is stored: key and value with a NUL each. */
export function storedRow(row: MetadataRow): Required<Pick<RowEdit, "key" | "value">> {
  return splitMetadataRow(metadataRow.build(row));
}

/** How the tree of a table is cut, by its row. */
export function treeSettingsOf({ config }: FileRow): Omit<TableOptions, "keyFormat" | "valueFormat"> {
  const { internalPageMax, leafPageMax, prefixCompression, blockCompressor = "", disaggregated } = config;
  const { deltaPct, maxConsecutiveDelta } = disaggregated ?? {};
  return {
    compressor: blockCompressor === "none" ? "" : blockCompressor,
    ...(internalPageMax === undefined ? {} : { internalPageMax }),
    ...(leafPageMax === undefined ? {} : { leafPageMax }),
    ...(prefixCompression === undefined ? {} : { prefixCompression }),
    ...(deltaPct === undefined ? {} : { deltaPct }),
    ...(maxConsecutiveDelta === undefined ? {} : { maxConsecutiveDelta }),
  };
}
