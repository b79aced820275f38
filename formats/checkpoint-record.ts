import { parseConfigPrefix } from "../src/codec/config.js";
import {
  type ConfigInfer,
  decimal32,
  fallback,
  hex32,
  optional,
  record,
  unsigned64,
} from "../src/codec/config-schema.js";
import type { Format } from "../src/codec/format.js";
import { recordForm, textGenerations } from "../src/codec/text-format.js";

/** The version this package reads up to; `params.readerVersion` stands for another reader. */
export const READER_VERSION = 2;
/** Versions are positive 32-bit signed numbers in the engine. */
export const MAX_VERSION = 0x7fffffff;

const recordFields = record(
  {
    id: optional(unsigned64({ doc: "Checkpoint id" })),
    metadataLsn: optional(unsigned64({ doc: "LSN of the turtle page" })),
    metadataChecksum: optional(hex32({ prefix: true, doc: "CRC32C of the turtle page's bytes" })),
    databaseSize: optional(unsigned64({ doc: "Bytes of all live pages" })),
    version: fallback(decimal32({ max: MAX_VERSION, doc: "Version the record was written with" }), 1),
    compatibleVersion: fallback(
      decimal32({
        max: MAX_VERSION,
        doc: "Oldest reader version; below 2, values of stable tables are stored in escaped form",
      }),
      1,
    ),
  },
  {
    rules: [
      {
        code: "unsupported-version",
        gate: true,
        doc: "compatible_version is not above the reader's version",
        check: ({ compatibleVersion }, { params }) => {
          const reader = params.readerVersion ?? READER_VERSION;
          if (compatibleVersion <= reader) return undefined;
          return { path: "compatible_version", expected: `at most ${reader}`, actual: compatibleVersion };
        },
      },
      {
        code: "version-order",
        doc: "compatible_version is not above version",
        check: ({ version, compatibleVersion }) =>
          compatibleVersion > version
            ? { path: "compatible_version", expected: `at most ${version}`, actual: compatibleVersion }
            : undefined,
      },
      {
        code: "missing-key",
        doc: "metadata_lsn is there, but for records that are a checkpoint id only",
        check: (value) => {
          const alone = value.id !== undefined && value.metadataChecksum === undefined;
          return value.metadataLsn === undefined && !alone ? { path: "metadata_lsn" } : undefined;
        },
      },
    ],
  },
);
export type CheckpointRecordValue = ConfigInfer<typeof recordFields>;

const form = (only: readonly (keyof CheckpointRecordValue)[]) => recordForm(recordFields, { only });

const detect = (text: string): string => {
  const keys = new Set(parseConfigPrefix(text).entries.map(({ key }) => key));
  if (["version", "compatible_version", "database_size"].some((key) => keys.has(key))) return "R3";
  if (keys.has("metadata_checksum")) return "R2";
  return keys.has("id") && keys.has("metadata_lsn") ? "R1" : "R0";
};

export type CheckpointRecord = { generation: "R3" | "R2" | "R1" | "R0" } & CheckpointRecordValue;

/** What completes a checkpoint in a page log: it says where the turtle page is. */
export const checkpointRecord: Format<CheckpointRecord> = textGenerations(
  {
    name: "checkpoint-record",
    params: { readerVersion: "the newest version the reader knows (default 2)" },
    title: "Checkpoint-completion record",
    source: "formats: turtle and disagg metadata §2",
    doc: "The checkpoint metadata of a page log: configuration text that leads to the turtle page.",
  },
  {
    R3: {
      form: form(["metadataLsn", "metadataChecksum", "databaseSize", "version", "compatibleVersion"]),
      when: "from February 2026",
    },
    R2: { form: form(["metadataLsn", "metadataChecksum"]), when: "second half of 2025" },
    R1: {
      form: form(["id", "metadataLsn"]),
      when: "mid 2025",
      doc: "No checksum: nothing guards the turtle text.",
    },
    R0: {
      form: form(["id", "metadataLsn"]),
      when: "first half of 2025, other builds",
      doc: "Either the LSN or the checkpoint id only; not met in real data.",
    },
  },
  {
    detection:
      "By keys: version, compatible_version or database_size: R3; metadata_checksum: R2; id and metadata_lsn: R1; " +
      "one of the two: R0.",
    detect,
  },
);
