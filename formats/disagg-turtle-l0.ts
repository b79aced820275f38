import { parseConfig, parseConfigPrefix, writeConfig } from "../src/codec/config.js";
import {
  describeRecord,
  generateRecord,
  objectOf,
  readRecord,
  recordFromJson,
  recordToJson,
  type Values,
  within,
} from "../src/codec/config-record.js";
import { typeError } from "../src/codec/config-schema.js";
import { configSpans, textSpan } from "../src/codec/config-span.js";
import { patchRecord, writeRecord } from "../src/codec/config-write.js";
import { FormatError } from "../src/codec/error.js";
import { textByteLength } from "../src/codec/text.js";
import { located, type TextForm } from "../src/codec/text-format.js";
import { type FileConfig, fileConfig } from "./metadata-keys.js";

/** The turtle page until early 2025: a metadata row as two lines. */
export interface LegacyTurtle {
  readonly uri: string;
  readonly config: FileConfig;
}

const NEWLINE = "\n";

function split(text: string): { uri: string; config: string; offset: number } {
  const at = text.indexOf(NEWLINE);
  if (at >= 0)
    return { uri: text.slice(0, at), config: text.slice(at + 1), offset: textByteLength(text, at + 1) };
  throw new FormatError({
    code: "turtle-lines",
    message: "no newline behind the URI",
    offset: textByteLength(text),
    expected: "newline",
    actual: "end of text",
  });
}

const parse = (config: string, base: number) =>
  located(base, () => within("config", () => parseConfig(config)));

function write({ uri, config }: LegacyTurtle, source: string | undefined): string {
  if (typeof uri !== "string" || uri.includes(NEWLINE))
    throw typeError("a URI is needed", "string", uri).within("uri");
  return within("config", () => {
    if (source === undefined) return `${uri}${NEWLINE}${writeRecord(fileConfig, config as Values)}`;
    const tree = parse(split(source).config, 0);
    const old = readRecord(fileConfig, tree, { base: 0, params: {}, issues: [] }) as Values;
    return `${uri}${NEWLINE}${writeConfig(patchRecord(fileConfig, tree, old, config as Values))}`;
  });
}

export const legacyTurtle: TextForm<LegacyTurtle> = {
  read(text, context) {
    const { uri, config, offset } = located(context.base, () => split(text));
    const base = context.base + offset;
    const tree = parse(config, base);
    return {
      uri,
      config: within("config", () => readRecord(fileConfig, tree, { ...context, base }, "config")),
    };
  },
  write,
  spans(text, base) {
    if (!text.includes(NEWLINE)) return [];
    const { uri, config, offset } = split(text);
    const start = base + offset;
    const children = configSpans(parseConfigPrefix(config), fileConfig, start, start, "config");
    return [
      textSpan("uri", "uri", base, start - 1, { value: uri, description: "The shared metadata's URI" }),
      textSpan("(separator)", "(separator)", start - 1, start, { value: NEWLINE }),
      textSpan("config", "config", start, start + textByteLength(config), { kind: "struct", children }),
    ];
  },
  generate: (random) => ({
    uri: "file:WiredTigerShared.wt_stable",
    config: generateRecord(fileConfig, random) as FileConfig,
  }),
  toJson: ({ uri, config }) => ({ uri, config: recordToJson(fileConfig, config as Values) }),
  fromJson({ uri, config }) {
    if (typeof uri !== "string") throw typeError("a URI is needed", "string", uri).within("uri");
    return {
      uri,
      config: within("config", () => recordFromJson(fileConfig, objectOf(config)) as FileConfig),
    };
  },
  describe: () => ({
    fields: [
      { name: "uri", type: "first line", doc: "URI of the shared metadata" },
      { name: "config", type: "second line, configuration text", fields: describeRecord(fileConfig) },
    ],
    rules: [{ code: "turtle-lines", doc: "A newline stands between URI and configuration" }],
  }),
};
