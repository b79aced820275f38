/** Configuration text as annotated byte ranges. */
import type { Span } from "./annotate.js";
import { type ConfigBlock, type ConfigEntry, type ConfigValue, configText } from "./config.js";
import { planOf, readScalar } from "./config-record.js";
import type { ConfigNode, RecordNode } from "./config-schema.js";
import { FormatError, joinPath } from "./error.js";
import { textByteLength } from "./text.js";

/** A range of text; `path` tells it apart from others. */
export function textSpan(
  name: string,
  path: string,
  start: number,
  end: number,
  more: Partial<Span> = {},
): Span {
  return { name, path, start, end, kind: "text", children: [], issues: [], ...more };
}

/**
 * The entries of a block that begins at byte `start` of the input (`origin` is where its text begins), with what their
 * declarations say about them.
 */
export function configSpans(
  block: ConfigBlock,
  node: RecordNode | undefined,
  origin: number,
  start: number,
  path = "",
): Span[] {
  const spans: Span[] = [];
  let at = start;
  block.entries.forEach((entry, index) => {
    if (entry.leading !== "") spans.push(separator(entry.leading, at, path));
    const first = origin + (entry.keyRaw === "" ? entry.value.offset : entry.offset);
    at = origin + endOf(entry);
    spans.push(entrySpan(entry, index, fieldOf(node, entry), origin, first, at, path));
  });
  if (block.trailing !== "") spans.push(separator(block.trailing, at, path));
  return spans;
}

/** What an entry of a record, or of a list of named records, is declared as. */
function fieldOf(node: RecordNode | undefined, entry: ConfigEntry): ConfigNode | undefined {
  return node === undefined ? undefined : planOf(node).byKey.get(entry.key)?.node;
}

function separator(text: string, start: number, path: string): Span {
  const end = start + textByteLength(text);
  return textSpan("(separator)", joinPath(path, "(separator)"), start, end, { value: text });
}

/** First byte behind an entry, counted from the start of its text. */
function endOf({ value }: ConfigEntry): number {
  if (value.kind === "struct") return value.closeOffset + 1;
  return value.offset + ("raw" in value ? textByteLength(value.raw) : 0);
}

function entrySpan(
  entry: ConfigEntry,
  index: number,
  node: ConfigNode | undefined,
  origin: number,
  start: number,
  end: number,
  path: string,
): Span {
  const name = entry.keyRaw === "" ? `[${index}]` : entry.key;
  const own = joinPath(path, name);
  const { value } = entry;
  if (value.kind !== "struct") return textSpan(name, own, start, end, explain(node, entry));
  const inner = innerSpans(node, value, origin, own);
  return textSpan(name, own, start, end, { kind: "struct", children: inner, ...documented(node) });
}

function innerSpans(
  node: ConfigNode | undefined,
  value: ConfigValue & { kind: "struct" },
  origin: number,
  path: string,
): Span[] {
  const start = origin + value.offset + 1;
  if (node?.kind === "record") return configSpans(value, node, origin, start, path);
  if (node?.kind !== "named") return configSpans(value, undefined, origin, start, path);
  const { of } = node;
  const fields = value.entries.map((entry): [string, ConfigNode] => [entry.key, { ...of, key: entry.key }]);
  return configSpans(value, { kind: "record", fields, rules: [], duplicates: "last" }, origin, start, path);
}

function explain(node: ConfigNode | undefined, entry: ConfigEntry): Partial<Span> {
  const text = configText(entry.value) ?? "";
  const symbol = node?.symbols?.[text];
  return {
    value: typed(node, entry) ?? text,
    ...(symbol === undefined ? {} : { symbol }),
    ...documented(node),
  };
}

const documented = (node: ConfigNode | undefined): Partial<Span> =>
  node?.doc === undefined ? {} : { description: node.doc };

function typed(node: ConfigNode | undefined, entry: ConfigEntry): unknown {
  if (node?.kind !== "scalar") return undefined;
  try {
    return readScalar(node, entry);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
