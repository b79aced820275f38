import { type ConfigTree, parseConfig, parseConfigPrefix, writeConfig } from "../src/codec/config.js";
import {
  describeRecord,
  generateRecord,
  objectOf,
  readRecord,
  recordFromJson,
  recordToJson,
  type TextContext,
  type Values,
  within,
} from "../src/codec/config-record.js";
import { type RecordNode, sampleText, typeError } from "../src/codec/config-schema.js";
import { configSpans, textSpan } from "../src/codec/config-span.js";
import { patchRecord, writeRecord } from "../src/codec/config-write.js";
import { FormatError } from "../src/codec/error.js";
import type { Format, Reading, ReadOptions } from "../src/codec/format.js";
import type { RandomSource } from "../src/codec/random.js";
import { textByteLength } from "../src/codec/text.js";
import { located, recordForm, type TextForm, textFormat } from "../src/codec/text-format.js";
import {
  type BlockMetadata,
  blockMetadataConfig,
  type FileConfig,
  fileConfig,
  type LayeredConfig,
  layeredConfig,
  type PlainConfig,
  plainConfig,
  type SourceConfig,
  type SystemConfig,
  sourceConfig,
  systemConfig,
  type TableConfig,
  tableConfig,
} from "./metadata-keys.js";

/** A row of the metadata table: what the URI names, and its configuration. */
export type MetadataRow = { uri: string } & (
  | { kind: "file"; config: FileConfig }
  | { kind: "layered"; config: LayeredConfig }
  | { kind: "table"; config: TableConfig }
  | { kind: "colgroup" | "index"; config: SourceConfig }
  | { kind: "system"; config: SystemConfig }
  | { kind: "other"; config: PlainConfig }
);
export type MetadataRowKind = MetadataRow["kind"];

const records: Readonly<Record<MetadataRowKind, RecordNode>> = {
  file: fileConfig,
  layered: layeredConfig,
  table: tableConfig,
  colgroup: sourceConfig,
  index: sourceConfig,
  system: systemConfig,
  other: plainConfig,
};

const OBJECT_URI = /^(?:file|table|colgroup|index|layered|lsm|object|tier|tiered|system|metadata):/;

/** Whether a URI is of a kind of object the engine itself has; data sources of an application may have others. */
export const isObjectUri = (uri: string): boolean => OBJECT_URI.test(uri);

/** The kind of a row by the prefix of its URI; `metadata:` is how the engine's tools call the metadata file itself. */
export function metadataRowKind(uri: string): MetadataRowKind {
  const prefix = uri.slice(0, Math.max(uri.indexOf(":"), 0));
  if (prefix === "metadata") return "file";
  return prefix !== "other" && Object.hasOwn(records, prefix) ? (prefix as MetadataRowKind) : "other";
}

const NUL = "\u0000";

/** A row as text: the URI, a NUL, the value, and the NUL that ends it. */
interface Parts {
  readonly uri: string;
  readonly config: string;
  /** Byte offset of the value. */
  readonly offset: number;
  readonly terminated: boolean;
}

function split(text: string): Parts {
  const at = text.indexOf(NUL);
  if (at < 0) {
    throw new FormatError({
      code: "row-terminator",
      message: "no NUL between the URI and its configuration",
      offset: textByteLength(text),
      expected: "NUL",
      actual: "end of text",
    });
  }
  const terminated = at < text.length - 1 && text.endsWith(NUL);
  const config = text.slice(at + 1, terminated ? -1 : undefined);
  return { uri: text.slice(0, at), config, offset: textByteLength(text, at + 1), terminated };
}

function parseValue({ config, offset }: Parts, base: number): ConfigTree {
  return located(base + offset, () => within("config", () => parseConfig(config)));
}

function readRow(text: string, context: TextContext): MetadataRow {
  const parts = located(context.base, () => split(text));
  const kind = metadataRowKind(parts.uri);
  const inner = { ...context, base: context.base + parts.offset };
  const tree = parseValue(parts, context.base);
  const config = within("config", () => readRecord(records[kind], tree, inner, "config"));
  if (!parts.terminated) {
    const offset = context.base + textByteLength(text);
    const message = "the value does not end with a NUL";
    context.issues.push({ code: "row-terminator", severity: "warning", path: "config", offset, message });
  }
  return { uri: parts.uri, kind, config } as MetadataRow;
}

function writeRow({ uri, config }: MetadataRow, source: string | undefined): string {
  if (typeof uri !== "string" || uri.includes(NUL))
    throw typeError("a URI is needed", "string", uri).within("uri");
  const kind = metadataRowKind(uri);
  const node = records[kind];
  const parts = source === undefined ? undefined : split(source);
  return within("config", () => {
    if (parts === undefined || metadataRowKind(parts.uri) !== kind)
      return `${uri}${NUL}${writeRecord(node, config as Values)}${NUL}`;
    const tree = parseValue(parts, 0);
    const old = readRecord(node, tree, { base: 0, params: {}, issues: [] }) as Values;
    const value = writeConfig(patchRecord(node, tree, old, config as Values));
    return `${uri}${NUL}${value}${parts.terminated ? NUL : ""}`;
  });
}

const samples = [
  "file:x.wt",
  "layered:x",
  "table:x",
  "colgroup:x",
  "index:x:y",
  "system:checkpoint",
  "tiered:x",
];

function generateRow(random: RandomSource): MetadataRow {
  const uri = `${samples[random.below(samples.length)]}${sampleText(random)}`;
  const kind = metadataRowKind(uri);
  return { uri, kind, config: generateRecord(records[kind], random) } as MetadataRow;
}

const form: TextForm<MetadataRow> = {
  read: readRow,
  write: writeRow,
  spans(text, base) {
    const at = text.indexOf(NUL);
    const end = base + textByteLength(text, at < 0 ? text.length : at);
    const uri = textSpan("uri", "uri", base, end, { value: at < 0 ? text : text.slice(0, at) });
    if (at < 0) return [uri];
    const { config, offset, terminated } = split(text);
    const last = base + offset + textByteLength(config);
    const children = configSpans(
      parseConfigPrefix(config),
      records[metadataRowKind(uri.value as string)],
      base + offset,
      base + offset,
      "config",
    );
    return [
      uri,
      textSpan("(terminator)", "uri.(terminator)", end, end + 1),
      textSpan("config", "config", base + offset, last, { kind: "struct", children }),
      ...(terminated ? [textSpan("(terminator)", "config.(terminator)", last, last + 1)] : []),
    ];
  },
  generate: generateRow,
  toJson: ({ uri, kind, config }) => ({ uri, kind, config: recordToJson(records[kind], config as Values) }),
  fromJson(json) {
    const { uri, config } = json;
    if (typeof uri !== "string") throw typeError("a URI is needed", "string", uri).within("uri");
    const kind = metadataRowKind(uri);
    return {
      uri,
      kind,
      config: within("config", () => recordFromJson(records[kind], objectOf(config))),
    } as MetadataRow;
  },
  describe: () => ({
    fields: [
      {
        name: "uri",
        type: "text, NUL-terminated",
        doc: "What the row is about: file:, table:, layered:, system:, …",
      },
      ...Object.entries(records).map(([kind, node]) => ({
        name: "config",
        type: "configuration text, NUL-terminated",
        doc: kind === "other" ? "Of other rows: every key is kept as text" : `Of ${kind}: rows`,
        fields: describeRecord(node),
      })),
    ],
    rules: [
      { code: "row-terminator", doc: "URI and value end with a NUL each" },
      ...fileConfig.rules.map(({ code, doc }) => ({ code, doc })),
    ],
  }),
};

/** Key and value of a metadata row, one behind the other as they are stored. */
export const metadataRow: Format<MetadataRow> = textFormat(
  {
    name: "metadata-row",
    title: "Metadata row",
    source: "formats: turtle and disagg metadata §5",
    doc:
      "A row of WiredTiger.wt or WiredTigerShared.wt_stable: the URI, a NUL, its configuration text, a NUL. The URI's " +
      "prefix tells which keys are to be expected; others are kept.",
  },
  form,
);

/**
 * A row from its stored key and value. Offsets in issues count from the first byte of the key; a key without its NUL
 * counts as if it had one.
 */
export function readMetadataRow(
  key: Uint8Array,
  value: Uint8Array,
  options: ReadOptions = {},
): Reading<MetadataRow> {
  return metadataRow.read(joinMetadataRow(key, value), options);
}

/** Stored key and value as the bytes of one `metadata-row`. */
export function joinMetadataRow(key: Uint8Array, value: Uint8Array): Uint8Array {
  const terminated = key.at(-1) === 0;
  const row = new Uint8Array(key.length + (terminated ? 0 : 1) + value.length);
  row.set(key);
  row.set(value, row.length - value.length);
  return row;
}

/** The stored key and value of a row, each with its NUL. */
export function splitMetadataRow(row: Uint8Array): { key: Uint8Array; value: Uint8Array } {
  const at = row.indexOf(0) + 1;
  return { key: row.subarray(0, at), value: row.subarray(at) };
}

/** The text of the block metadata behind a classic file's newest avail list. */
export const blockMetadata: Format<BlockMetadata> = textFormat(
  {
    name: "block-metadata",
    title: "Block metadata",
    source: "formats: classic file format §3",
    doc: "Configuration text behind the newest avail list of a classic file: the file's own row, for recovery without WiredTiger.wt.",
  },
  recordForm(blockMetadataConfig),
);
