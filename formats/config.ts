import {
  type ConfigBlock,
  type ConfigEntry,
  type ConfigStruct,
  type ConfigSyntax,
  type ConfigTree,
  type ConfigValue,
  configText,
  parseConfig,
  parseConfigPrefix,
  writeConfig,
} from "../src/codec/config.js";
import { configDuplicates } from "../src/codec/config-edit.js";
import { objectOf, type Values, within } from "../src/codec/config-record.js";
import { sampleText, typeError } from "../src/codec/config-schema.js";
import { configSpans } from "../src/codec/config-span.js";
import { quoteIfNeeded, unquote } from "../src/codec/config-token.js";
import { FormatError } from "../src/codec/error.js";
import type { Format } from "../src/codec/format.js";
import type { RandomSource } from "../src/codec/random.js";
import { located, type TextForm, textFormat } from "../src/codec/text-format.js";

const page = "formats: turtle and disagg metadata §5";

/** Any configuration text. */
export const config: Format<ConfigTree> = textFormat(
  {
    name: "config",
    title: "Configuration text",
    source: page,
    doc:
      "key=value pairs separated by commas (key:value is accepted). A value is a bare token, a quoted string with " +
      "backslash escapes, or a struct in (), [] or {}. A key alone means true, key= the empty string, and of " +
      "duplicates the last one counts.",
  },
  configForm("text"),
);

/** WiredTiger.basecfg and WiredTiger.config. */
export const configFile: Format<ConfigTree> = textFormat(
  {
    name: "config-file",
    title: "Configuration file",
    source: page,
    doc: "Configuration text in which newlines separate too, and lines that begin with # are comments.",
  },
  configForm("file"),
);

function configForm(syntax: ConfigSyntax): TextForm<ConfigTree> {
  return {
    read(text, { base, issues }) {
      const tree = located(base, () => parseConfig(text, { syntax }));
      for (const { path, offsets } of configDuplicates(tree)) {
        const offset = base + offsets.at(-1)!;
        const message = `the key comes ${offsets.length} times; the last one counts`;
        issues.push({ code: "duplicate-key", severity: "info", path, offset, message });
      }
      return tree;
    },
    write: (tree) => writeConfig(tree),
    spans: (text, base) => configSpans(parseConfigPrefix(text, { syntax }), undefined, base, base),
    generate: (random) => parseConfig(randomBlock(random, 3), { syntax }),
    toJson: (tree) => blockToJson(tree),
    fromJson: (json) => parseConfig(writeConfig(blockFromJson(json)), { syntax }),
    describe: () => ({
      fields: [
        {
          name: "entries",
          type: "list",
          doc:
            "{key, value}: value is text, true for a key alone, or {entries} for a struct. What the usual form does not " +
            "tell (leading separators, quotes, brackets) stands beside it",
        },
        { name: "trailing", type: "text", doc: "Separators behind the last entry" },
      ],
      rules: [
        { code: "config-syntax", doc: "Brackets match and commas separate" },
        { code: "config-depth", doc: "Structs nest at most 64 deep" },
      ],
    }),
  };
}

const MAX_DEPTH = 64;

/** Only what the canonical form of the same entries would not tell is written down. */
function blockToJson(block: ConfigBlock): Values {
  const entries = block.entries.map((entry, index) => entryToJson(entry, index));
  return { entries, ...unless(block.trailing, "", "trailing") };
}

const unless = (value: string, usual: string, name: string): Values =>
  value === usual ? {} : { [name]: value };

function entryToJson(entry: ConfigEntry, index: number): Values {
  const { key, keyRaw, assign, value } = entry;
  const usualAssign = value.kind === "alone" || keyRaw === "" ? "" : "=";
  return {
    ...(keyRaw === "" ? {} : { key }),
    ...valueToJson(value),
    ...unless(entry.leading, index === 0 ? "" : ",", "leading"),
    ...(keyRaw === "" ? {} : unless(keyRaw, quoteIfNeeded(key), "keyRaw")),
    ...unless(assign, usualAssign, "assign"),
  };
}

function valueToJson(value: ConfigValue): Values {
  if (value.kind === "struct")
    return { value: { ...unless(value.open, "(", "open"), ...blockToJson(value) } };
  if (value.kind === "alone") return { value: true };
  const text = configText(value)!;
  const raw = "raw" in value ? value.raw : "";
  return { value: text, ...unless(raw, text === "" ? "" : quoteIfNeeded(text), "raw") };
}

function blockFromJson(json: unknown, depth = 0): ConfigBlock {
  if (depth > MAX_DEPTH)
    throw new FormatError({ code: "config-depth", message: `structs nest deeper than ${MAX_DEPTH}` });
  const { entries, trailing = "" } = objectOf(json);
  if (!Array.isArray(entries)) throw typeError("a list is needed", "array", entries).within("entries");
  return {
    entries: entries.map((entry, index) =>
      within("entries", () => within(index, () => entryFromJson(objectOf(entry), index, depth))),
    ),
    trailing: stringOf(trailing, "trailing"),
  };
}

function entryFromJson(json: Values, index: number, depth: number): ConfigEntry {
  const key = json.key === undefined ? undefined : stringOf(json.key, "key");
  const value = valueFromJson(json, depth);
  const usualAssign = value.kind === "alone" || key === undefined ? "" : "=";
  const keyRaw = key === undefined ? "" : stringOf(json.keyRaw ?? quoteIfNeeded(key), "keyRaw");
  return {
    leading: stringOf(json.leading ?? (index === 0 ? "" : ","), "leading"),
    key: unquote(keyRaw),
    keyRaw,
    offset: 0,
    assign: stringOf(json.assign ?? usualAssign, "assign"),
    value,
  };
}

function valueFromJson(json: Values, depth: number): ConfigValue {
  const { value } = json;
  if (value === true) return { kind: "alone", offset: 0 };
  if (typeof value === "object" && value !== null)
    return within("value", () => structFromJson(value, depth + 1));
  const text = stringOf(value, "value");
  const raw = stringOf(json.raw ?? (text === "" ? "" : quoteIfNeeded(text)), "raw");
  if (raw === "") return { kind: "empty", offset: 0 };
  return { kind: raw.startsWith('"') ? "quoted" : "bare", offset: 0, raw };
}

function structFromJson(json: object, depth: number): ConfigStruct {
  const open = stringOf((json as Values).open ?? "(", "open") as ConfigStruct["open"];
  if (!["(", "[", "{"].includes(open))
    throw typeError("a bracket is needed", "( [ or {", open).within("open");
  return { kind: "struct", offset: 0, closeOffset: 0, open, ...blockFromJson(json, depth) };
}

function stringOf(value: unknown, name: string): string {
  if (typeof value !== "string") throw typeError("a string is needed", "string", value).within(name);
  return value;
}

function randomBlock(random: RandomSource, depth: number): string {
  const separators = [",", ",", ",", ", ", ",\n", ",,"];
  const pick = (list: readonly string[]) => list[random.below(list.length)]!;
  const entries = Array.from({ length: random.below(6) }, () => randomEntry(random, depth));
  return entries.map((entry, at) => (at === 0 ? entry : pick(separators) + entry)).join("");
}

function randomEntry(random: RandomSource, depth: number): string {
  const key = quoteIfNeeded(sampleText(random));
  const inner = () => randomBlock(random, depth - 1);
  const kinds = [
    () => key,
    () => `${key}=`,
    () => `${key}=${quoteIfNeeded(sampleText(random))}`,
    () => `${key} : "${random.below(1000)}"`,
    () => `${key}=(${inner()})`,
    () => `${key}=[${inner()}]`,
    () => `{${inner()}}`,
  ];
  return kinds[random.below(depth > 0 ? kinds.length : 4)]!();
}
